"""The forecast archive of an experiment: every forecast by region, forecaster and init time, versioned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

from pipeline.errors import NotFoundError, StoreError
from pipeline.forecasts import layout
from pipeline.store import repository

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    import icechunk
    import xarray as xr
    from numpy.typing import NDArray


ROUNDING = 1e-5
"""Of the largest value: a network rounds otherwise when it forecasts one window than when it forecasts many."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where forecasts come from.

    Parameters
    ----------
    cube_snapshot
        The snapshot of the cube from which the histories were read.
    issued_at
        When the forecasts were made, with a time zone.
    model_ids
        Which trained model or fitted baseline made the forecasts, by forecaster.
    """

    cube_snapshot: str
    issued_at: dt.datetime
    model_ids: Mapping[str, str]


def write(
    path: Path, forecasts: Mapping[str, xr.Dataset], *, region: str, message: str, provenance: Provenance
) -> str:
    """Put forecasts into the archive at `path` in one commit, and make the archive if there is none.

    An init time that is new takes its place in the order; one that is there with other values or from another
    model is replaced; one that is there already is left alone, and keeps the cube snapshot that it was made from.

    Parameters
    ----------
    forecasts
        By forecaster, each with one variable (init_time, lead_time, latitude, longitude) with
        `standard_name`, `long_name` and `units`, NaN on land, and where it is known the coordinate `input_status`
        (init_time), as `stamps` gives it.

    Returns
    -------
    str
        The snapshot that holds the forecasts: a new one, or the newest where nothing changed.

    Raises
    ------
    StoreError
        The archive has this region on another grid or with other leads, or init times are not in order.
    WorkspaceError
        A newer Isotherm wrote the archive.
    DiskFullError
        There is no space; the archive is as it was.
    """
    fields = {name: _require_shape(name, dataset) for name, dataset in forecasts.items()}
    with repository.writing(path):
        if not repository.exists(path):
            repository.create(path, splits={"init_time": layout.MANIFEST_CHUNKS})

    def change(session: icechunk.Session) -> tuple[str, dict[str, Any]] | None:
        root = zarr.open_group(session.store, mode="a")
        changed = [_upsert(root, region, name, field, provenance) for name, field in fields.items()]
        return (message, {"region": region, "init_times": max(changed)}) if any(changed) else None

    committed = repository.commit(path, change)
    return committed or str(repository.head(repository.open_repository(path)).id)


def read(path: Path, region: str, forecaster: str, *, snapshot: str | None = None) -> xr.Dataset:
    """Lazily the forecasts of `forecaster`, as of `snapshot` or the newest commit.

    Returns
    -------
    Dataset with the variable (init_time, lead_time, latitude, longitude), float32 (see `field_of`), and the
    coordinates `model_id`, `cube_snapshot`, `input_status` and `issued_at` (init_time).

    Raises
    ------
    NotFoundError
        There is no such archive, snapshot, region or forecaster.
    WorkspaceError
        A newer Isotherm wrote the archive.
    """
    import xarray as xr

    session = _session(path, snapshot)
    group = f"{region}/{forecaster}"
    with repository.translated(path):
        if group not in repository.read_root(session):
            known = ", ".join(forecasters(path, region, snapshot=snapshot)) or "none"
            raise NotFoundError(
                f"the archive has no forecasts of {forecaster!r} for region {region!r}; it has {known}",
                remedy="forecast with it first",
                region=region,
                forecaster=forecaster,
            )
        dataset: xr.Dataset = xr.open_zarr(session.store, group=group, consolidated=False, chunks=None)
    return dataset.assign_attrs(snapshot=session.snapshot_id)


def forecasters(path: Path, region: str, *, snapshot: str | None = None) -> tuple[str, ...]:
    """The forecasters that have forecasts of `region`, sorted; none where the region has none.

    Raises
    ------
    NotFoundError, WorkspaceError
        As for `read`.
    """
    session = _session(path, snapshot)
    with repository.translated(path):
        root = repository.read_root(session)
        if region not in root:
            return ()
        group = root[region]
        assert isinstance(group, zarr.Group)
        return tuple(sorted(name for name, _ in group.groups()))


def issued_from(path: Path, region: str, init_time: np.datetime64) -> dict[str, tuple[str, str]]:
    """By forecaster, the model id and the cube's snapshot of the forecast from `init_time`, where there is one."""
    if not repository.exists(path):
        return {}
    found = {}
    session = _session(path, None)
    with repository.translated(path):
        root = repository.read_root(session)
        if region not in root:
            return {}
        wanted = layout.seconds(np.array([init_time]))[0]
        for name, group in root.require_group(region).groups():
            held = dict(group.arrays())
            at = np.flatnonzero(np.asarray(held["init_time"][:]) == wanted)
            if len(at):
                model_id, snapshot = (str(held[each][int(at[0])]) for each in layout.PROVENANCE)
                found[name] = model_id, snapshot
    return found


def newest(path: Path, region: str, forecaster: str) -> tuple[str, str] | None:
    """Init time and time of issue of the newest forecast, as ISO texts in minutes; None where there is none."""
    if not repository.exists(path):
        return None
    session = _session(path, None)
    with repository.translated(path):
        root = repository.read_root(session)
        if f"{region}/{forecaster}" not in root:
            return None
        group = layout.arrays(root, f"{region}/{forecaster}")
        if not group["init_time"].shape[0]:
            return None
        last = [np.asarray(group[name][-1:]) for name in ("init_time", "issued_at")]
    init, issued = (str(each.astype("datetime64[s]").astype("datetime64[m]")[0]) for each in last)
    return init, issued


