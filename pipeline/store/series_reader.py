"""Reading a station, pinned by snapshot: as xarray, or as forecasters see it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ConfigError
from pipeline.forecasts.series import SeriesRecord
from pipeline.naming import unknown
from pipeline.quality.series import STEP
from pipeline.sources.jena_columns import COMMON_VARIABLES
from pipeline.store import repository, schema
from pipeline.store import series_schema as layout
from pipeline.store.series_derived import (
    DIRECTION,
    SPEED_OF,
    TIME_FEATURES,
    WIND,
    component,
    in_components,
    time_cycles,
)
from pipeline.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import xarray as xr
    import zarr
    from numpy.typing import NDArray

    from pipeline.types import Protocol

_ORDER = {name: place for place, name in enumerate(COMMON_VARIABLES)}


def open_series(
    path: Path,
    station: str,
    *,
    snapshot: str | None = None,
    hourly: bool = False,
    wind_components: bool = False,
    chunks: dict[str, Any] | None = None,
) -> xr.Dataset:
    """The clean series of `station`: every variable over `time`, with status and file of each step.

    Parameters
    ----------
    snapshot
        Of which commit; the newest where None. The id is the attribute `snapshot` of what comes back.
    hourly
        The samples at the full hours alone: what a window that takes every sixth step sees, and no mean.
    wind_components
        Whether the eastward and northward components of wind and gust come with the rest.
    chunks
        Dask chunks; {} takes the stored ones, None reads without Dask when values are asked for.

    Raises
    ------
    NotFoundError
        There is no store, or no such snapshot.
    StoreError
        The store has no such station.
    """
    import xarray as xr

    session = repository.read_session(path, snapshot)
    with repository.translated(path):
        held = layout.quantities_of(layout.series_group(repository.read_root(session), station))
    data: xr.Dataset = xr.open_zarr(session.store, group=station, consolidated=False, chunks=chunks)
    ordered = sorted(held, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))
    data = data[ordered]
    if hourly:
        time = data.time.values.astype("datetime64[s]")
        data = data.isel(time=np.flatnonzero(time == time.astype("datetime64[h]")))
        data = data.assign_attrs(time_step="PT1H")
    for name in _derivable(held) if wind_components else ():
        columns = {each: data[each].values for each in (SPEED_OF[name], DIRECTION)}
        about = {key: value for key, value in asdict(WIND[name]).items() if key != "name" and value}
        data[name] = (("time",), component(name, columns), about)
    # JSON has one type of integer; CF wants that of the variable.
    data.status.attrs["flag_values"] = np.array(data.status.attrs["flag_values"], np.int8)
    return data.assign_attrs(snapshot=session.snapshot_id)


def read_series(
    path: Path,
    station: str,
    *,
    target: str,
    variables: Sequence[str] = (),
    protocol: Protocol = "clean",
    wind_components: bool = True,
    time_features: bool = False,
    snapshot: str | None = None,
    final_only: bool = False,
) -> SeriesRecord:
    """The whole record of `station`, as forecasters see it.

    Under the protocol `clean` its axis has every step from the first to the last, NaN where a value is missing;
    under `as-published` it has the rows as they stand in the files, repeated stamps and sentinels with them, taken
    as contiguous: its times are the first stamp and one step more a row, whatever the stamps say.

    Parameters
    ----------
    target
        Which variable is forecast: one of those read.
    variables
        What is read, in this order; those that every file of the station has where empty. Eastward and northward
        components of the wind can be named as those of the store can.
    wind_components
        Whether the components take the place of speed, gust and direction where `variables` is empty; never of the
        rows as published.
    time_features
        Whether sine and cosine of the hour of the day and of the time of the year follow as further variables.
    final_only
        Whether preliminary steps are left out, as steps without values; of the protocol `clean` alone.

    Raises
    ------
    ConfigError
        A variable does not exist, with the nearest name, the target is not among those read, or `time_features` is
        asked of the rows as published, whose times are nominal.
    NotFoundError
        There is no store, or no such snapshot.
    StoreError
        The store has no such station.
    """
    clean = protocol == "clean"
    if time_features and not clean:
        raise ConfigError(
            "time features are of the protocol 'clean': the rows as published are counted, not timed",
            remedy='leave out time_features, or set protocol = "clean"',
        )
    names = tuple(variables) or (
        in_components(COMMON_VARIABLES) if clean and wind_components else COMMON_VARIABLES
    )
    session = repository.read_session(path, snapshot)
    with repository.translated(path):
        group = layout.series_group(repository.read_root(session), station)
        held = layout.quantities_of(group)
        _require(names, target, [*held, *_derivable(held)] if clean else list(held), station)
        source = group if clean else layout.subgroup(group, layout.ROWS)
        time = layout.times_of(source)
        if not clean:
            time = time[0] + np.arange(len(time)) * STEP
        values = _values(source, names)
        if final_only and clean:
            values[np.asarray(schema.array(group, "status")[:]) != Status.FINAL] = np.nan
        latitude, longitude = (
            np.asarray(schema.array(group, name)[...], np.float64).reshape(1)
            for name in ("latitude", "longitude")
        )
    quantities = [(held | WIND)[name] for name in names]
    if time_features:
        values = np.concatenate([values, time_cycles(time)], axis=1)
        quantities += TIME_FEATURES
    axis = time.astype("datetime64[ns]")
    return SeriesRecord(values, axis, tuple(quantities), target, latitude, longitude, protocol)


def _derivable(held: Iterable[str]) -> list[str]:
    names = set(held)
    return [name for name, speed in SPEED_OF.items() if {speed, DIRECTION} <= names]


def _require(names: Sequence[str], target: str, known: Sequence[str], station: str) -> None:
    for name in names:
        if name not in known:
            raise unknown("variable", name, known, ConfigError, where=station)
    if target not in known:
        raise unknown("target", target, known, ConfigError, where=station)
    if target not in names:
        raise ConfigError(
            f"the target {target!r} is not among the variables that are read: {', '.join(names)}",
            remedy="add it to `variables`" + ("" if target in WIND else ", or set wind_components = false"),
            target=target,
        )


def _values(group: zarr.Group, names: Sequence[str]) -> NDArray[np.float32]:
    """float32 (time, variable), components derived."""
    stored = [name for name in names if name not in SPEED_OF]
    if len(stored) == len(names):
        return layout.read_columns(group, names)
    needed = sorted({SPEED_OF[name] for name in names if name in SPEED_OF} | {DIRECTION})
    columns = dict(zip(needed, layout.read_columns(group, needed).T, strict=True))
    values = np.empty((layout.len_of(group), len(names)), np.float32)
    values[:, [names.index(name) for name in stored]] = layout.read_columns(group, stored)
    for name in names:
        if name in SPEED_OF:
            values[:, names.index(name)] = component(name, columns)
    return values
