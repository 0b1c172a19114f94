"""Statistics of every window over every area: what metrics and their intervals are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import GridError, WindowError
from pipeline.evaluation import METRICS
from pipeline.evaluation.base import Samples
from pipeline.evaluation.specs import WHOLE_AREA

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from numpy.typing import NDArray

    from pipeline.evaluation.base import Statistic
    from pipeline.types import Box

DIMS = ("init_time", "lead_time", "latitude", "longitude")
SEASONS: Mapping[str, tuple[int, ...]] = {
    "all": tuple(range(1, 13)),
    "DJF": (12, 1, 2),
    "MAM": (3, 4, 5),
    "JJA": (6, 7, 8),
    "SON": (9, 10, 11),
}
# Init times at once: for a month of windows of a 1° ocean basin the working set stays within tens of MB.
BLOCK = 32


@dataclass(frozen=True, slots=True)
class Sampled:
    """Averages over cells, of every window.

    Parameters
    ----------
    statistics
        Names, in the order of the arrays.
    areas
        Names, `all` first.
    windows
        float64 (forecaster, statistic, area, init_time, lead_time): area-weighted means over ocean cells.
    cells
        float64 (forecaster, statistic, lead_time, cell): means over init times, of each ocean cell.
    """

    statistics: tuple[str, ...]
    areas: tuple[str, ...]
    windows: NDArray[np.float64]
    cells: NDArray[np.float64]


def sample(
    forecasts: Mapping[str, xr.DataArray],
    truth: xr.DataArray,
    climatology: xr.DataArray,
    ocean: xr.DataArray,
    areas: Mapping[str, Box],
) -> Sampled:
    """Average every statistic of METRICS over the ocean cells of each area, for each window.

    Arguments are as for `evaluate`. An unexpected NaN in an ocean cell spreads to the mean of every area
    that holds the cell. Reads a month of windows at a time.

    Raises
    ------
    WindowError
        Forecasts, truth and climatology are not of the very same init and lead times.
    GridError
        They are not on the grid of `ocean`, or an area holds no ocean.
    """
    require_same_windows(forecasts, truth, climatology)
    require_same_grid({**forecasts, "truth": truth, "climatology": climatology}, ocean)
    wet = ocean.transpose("latitude", "longitude").values.astype(bool)
    weights = area_weights(ocean, areas)
    statistics = _statistics()
    length, leads = truth.sizes["init_time"], truth.sizes["lead_time"]
    windows = np.empty((len(forecasts), len(statistics), len(weights), length, leads))
    cells = np.zeros((len(forecasts), len(statistics), leads, int(wet.sum())))
    for start in range(0, length, BLOCK):
        here = slice(start, start + BLOCK)
        known = [_ocean_cells(one, wet, here) for one in (truth, climatology)]
        for row, forecast in enumerate(forecasts.values()):
            samples = Samples(_ocean_cells(forecast, wet, here), *known)
            for column, statistic in enumerate(statistics.values()):
                values = statistic(samples).values
                cells[row, column] += values.sum(axis=0)
                for layer, (inside, weight) in enumerate(weights.values()):
                    windows[row, column, layer, here] = values[..., inside] @ weight
    return Sampled(tuple(statistics), tuple(weights), windows, cells / length)


def area_weights(
    ocean: xr.DataArray, areas: Mapping[str, Box]
) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.float64]]]:
    """For `all` and each area: which ocean cells it holds (cell,), and their weights, which sum to one.

    A cell belongs to an area that holds its centre. Weights go with the cosine of latitude.
    """
    latitude, longitude = np.meshgrid(ocean.latitude.values, ocean.longitude.values, indexing="ij")
    wet = ocean.transpose("latitude", "longitude").values.astype(bool)
    latitude, longitude = latitude[wet], longitude[wet]
    inside = {WHOLE_AREA: np.ones(len(latitude), dtype=bool)}
    for name, box in areas.items():
        south, north = box.latitude
        eastwards = (longitude - box.longitude[0]) % 360
        inside[name] = (latitude >= south) & (latitude <= north) & (eastwards <= box.width)
    weights = {}
    for name, mine in inside.items():
        if not mine.any():
            raise GridError(
                f"area {name!r} holds no ocean cell of the region",
                remedy="move or widen the area, which must overlap the region's ocean",
                area=name,
            )
        weight = np.cos(np.radians(latitude[mine]))
        weights[name] = mine, weight / weight.sum()
    return weights


def season_members(
    init_time: NDArray[np.datetime64], lead_time: NDArray[np.timedelta64]
) -> NDArray[np.bool_]:
    """bool (season, init_time, lead_time): whether the valid time lies in each of SEASONS."""
    valid = init_time[:, None] + lead_time[None, :]
    month = valid.astype("datetime64[M]").astype(int) % 12 + 1
    return np.stack([np.isin(month, months) for months in SEASONS.values()])


def require_same_windows(
    forecasts: Mapping[str, xr.DataArray], truth: xr.DataArray, climatology: xr.DataArray
) -> None:
    """Refuse a comparison of forecasters that were not asked about the very same windows."""
    for name, array in {**forecasts, "climatology (known)": climatology}.items():
        for dim in ("init_time", "lead_time"):
            if not np.array_equal(array[dim].values, truth[dim].values):
                raise WindowError(
                    f"{name} and the truth differ in their {dim}: "
                    f"{_extent(array[dim])} against {_extent(truth[dim])}",
                    remedy="forecasters are compared on the very same windows; forecast the missing ones",
                    forecaster=name,
                    dim=dim,
                )


def require_same_grid(arrays: Mapping[str, xr.DataArray], ocean: xr.DataArray) -> None:
    """Refuse arrays of which the cells are not those of `ocean`."""
    for name, array in arrays.items():
        for dim in ("latitude", "longitude"):
            if not np.array_equal(array[dim].values, ocean[dim].values):
                raise GridError(
                    f"{name} and the ocean mask differ in their {dim}: "
                    f"{_extent(array[dim])} against {_extent(ocean[dim])}",
                    remedy="evaluate on one grid",
                    forecaster=name,
                    dim=dim,
                )


def _extent(coordinate: xr.DataArray) -> str:
    values = coordinate.values
    return f"{values[0]}…{values[-1]} ({len(values)})" if len(values) else "none"


def _statistics() -> dict[str, Statistic]:
    return {name: one for metric in METRICS.values() for name, one in metric.statistics.items()}


def _ocean_cells(array: xr.DataArray, wet: NDArray[np.bool_], here: slice) -> xr.DataArray:
    import xarray as xr

    values = array.isel(init_time=here).transpose(*DIMS).values[..., wet]
    return xr.DataArray(values.astype(np.float64), dims=("init_time", "lead_time", "cell"))
