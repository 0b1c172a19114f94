"""Which days hold something else now than at an earlier snapshot: what was made from them is named by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import NotFoundError
from pipeline.store import repository, schema
from pipeline.store.series_schema import day_of, is_series, times_of
from pipeline.store.state import group_state
from pipeline.types import Status

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    import zarr

    from pipeline.types import TimeRange


def changed_days(
    path: Path, region: str, since: str, *, within: TimeRange | None = None, snapshot: str | None = None
) -> tuple[dt.date, ...] | None:
    """Days that had a value at the snapshot `since` and have come from another file by `snapshot`, or the newest.

    Of a station they are the days of which a value is another.

    Returns
    -------
    tuple of date, ascending, or None
        None where the snapshot `since` is there no more.

    Raises
    ------
    NotFoundError, StoreError
        There is no store, or it has no such region.
    """
    repository.open_repository(path)
    try:
        before = repository.read_session(path, since)
    except NotFoundError:
        return None
    after = repository.read_session(path, snapshot)
    with repository.translated(path):
        root = repository.read_root(before)
        if region not in root:
            return ()
        old = schema.region_group(root, region)
        new = schema.region_group(repository.read_root(after), region)
        days = _series(old, new) if is_series(old) else _cube(old, new)
    return tuple(day for day in days if within is None or day in within)


def _cube(old: zarr.Group, new: zarr.Group) -> list[dt.date]:
    before, after = group_state(old), group_state(new)
    held = np.flatnonzero(before.status != Status.MISSING)
    other = before.source_sha256[held] != after.source_sha256[held]
    days: list[dt.date] = before.days[held[other.astype(bool)]].tolist()
    return days


def _series(old: zarr.Group, new: zarr.Group) -> list[dt.date]:
    time = times_of(old)
    place = np.searchsorted(times_of(new), time)
    other = np.zeros(len(time), bool)
    for name, array in old.arrays():
        if array.dtype == np.float32 and name in new:
            was = np.asarray(array[:])
            now = np.asarray(schema.array(new, name)[:])[place]
            other |= np.isfinite(was) & (was != now)
    days: list[dt.date] = np.unique(day_of(time[other])).tolist()
    return days
