"""What a cube holds, day by day and in sum; needs neither xarray nor Dask."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import NotFoundError
from pipeline.store import repository, schema
from pipeline.store.series_files import read_entries
from pipeline.store.series_schema import day_status, is_series
from pipeline.types import Spec, Status

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    import zarr
    from numpy.typing import NDArray

_GAPS_TOLD = 50


@dataclass(frozen=True, slots=True)
class CubeState:
    """The time axis of a cube with the provenance of each of its days; all arrays (time,).

    Over several regions a day has the least status of them, so that a region that lacks it asks for it.
    """

    days: NDArray[np.datetime64]
    status: NDArray[np.int8]
    source_sha256: NDArray[Any]
    source_url: NDArray[Any]
    source_version: NDArray[Any]

    def at(self, day: dt.date) -> tuple[Status, str, str]:
        """Status, address and version of `day`; missing, "" and "" beyond the axis."""
        if not len(self.days):
            return Status.MISSING, "", ""
        place = int((np.datetime64(day) - self.days[0]).astype(int))
        if not 0 <= place < len(self.days):
            return Status.MISSING, "", ""
        return Status(int(self.status[place])), str(self.source_url[place]), str(self.source_version[place])


class Gap(Spec):
    """Days next to each other that the cube lacks."""

    start: str
    end: str
    days: int


class CubeSummary(Spec):
    """What `isotherm status` says of a cube, from its newest commit alone."""

    snapshot: str
    written_at: str
    message: str
    regions: tuple[str, ...] = ()
    first_day: str | None = None
    last_day: str | None = None
    last_final: str | None = None
    final: int = 0
    preliminary: int = 0
    missing: int = 0
    gaps: tuple[Gap, ...] = ()
    """The newest 50 gaps."""


def read_state(path: Path, snapshot: str | None = None) -> CubeState:
    """The state of every region together.

    Raises
    ------
    NotFoundError
        There is no cube, or no such snapshot.
    """
    session = repository.read_session(path, snapshot)
    with repository.translated(path):
        return _joint(repository.read_root(session))


def read_day_status(
    path: Path, snapshot: str | None = None
) -> tuple[NDArray[np.datetime64], NDArray[np.int8]]:
    """Every day of a cube or series, datetime64[D] (day,), and its least status over the regions, int8 (day,).

    Raises
    ------
    NotFoundError
        There is no store, or no such snapshot.
    """
    session = repository.read_session(path, snapshot)
    with repository.translated(path):
        root = repository.read_root(session)
        return _days([group for _, group in sorted(root.groups())])


def last_day(path: Path, *, snapshot: str | None = None, least: Status = Status.MISSING) -> dt.date:
    """The last day of the store's axis, or the last of at least such a status in every region.

    Raises
    ------
    NotFoundError
        There is no store, no such snapshot, or no such day.
    """
    days, status = read_day_status(path, snapshot)
    held = np.flatnonzero(status >= least)
    if not len(held):
        raise NotFoundError(
            f"{path} has no {least.name.lower() if least else ''} day yet".replace("  ", " "),
            remedy="ingest the experiment first, or wait for the final files",
            path=str(path),
        )
    found: dt.date = days[held[-1]].astype("datetime64[D]").tolist()
    return found


def status_summary(path: Path) -> CubeSummary:
    """The cube in sum; only its newest commit is read.

    Raises
    ------
    NotFoundError
        There is no cube.
    WorkspaceError
        A newer Isotherm wrote it.
    """
    commit = repository.head(repository.open_repository(path))
    told = {name: commit.metadata[name] for name in CubeSummary.model_fields if name in commit.metadata}
    at = commit.written_at.isoformat(timespec="seconds")
    return CubeSummary(snapshot=commit.id, written_at=at, message=commit.message, **told)


def group_state(group: zarr.Group, first: int = 0, last: int | None = None) -> CubeState:
    """The state of one region, from position `first` to before `last`."""
    held = len(schema.status_of(group))
    span = slice(min(first, held), held if last is None else min(last, held))
    days = schema.origin(group) + np.arange(span.start, span.stop)
    told = (np.asarray(schema.array(group, name)[span]) for name in schema.PROVENANCE)
    return CubeState(days, schema.status_of(group)[span], *told)


def describe(root: zarr.Group) -> dict[str, Any]:
    """Metadata of a commit: the fields of `CubeSummary`.

    Of a station, a day is missing where no step of it has a value, and else has the least status of those that do.
    """
    groups = dict(sorted(root.groups()))
    days, status = _days(list(groups.values()))
    told: dict[str, Any] = {"regions": list(groups)}
    told |= {s.name.lower(): int((status == s).sum()) for s in Status}
    if len(status):
        final = np.flatnonzero(status == Status.FINAL)
        told |= {
            "first_day": str(days[0]),
            "last_day": str(days[-1]),
            "last_final": str(days[final[-1]]) if len(final) else None,
            "gaps": [gap.model_dump() for gap in find_gaps(days, status)[-_GAPS_TOLD:]],
        }
    return told


def source_list(path: Path, snapshot: str | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Addresses and SHA-256 of the files that the store was made from, in order of time.

    Of a cube they are those of each day that it holds; of a series each file stands once.

    Raises
    ------
    NotFoundError
        There is no store, or no such snapshot.
    """
    session = repository.read_session(path, snapshot)
    with repository.translated(path):
        root = repository.read_root(session)
        entries = [
            entry
            for _, group in sorted(root.groups())
            if is_series(group)
            for entry in sorted(read_entries(group), key=lambda entry: entry.place)
        ]
        if entries:
            return tuple(entry.url for entry in entries), tuple(entry.sha256 for entry in entries)
        state = _joint(root)
    held = state.status != Status.MISSING
    return tuple(map(str, state.source_url[held])), tuple(map(str, state.source_sha256[held]))


def find_gaps(days: NDArray[np.datetime64], status: NDArray[np.int8]) -> list[Gap]:
    """Runs of missing days on the axis, oldest first."""
    missing = np.flatnonzero(status == Status.MISSING)
    if not len(missing):
        return []
    runs = np.split(missing, np.flatnonzero(np.diff(missing) != 1) + 1)
    return [Gap(start=str(days[r[0]]), end=str(days[r[-1]]), days=len(r)) for r in runs]


def _least(statuses: list[NDArray[np.int8]]) -> NDArray[np.int8]:
    """The least status of each day over regions whose axes begin together."""
    length = max((len(status) for status in statuses), default=0)
    filled = np.full((max(len(statuses), 1), length), Status.MISSING, np.int8)
    for row, status in zip(filled, statuses, strict=False):
        row[: len(status)] = status
    return np.asarray(filled.min(axis=0))


def _days(groups: list[zarr.Group]) -> tuple[NDArray[np.datetime64], NDArray[np.int8]]:
    """Every day of the store and its status, the least over its regions; a store of a station has that alone."""
    if groups and is_series(groups[0]):
        return day_status(groups[0])
    status = _least([schema.status_of(group) for group in groups])
    first = schema.origin(groups[0]) if groups else np.datetime64(0, "D")
    return first + np.arange(len(status)), status


def _joint(root: zarr.Group) -> CubeState:
    states = [group_state(group) for _, group in sorted(root.groups())]
    if not states:
        empty = np.empty(0, dtype=object)
        return CubeState(np.empty(0, "datetime64[D]"), np.empty(0, np.int8), empty, empty, empty)
    longest = max(states, key=lambda state: len(state.days))
    return replace(longest, status=_least([state.status for state in states]))
