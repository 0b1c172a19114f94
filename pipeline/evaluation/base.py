"""The seam of a metric: statistics of single cells that are averaged first, and a `finish` on their means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import xarray as xr
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Samples:
    """Some windows of one forecaster: ocean cells (init_time, lead_time, cell), degree_Celsius."""

    forecast: xr.DataArray
    truth: xr.DataArray
    climatology: xr.DataArray


class Statistic(Protocol):
    """What is averaged over cells and windows; a function without state, NaN where an argument is NaN."""

    def __call__(self, samples: Samples) -> xr.DataArray:
        """Values of the samples' own shape."""
        ...


class Finish(Protocol):
    """What turns means into the metric, elementwise."""

    def __call__(self, *means: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take one array for each statistic, in their order, all of one shape; give that shape back."""
        ...


@dataclass(frozen=True, slots=True)
class Metric:
    """What every entry of METRICS is.

    Parameters
    ----------
    long_name
        As it labels an axis.
    units
        In CF's spelling; `1` where there are none, None where they are those of what is forecast.
    statistics
        By name. Metrics that share a statistic name it alike, and it is computed once.
    finish
        From the means of the statistics to the metric. Only means are averaged, so that chunks combine.
    """

    long_name: str
    units: str | None
    statistics: Mapping[str, Statistic]
    finish: Finish
