"""Readers beside the writers: each looks again and again, and tells of any half state."""

from __future__ import annotations

import json
import threading
import traceback
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import xarray as xr
import zarr

from flows.settings import Settings
from flows.status import workspace_status
from models.card import ModelCard
from models.champions import champion_models
from pipeline.errors import NotFoundError
from pipeline.evaluation.rolling import FOLDER, Rolling
from pipeline.evaluation.standing import Standing
from pipeline.evaluation.versions import read_scores
from pipeline.store import repository
from pipeline.types import Status
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

BETWEEN = 0.05
"""Seconds between two looks."""


class Readers:
    """Threads that look at a workspace until the context ends; `seen` is what was half there."""

    def __init__(
        self, experiment: str, horizon: int, *, number: int = 1, today: dt.date | None = None
    ) -> None:
        self.experiment, self.horizon, self.today = experiment, horizon, today
        self.looks = 0
        self.seen: Counter[str] = Counter()
        self._workspace: Workspace | None = None
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._look_on, daemon=True) for _ in range(number)]

    def at(self, root: Path) -> None:
        """Look there from now on."""
        self._workspace = Workspace(root.resolve())

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _look_on(self) -> None:
        while not self._end.wait(BETWEEN):
            workspace = self._workspace
            if workspace is None:
                continue
            try:
                look(workspace, self.experiment, self.horizon, self.today)
            except Exception as error:  # noqa: BLE001  whatever a reader meets is what is counted
                told = traceback.format_exception(error)
                self.seen["".join([*told[:1], *told[-4:]]).replace(str(workspace.root), "")] += 1
            self.looks += 1


def look(workspace: Workspace, experiment: str, horizon: int, today: dt.date | None = None) -> None:
    """Everything that a reader may ask of a workspace; what is not there yet is no fault.

    Raises
    ------
    AssertionError, IsothermError, …
        Something is half there.
    """
    with suppress(NotFoundError):
        settings = Settings.load(workspace=workspace.root).model_copy(update={"today": today})
        workspace_status(settings)
    _cube(workspace.cube(experiment))
    _archive(workspace.archive(experiment), horizon)
    for folder in sorted((workspace.root / "models" / experiment).glob("*")):
        _models(folder)
    for folder in sorted((workspace.root / "scores" / experiment).glob("*")):
        _scores(folder)
    _catalog(workspace.published)
    report = workspace.report(experiment)
    if report.exists():
        assert report.read_text(encoding="utf-8").rstrip().endswith("</html>"), "half a report"


def _groups(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Of the newest commit, every group that has arrays, and these."""
    if not repository.exists(path):
        return []
    root = repository.read_root(repository.read_session(path))
    groups = [
        ("", root),
        *((name, each) for name, each in root.members(None) if isinstance(each, zarr.Group)),
    ]
    return [(name, arrays) for name, group in groups if (arrays := dict(group.arrays()))]


def _lengths(arrays: dict[str, Any], axis: str) -> int:
    on_axis = {
        name: array.shape[0]
        for name, array in arrays.items()
        if array.metadata.dimension_names[:1] == (axis,)
    }
    assert len({*on_axis.values()}) == 1, f"arrays on {axis} of other lengths: {on_axis}"
    return next(iter(on_axis.values()))


def _cube(path: Path) -> None:
    for name, arrays in _groups(path):
        if "sst" not in arrays:
            continue
        length = _lengths(arrays, "time")
        status, values, days = (np.asarray(arrays[each][...]) for each in ("status", "sst", "time"))
        assert (np.diff(days) == 1).all(), f"{name}: days out of order"
        held = status != Status.MISSING
        ocean = np.isfinite(values).any(axis=0) if length else np.zeros(values.shape[1:], bool)
        assert np.isfinite(values[held][:, ocean]).all(), f"{name}: a day that is there has a hole"
        assert not np.isfinite(values[~held]).any(), f"{name}: a day that is missing has values"
        for column in ("source_sha256", "source_url"):
            told = np.array([bool(each) for each in arrays[column][...]], bool)
            assert (told == held).all(), (
                f"{name}: {column} of a day that is missing, or none of one that is there"
            )


def _archive(path: Path, horizon: int) -> None:
    for name, arrays in _groups(path):
        if "issued_at" not in arrays:
            continue
        length = _lengths(arrays, "init_time")
        field = np.asarray(arrays["sst"][...])
        assert field.shape[:2] == (length, horizon), f"{name}: {field.shape}"
        ocean = np.isfinite(field[0, 0])
        assert np.isfinite(field[:, :, ocean]).all(), f"{name}: a forecast lacks a lead"
        assert all(arrays["model_id"][...]), f"{name}: a forecast of no model"
        assert all(arrays["cube_snapshot"][...]), f"{name}: a forecast from no snapshot"


def _models(folder: Path) -> None:
    whole = {
        ModelCard.read(path).model_id for path in folder.glob("[!.]*") if (path / "model.keras").exists()
    }
    with suppress(NotFoundError):
        assert {*champion_models(folder).values()} <= whole, "a champion that is not there"
    for path in folder.glob("[!.]*-*"):
        if path.is_dir():
            assert {"card.json", "model.keras"} <= {each.name for each in path.iterdir()}, (
                f"half a model: {path}"
            )


def _scores(folder: Path) -> None:
    with suppress(NotFoundError):
        standing = Standing.read(folder)
        assert read_scores(folder, standing.scores_version).sizes["lead_time"], "scores without leads"
    with suppress(NotFoundError):
        card = Rolling.read(folder)
        if card.version is not None:
            assert read_scores(folder / FOLDER, card.version).sizes["lead_time"], "a scorecard without leads"


def _catalog(root: Path) -> None:
    """As a consumer does: from the catalog to every asset."""
    if not (root / "catalog.json").exists():
        return
    for collection in _linked(root / "catalog.json", "child"):
        for item in _linked(collection, "item"):
            for name, asset in json.loads(item.read_text())["assets"].items():
                place = (item.parent / asset["href"]).resolve()
                if place.suffix != ".zarr":
                    assert place.is_file(), f"no {place}"
                    continue
                with xr.open_zarr(place, chunks=None) as opened:
                    dataset = opened.load()
                if name == "forecast":
                    field = dataset.sst.values
                    assert np.isfinite(field[..., np.isfinite(field[0, 0])]).all(), f"{place} lacks a lead"


def _linked(document: Path, rel: str) -> list[Path]:
    links = json.loads(document.read_text())["links"]
    return [document.parent / link["href"] for link in links if link["rel"] == rel]