def field_of(dataset: xr.Dataset) -> xr.DataArray:
    """The variable that is forecast, the one on init_time and lead_time."""
    return next(each for each in dataset.data_vars.values() if {"init_time", "lead_time"} <= {*each.dims})


def valid_time(dataset: xr.Dataset) -> xr.DataArray:
    """init_time + lead_time: datetime64[ns] (init_time, lead_time), with CF attributes."""
    valid: xr.DataArray = dataset.init_time + dataset.lead_time
    return valid.assign_attrs(standard_name="time", long_name="time for which the forecast is made")


def _session(path: Path, snapshot: str | None) -> icechunk.Session:
    if not repository.exists(path):
        raise NotFoundError(
            f"there is no forecast archive at {path}", remedy="run `isotherm forecast` first", path=str(path)
        )
    return repository.read_session(path, snapshot)


def _require_shape(name: str, dataset: xr.Dataset) -> xr.DataArray:
    field = field_of(dataset).transpose("init_time", "lead_time", "latitude", "longitude")
    init = field.init_time.values
    if not len(init) or np.any(np.diff(init) <= np.timedelta64(0)):
        raise StoreError(f"forecasts of {name!r} need init times in order, each once", forecaster=name)
    return field


def _upsert(
    root: zarr.Group, region: str, forecaster: str, field: xr.DataArray, provenance: Provenance
) -> int:
    """Write what differs; the number of init times that do."""
    name = f"{region}/{forecaster}"
    if name not in root:
        layout.create(root, name, field)
    layout.upgrade(root.require_group(name))
    group = layout.arrays(root, name)
    layout.require_same_axes(group, name, field)
    held = np.asarray(group["init_time"][:])
    given = layout.seconds(field.init_time.values)
    source = dict(
        zip(layout.PROVENANCE, (provenance.model_ids[forecaster], provenance.cube_snapshot), strict=True)
    )
    fresh = np.flatnonzero(~_is_held(group, held, given, field, provenance.model_ids[forecaster]))
    if not len(fresh):
        return 0
    layout.rechunk(root.require_group(name), str(field.name))
    group = layout.arrays(root, name)
    merged = np.union1d(held, given[fresh])
    _make_room(group, str(field.name), held, merged)
    place = np.searchsorted(merged, given[fresh])
    issued = int(provenance.issued_at.timestamp())
    stamps = field[layout.STAMP].values if layout.STAMP in field.coords else np.full(len(given), "", object)
    group["init_time"][:] = merged
    for run in _runs(place):
        span = slice(int(place[run[0]]), int(place[run[-1]]) + 1)
        group[str(field.name)][span] = field.isel(init_time=fresh[run]).values.astype(np.float32)
        group["issued_at"][span] = issued
        group[layout.STAMP][span] = stamps[fresh[run]]
        for key, value in source.items():
            group[key][span] = np.array([value] * len(run), dtype=object)
    return len(fresh)


def _is_held(
    group: layout.Arrays,
    held: NDArray[np.int64],
    given: NDArray[np.int64],
    field: xr.DataArray,
    model_id: str,
) -> NDArray[np.bool_]:
    """bool (init_time,): the group has the same values of the same model, but for ROUNDING.

    The cube's snapshot may be another: a forecast that a new day does not change is not written again every day.
    """
    known = np.isin(given, held)
    place = np.searchsorted(held, given[known])
    same = np.asarray(group["model_id"][:])[place] == model_id
    candidates = np.flatnonzero(known)[same]
    for start in range(0, len(candidates), layout.MOST_INIT_TIMES):
        some = candidates[start : start + layout.MOST_INIT_TIMES]
        stored = np.asarray(group[str(field.name)].oindex[np.searchsorted(held, given[some])])
        asked = field.isel(init_time=some).values.astype(np.float32)
        atol = ROUNDING * float(np.nanmax(np.abs(asked), initial=0.0))
        known[some] = np.isclose(stored, asked, rtol=0, atol=atol, equal_nan=True).all(axis=(1, 2, 3))
    known[np.setdiff1d(np.flatnonzero(known), candidates)] = False
    return known


def _make_room(
    group: layout.Arrays, variable: str, held: NDArray[np.int64], merged: NDArray[np.int64]
) -> None:
    """Grow the axis to `merged`, and move what lies behind the first insertion."""
    place = np.searchsorted(merged, held)
    behind = np.flatnonzero(place != np.arange(len(held)))
    names = (variable, "issued_at", layout.STAMP, *layout.PROVENANCE)
    first = int(behind[0]) if len(behind) else len(held)
    moved = {name: np.asarray(group[name][first:]) for name in names} if len(behind) else {}
    for name in (*names, "init_time"):
        group[name].resize((len(merged), *group[name].shape[1:]))
    for name, values in moved.items():
        for run in _runs(place[first:]):
            at = place[first:][run]
            group[name][int(at[0]) : int(at[-1]) + 1] = values[run]


def _runs(place: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Positions in `place`, cut where it does not go up by one."""
    cuts = np.flatnonzero(np.diff(place) != 1) + 1
    return [run for run in np.split(np.arange(len(place)), cuts) if len(run)]
