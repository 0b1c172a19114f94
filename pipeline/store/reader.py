"""Reading cubes, pinned by snapshot: lazily as xarray, whole as a `Record`, or a few days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.forecasts.base import Record
from pipeline.store import repository, schema
from pipeline.types import Status

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr
    from numpy.typing import NDArray

    from pipeline.grid import Grid


def open_region(
    path: Path, region: str, *, snapshot: str | None = None, chunks: dict[str, Any] | None = None
) -> xr.Dataset:
    """The cube of `region`: `sst(time, latitude, longitude)` and the coordinates of its provenance.

    Parameters
    ----------
    snapshot
        Of which commit; the newest where None. The id is the attribute `snapshot` of what comes back.
    chunks
        Dask chunks; {} takes the stored ones, None reads without Dask when values are asked for.

    Raises
    ------
    NotFoundError
        There is no cube, or no such snapshot.
    StoreError
        The cube has no such region.
    """
    import xarray as xr

    session = repository.read_session(path, snapshot)
    schema.region_group(repository.read_root(session), region)
    data: xr.Dataset = xr.open_zarr(session.store, group=region, consolidated=False, chunks=chunks)
    return data.assign_attrs(snapshot=session.snapshot_id)


def read_record(path: Path, region: str, *, snapshot: str | None = None, final_only: bool = False) -> Record:
    """The whole record of `region`, as forecasters see it; its ocean is the cells with a value on most held days.

    A cell that had one on a few days alone counts as land: it would make all other days unusable.

    Parameters
    ----------
    final_only
        Whether preliminary days are left out, as days without values.

    Raises
    ------
    NotFoundError, StoreError
        As `open_region`.
    """
    session = repository.read_session(path, snapshot)
    with repository.translated(path):
        group = schema.region_group(repository.read_root(session), region)
        values = np.asarray(schema.array(group, "sst")[:])
        status = schema.status_of(group)
        missing = status == Status.MISSING
        values[missing] = np.nan
        grid = schema.grid_of(group)
        time = (schema.origin(group) + np.arange(len(values))).astype("datetime64[ns]")
    ocean = 2 * np.isfinite(values).sum(axis=0) > np.count_nonzero(~missing)
    values[:, ~ocean] = np.nan
    if final_only:
        values[status != Status.FINAL] = np.nan
    return Record(values, time, grid.latitude, grid.longitude, ocean)


def read_source_grid(path: Path, *, snapshot: str | None = None) -> Grid | None:
    """The grid of the files that the cube was made from, if any were written.

    Raises
    ------
    NotFoundError
        There is no cube, or no such snapshot.
    """
    session = repository.read_session(path, snapshot)
    with repository.translated(path):
        return schema.source_grid(repository.read_root(session))


def last_day_before(
    path: Path, day: np.datetime64, *, snapshot: str | None = None
) -> tuple[np.datetime64 | None, dict[str, NDArray[np.float32]]]:
    """The newest day with values before `day`, and these, (latitude, longitude) of every region.

    None and nothing where there is no such day.

    Raises
    ------
    NotFoundError
        There is no cube, or no such snapshot.
    """
    session = repository.read_session(path, snapshot)
    with repository.translated(path):
        root = repository.read_root(session)
        found: np.datetime64 | None = None
        values = {}
        for region, group in sorted(root.groups()):
            status = schema.status_of(group)
            held = np.flatnonzero(status[: max(0, int((day - schema.origin(group)).astype(int)))])
            if not len(held):
                return None, {}
            found = schema.origin(group) + held[-1]
            values[region] = np.asarray(schema.array(group, "sst")[int(held[-1])])
    return found, values
