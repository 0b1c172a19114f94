"""What of the published folder and the scores nothing refers to any more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pipeline.evaluation.standing import FILE, Standing
from pipeline.lineage import ASSET, Lineage, read_lineage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def listed(published: Path, experiment: str) -> dict[Path, Path | None]:
    """All that the catalog's items of `experiment` lead to, each with the forecast whose item it is of.

    Every item counts that lies there, whether the collection has a link to it or not yet.
    """
    found: dict[Path, Path | None] = {}
    for path in _items(published / experiment):
        document = json.loads(path.read_text(encoding="utf-8"))
        assets = {name: _target(path, asset["href"]) for name, asset in document.get("assets", {}).items()}
        for target in assets.values():
            found[target] = assets.get(ASSET)
    return found


def lineages(published: Path, experiment: str) -> list[Lineage]:
    """Of every forecast of `experiment` that the catalog lists."""
    forecasts = {forecast for forecast in listed(published, experiment).values() if forecast is not None}
    return [read_lineage(forecast) for forecast in sorted(forecasts) if forecast.is_dir()]


def unlisted_products(published: Path, experiment: str) -> list[Path]:
    """Products of `experiment`, and copies of its report, that no item leads to."""
    kept = set(listed(published, experiment))
    folder = published / experiment
    products = [*folder.glob("*/*.zarr"), *folder.glob("*/report-*")]
    return sorted(path for path in products if path not in kept)


def unused_scores(folder: Path, kept: set[str]) -> list[Path]:
    """Versions of a region's scores that are neither its newest nor among `kept`."""
    newest = {Standing.read(folder).scores_version} if (folder / FILE).is_file() else set()
    return sorted(path for path in folder.glob("*.zarr") if path.stem not in kept | newest)


def _items(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("*/*/*.json")):
        if path.stem == path.parent.name:
            yield path


def _target(item: Path, href: str) -> Path:
    return (item.parent / unquote(href)).resolve()
