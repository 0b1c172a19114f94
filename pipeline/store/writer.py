"""Writing days into a cube: append, late fill, replacement; every region in one commit."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

from pipeline.errors import StoreError
from pipeline.store import days, repository, schema
from pipeline.store.state import describe
from pipeline.types import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import icechunk
    from numpy.typing import NDArray

    from pipeline.grid import Grid


@dataclass(frozen=True, slots=True)
class DayBatch:
    """Days to be written, ascending, each once.

    Parameters
    ----------
    days
        datetime64[D] (time,).
    status
        int8 (time,), of `Status`, none missing.
    source_sha256, source_url, source_version
        One text a day.
    values
        Of each region of the cube, float32 (time, latitude, longitude), degree_Celsius.
    """

    days: NDArray[np.datetime64]
    status: NDArray[np.int8]
    source_sha256: tuple[str, ...]
    source_url: tuple[str, ...]
    source_version: tuple[str, ...]
    values: Mapping[str, NDArray[np.float32]]

    @classmethod
    def joined(cls, batches: Sequence[DayBatch]) -> DayBatch:
        """One after another, without their values."""
        sha256, url, version = (
            tuple(text for batch in batches for text in getattr(batch, name)) for name in schema.PROVENANCE
        )
        return cls(
            np.concatenate([np.empty(0, "datetime64[D]"), *(batch.days for batch in batches)]),
            np.concatenate([np.empty(0, np.int8), *(batch.status for batch in batches)]),
            sha256,
            url,
            version,
            {},
        )


def create_cube(
    path: Path,
    regions: Mapping[str, Grid],
    first_day: dt.date,
    *,
    attributes: Mapping[str, Mapping[str, Any]] | None = None,
) -> str | None:
    """Make the cube at `path`, or add the regions that it lacks; one that has them all is left alone.

    Parameters
    ----------
    attributes
        Attributes of each region's group, such as how it was regridded; a later call must give the same.

    Raises
    ------
    StoreError
        A region is there on another grid, with other attributes, or from a later first day.
    """
    given = attributes or {}
    if not repository.exists(path):
        with repository.writing(path):
            if not repository.exists(path):
                repository.create(path, splits={"time": schema.MANIFEST_CHUNKS})

    def change(session: icechunk.Session) -> tuple[str, dict[str, Any]] | None:
        root = zarr.open_group(session.store, mode="a")
        present = dict(root.groups())
        added = [name for name in regions if name not in present]
        for name in regions.keys() - set(added):
            _require_same(present[name], name, regions[name], first_day, given.get(name, {}))
        if not added:
            return None
        start = min((_first_day(group) for group in present.values()), default=first_day)
        for name in added:
            schema.create_group(root, name, regions[name], start, given.get(name, {}))
        return f"add {', '.join(added)}", describe(root)

    return repository.commit(path, change)


def write(
    path: Path, batch: DayBatch, *, source_grid: Grid | None = None, now: dt.datetime | None = None
) -> str | None:
    """Commit what of `batch` the cube does not hold yet, and say in the message what changed.

    A preliminary day never replaces a final one, and a day that is there with the same hash, status, address
    and version is left alone. Days between the end of the axis and a new day are there as missing.

    Parameters
    ----------
    source_grid
        The grid of the files; the first one is noted in the cube.

    Returns
    -------
    str or None
        The new snapshot's id; None where nothing changed.

    Raises
    ------
    StoreError
        The cube lacks a region of the batch or the batch one of the cube's, shapes differ, or a day lies
        before the axis begins.
    DiskFullError
        There is no space; the cube is as it was.
    """
    at = (now or dt.datetime.now(dt.UTC)).timestamp()

    def change(session: icechunk.Session) -> tuple[str, dict[str, Any]] | None:
        root = zarr.open_group(session.store, mode="a")
        require_regions(root, batch)
        messages = [_write_region(root, region, batch, at) for region in sorted(batch.values)]
        said = [message for message in messages if message]
        if not said:
            return None
        if source_grid is not None:
            schema.write_source_grid(root, source_grid)
        return max(said, key=len), describe(root)

    return repository.commit(path, change)


def _require_same(
    group: zarr.Group, region: str, grid: Grid, first_day: dt.date, attributes: Mapping[str, Any]
) -> None:
    start = _first_day(group)
    changed = [key for key, value in attributes.items() if group.attrs.get(key) != value]
    if schema.grid_of(group) != grid or changed:
        what = ", ".join(f"{key} {group.attrs.get(key)!r}" for key in changed) or str(schema.grid_of(group))
        raise StoreError(
            f"region {region!r} is in the cube with {what}, and now something else is asked for",
            remedy="give the region or the experiment another name, or remove its cube",
            region=region,
        )
    if first_day < start:
        raise StoreError(
            f"the cube begins on {start}, after {first_day}",
            remedy="give the experiment another name, or remove its cube and ingest it whole",
            first_day=start.isoformat(),
        )


def _first_day(group: zarr.Group) -> dt.date:
    return dt.date.fromisoformat(str(group.attrs["first_day"]))


def require_regions(root: zarr.Group, batch: DayBatch) -> None:
    """Refuse a batch that is not of the cube's regions, in order, and of their shapes.

    Raises
    ------
    StoreError
        It is not.
    """
    present = {name for name, _ in root.groups()}
    if present != batch.values.keys():
        raise StoreError(
            f"the cube holds {sorted(present)} and was given {sorted(batch.values)}",
            remedy="write every region of a cube together",
        )
    if np.any(np.diff(batch.days) <= np.timedelta64(0, "D")) or (batch.status == Status.MISSING).any():
        raise StoreError("a batch holds its days in order, each once, and none of them missing")
    for region, values in batch.values.items():
        group = schema.region_group(root, region)
        expected = (len(batch.days), *schema.array(group, "sst").shape[1:])
        if values.shape != expected:
            raise StoreError(
                f"region {region!r}: values of shape {values.shape}, not {expected}", region=region
            )


def _write_region(root: zarr.Group, region: str, batch: DayBatch, at: float) -> str:
    group = schema.region_group(root, region)
    change = days.compare(group, region, batch)
    if change is None:
        return ""
    schema.upgrade(group)
    days.extend(group, change.length)
    revision = days.revised(group, batch.values[region], change)
    days.write_values(group, batch.values[region], change)
    days.write_columns(group, batch, change, at, revision)
    return days.told(batch, change.kinds)
