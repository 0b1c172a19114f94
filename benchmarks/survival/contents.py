"""What a workspace holds, as hashes that two runs of the same work share.

Left out is what reads a clock, what is drawn by chance, and what hashes either: `ingested_at`, `issued_at`,
`created_at` and other times of making; the seconds of epochs; who made a model champion; ids of snapshots;
`fitted_sha256` and the ids of baselines, which hash the snapshot that they were fitted on; the hash of a model's card,
which holds its time of making; versions of scores and products, which hash attributes with such ids, and the names of
files that are such versions; Keras's `shared_object_id`, a place in memory. The report's page and `ingest/*.json`,
which tells of the last ingestion alone, are not compared.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import xarray as xr
import zarr

from pipeline.forecasts import RUNGS
from pipeline.store import repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.workspace import Workspace

CLOCK = {
    "ingested_at", "issued_at", "created_at", "created", "since", "seconds", "by", "date_created", "date_issued",
    "date_modified", "date_metadata_modified",
}  # fmt: skip
IDS = {
    "cube_snapshot", "archive_snapshot", "snapshot", "card_sha256", "version", "product_version", "scores_version",
    "isotherm:version", "fitted_sha256", "shared_object_id",
}  # fmt: skip
LEFT_OUT = CLOCK | IDS
RUNG = re.compile(rf"\b({'|'.join(sorted(RUNGS, key=len, reverse=True))})-[0-9a-f]{{12}}\b")
PRODUCT = re.compile(r"(forecast-|scores-|report-)?[0-9a-f]{16}\.(zarr|html)")


def contents(workspace: Workspace, experiment: str) -> dict[str, str]:
    """Hash of each thing that the workspace holds of an experiment."""
    found = dict(_store(workspace.cube(experiment), "cube"))
    found |= dict(_store(workspace.archive(experiment), "archive"))
    for folder in sorted((workspace.root / "models" / experiment).glob("*")):
        found |= dict(_models(folder))
    for folder in sorted((workspace.root / "scores" / experiment).glob("*")):
        found |= dict(_scores(folder))
    found |= dict(_published(workspace.published))
    return found


def leftovers(workspace: Workspace) -> list[str]:
    """Drafts and parts that killed writers left, which nobody reads and a later run sweeps."""
    return sorted(
        str(path.relative_to(workspace.root))
        for path in workspace.root.rglob(".*")
        if not path.name.endswith(".lock") and "prefect" not in path.relative_to(workspace.root).parts
    )


def _store(path: Path, what: str) -> Iterator[tuple[str, str]]:
    """The arrays of every group of an Icechunk store; nothing, where there is none yet."""
    if not repository.exists(path):
        return
    session = repository.read_session(path)
    root = zarr.open_group(session.store, mode="r")
    for name, member in sorted(root.members(max_depth=None)):
        if name.rpartition("/")[2] in LEFT_OUT:
            continue
        if isinstance(member, zarr.Array):
            yield (
                f"{what}: {name}",
                _hash(_values(member[...]), _attrs(dict(member.attrs)), str(member.dtype)),
            )
        else:
            yield f"{what}: {name} attributes", _hash(_attrs(dict(member.attrs)))


def _models(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        name = f"model: {path.relative_to(folder)}"
        if not path.is_file() or any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        if path.suffix == ".json":
            yield name, _hash(_attrs(json.loads(path.read_text())))
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                held = {key: _values(arrays[key]) for key in sorted(arrays) if key not in LEFT_OUT}
            yield name, _hash(*held.items())
        elif path.suffix == ".keras":
            yield name, _keras(path)


def _keras(path: Path) -> str:
    """The layers and the weights of a model; the archive also says when it was written."""
    with zipfile.ZipFile(path) as parts:
        config = parts.read("config.json")
        weights: list[Any] = []
        with h5py.File(BytesIO(parts.read("model.weights.h5"))) as file:
            file.visititems(
                lambda name, item: (
                    weights.append((name, _values(item[()]))) if isinstance(item, h5py.Dataset) else None
                )
            )
    return _hash(_attrs(json.loads(config)), *weights)


def _scores(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.glob("*.json")):
        yield f"scores: {folder.name}/{path.name}", _hash(_attrs(json.loads(path.read_text())))
    for kind in (folder, folder / "scorecards"):
        hashes = sorted(_product(path) for path in kind.glob("*.zarr"))
        yield f"scores: {folder.name}/{kind.name} stores", " ".join(hashes)


def _published(root: Path) -> Iterator[tuple[str, str]]:
    names = {}
    for path in sorted(root.glob("*/*/[!.]*.zarr")):
        names[path.name] = f"{path.parent.relative_to(root)}/{_product(path)}"
    yield "published products", " ".join(sorted(names.values()))
    for path in sorted(root.rglob("*.json")):
        inside = path.relative_to(root)
        if any(part.endswith(".zarr") or part.startswith(".") for part in inside.parts):
            continue
        text = PRODUCT.sub(lambda found: names.get(found[0], f"a {found[2]}"), path.read_text())
        yield f"catalog: {inside}", _hash(_attrs(json.loads(text)))


def _product(path: Path) -> str:
    with xr.open_zarr(path, chunks=None) as opened:
        dataset = opened.load()
    arrays = [
        (str(name), variable.dims, _values(variable.values), _attrs(dict(variable.attrs)))
        for name, variable in sorted(dataset.variables.items())
        if name not in LEFT_OUT
    ]
    attrs = dict(dataset.attrs)
    if "lineage" in attrs:
        attrs["lineage"] = json.loads(attrs["lineage"])
    attrs.pop("history", None)  # it begins with the time of issue
    return _hash(*arrays, _attrs(attrs))[:16]


def _attrs(given: Any) -> Any:
    if isinstance(given, dict):
        # The order of `coordinates` says nothing.
        told = {
            key: sorted(str(value).split()) if key == "coordinates" else value for key, value in given.items()
        }
        return {key: _attrs(value) for key, value in sorted(told.items()) if key not in LEFT_OUT}
    if isinstance(given, list | tuple):
        return [_attrs(each) for each in given]
    return RUNG.sub(r"\1", given) if isinstance(given, str) else given


def _values(array: Any) -> Any:
    array = np.asarray(array)
    if array.dtype.kind in "OUST":
        return [RUNG.sub(r"\1", str(each)) for each in array.ravel()]
    return [str(array.dtype), array.shape, hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()]


def _hash(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
