"""What a station's part of the report takes from its record and from its forecasts: a few lines of few points."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import xarray as xr

from pipeline.reports.inputs import SplitStatistics, StationInputs
from pipeline.reports.leads import Leads
from pipeline.splits import SplitName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipeline.forecasts.base import AnyRecord
    from pipeline.partition import Partition
    from pipeline.windows import Windows

    Floats = NDArray[np.float64]

MOST_POINTS = 2000
"""Of a line."""
BEFORE = np.timedelta64(3, "D")
RECENT = np.timedelta64(5, "D")
AHEAD = np.timedelta64(21, "D")
WEEKS = np.timedelta64(14, "D")
_DAY = np.timedelta64(1, "D")


def station_inputs(
    parted: Partition,
    forecasts: Mapping[str, xr.DataArray],
    tested: Windows,
    shown: Windows,
    newest: xr.Dataset,
) -> StationInputs:
    """The lines of a station and the statistics of its splits.

    Parameters
    ----------
    parted
        The record with its splits.
    forecasts
        `model` and `best_rung`, lazily, at all test windows.
    tested, shown
        The test windows that were scored, and those of the examples.
    newest
        The newest forecast.
    """
    record = parted.record
    target = record.target_values[:, 0, 0].astype(np.float64)
    spacing = tested.spec.sampling * parted.step
    return StationInputs(
        quantity=record.quantity,
        protocol=record.protocol,
        observed=_around(record, target, shown, int(BEFORE // spacing)),
        ahead=_ahead(target, forecasts, tested),
        recent=_recent(record, target, newest.init_time.values[-1], tested.spec.sampling),
        daily=daily_means(target, record.time),
        weeks=_newest(record, target, tested.spec.sampling),
        statistics=split_statistics(parted),
    )


def split_statistics(parted: Partition) -> tuple[SplitStatistics, ...]:
    """Mean and standard deviation of the target on each split, before and after scaling."""
    record = parted.record
    target = record.target_values[:, 0, 0].astype(np.float64)
    held = {name: _held(target[parted.inside(name)]) for name in get_args(SplitName)}
    centre, width = float(held["train"].mean()), float(held["train"].std())
    found = []
    for name, values in held.items():
        inside = np.flatnonzero(parted.inside(name))
        scaled = (values - centre) / width if width else values - centre
        found.append(
            SplitStatistics(
                name=name,
                start=record.time[inside[0]],
                end=record.time[inside[-1]],
                count=len(values),
                missing=len(inside) - len(values),
                mean=float(values.mean()),
                deviation=float(values.std()),
                scaled_mean=float(scaled.mean()),
                scaled_deviation=float(scaled.std()),
            )
        )
    return tuple(found)


def daily_means(target: Floats, time: NDArray[np.datetime64], most: int = MOST_POINTS) -> xr.DataArray:
    """Means (time,) of days, or of as many days each as leaves `most` of them; at the first day of each.

    NaN where fewer than half of the steps have a value.
    """
    day = time.astype("datetime64[D]")
    days = int((day[-1] - day[0]) // _DAY) + 1
    many = -(-days // most)
    part = ((day - day[0]) // (many * _DAY)).astype(int)
    length = -(-days // many)
    known = np.isfinite(target)
    steps = np.bincount(part, minlength=length)
    count = np.bincount(part, weights=known, minlength=length)
    total = np.bincount(part, weights=np.where(known, target, 0.0), minlength=length)
    enough = (count > 0) & (2 * count >= steps)
    means = np.divide(total, count, out=np.full(length, np.nan), where=enough)
    start = (day[0] + np.arange(length) * many * _DAY).astype("datetime64[ns]")
    return xr.DataArray(means, dims="time", coords={"time": start})


def _held(values: Floats) -> Floats:
    """The values that are there; gaps of a clean record are NaN."""
    return values[np.isfinite(values)]


def _around(record: AnyRecord, target: Floats, windows: Windows, back: int) -> xr.DataArray:
    """(init_time, offset): the samples from `back` of them before each init time to the last lead."""
    step = record.time[1] - record.time[0]
    offset = np.arange(-back, windows.spec.horizon + 1) * windows.spec.sampling
    at = windows.init[:, None] + offset
    values = np.where((at >= 0) & (at < len(target)), target[np.clip(at, 0, len(target) - 1)], np.nan)
    return xr.DataArray(
        values,
        dims=("init_time", "offset"),
        coords={"init_time": windows.init_time, "offset": (offset * step).astype("timedelta64[ns]")},
    )


def _ahead(target: Floats, forecasts: Mapping[str, xr.DataArray], tested: Windows) -> xr.Dataset:
    """Forecasts at the headline lead and the truth, of the weeks in the middle of the test windows."""
    middle = tested.init_time[len(tested) // 2]
    near = np.flatnonzero(np.abs(tested.init_time - middle) <= AHEAD // 2)
    near = near[:: -(-len(near) // MOST_POINTS)]
    leads = Leads.of(next(iter(forecasts.values())))
    at = tested.init[near] + tested.spec.ahead[leads.headline]
    held = {
        name: each.isel(lead_time=leads.headline)
        .sel(init_time=tested.init_time[near])
        .transpose("init_time", "latitude", "longitude")
        .values[:, 0, 0]
        for name, each in forecasts.items()
    }
    found = xr.Dataset(
        {
            name: ("time", values.astype(np.float64))
            for name, values in (held | {"truth": target[at]}).items()
        },
        {"time": tested.init_time[near] + leads.step(leads.headline)},
    )
    if len(near) < 2:
        return found
    # A line breaks where a time has no value, so that every time needs its place on the axis.
    time = found.time.values
    return found.reindex(time=np.arange(time[0], time[-1] + 1, np.diff(time).min()))


def _recent(record: AnyRecord, target: Floats, init: np.datetime64, sampling: int) -> xr.DataArray:
    """The days up to `init`, sample by sample."""
    last = int(np.searchsorted(record.time, init))
    at = np.arange(last % sampling, min(last + 1, len(target)), sampling)
    at = at[record.time[at] >= init - RECENT]
    return xr.DataArray(target[at], dims="time", coords={"time": record.time[at]})


def _newest(record: AnyRecord, target: Floats, sampling: int) -> xr.DataArray:
    """The newest weeks of the record, sample by sample."""
    at = np.flatnonzero(record.time > record.time[-1] - WEEKS)[::sampling]
    at = at[:: -(-len(at) // MOST_POINTS)]
    return xr.DataArray(target[at], dims="time", coords={"time": record.time[at]})
