"""The metrics: errors through the `scores` library, anomaly correlation from its three moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.evaluation.base import Metric

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from pipeline.evaluation.base import Samples

# Asked for single cells: the weighted means of `scores` skip NaN, and here an unexpected NaN has to spread.
EACH = "all"


def squared_error(samples: Samples) -> xr.DataArray:
    """Square of forecast − truth, degree_Celsius²."""
    from scores.continuous import mse

    values: xr.DataArray = mse(samples.forecast, samples.truth, preserve_dims=EACH)
    return values


def absolute_error(samples: Samples) -> xr.DataArray:
    """Magnitude of forecast − truth, degree_Celsius."""
    from scores.continuous import mae

    values: xr.DataArray = mae(samples.forecast, samples.truth, preserve_dims=EACH)
    return values


def error(samples: Samples) -> xr.DataArray:
    """Forecast − truth, degree_Celsius."""
    from scores.continuous import additive_bias

    values: xr.DataArray = additive_bias(samples.forecast, samples.truth, preserve_dims=EACH)
    return values


def anomaly_product(samples: Samples) -> xr.DataArray:
    """Forecast anomaly × true anomaly, degree_Celsius²."""
    return (samples.forecast - samples.climatology) * (samples.truth - samples.climatology)


def forecast_variance(samples: Samples) -> xr.DataArray:
    """Square of the forecast anomaly, degree_Celsius²."""
    return (samples.forecast - samples.climatology) ** 2


def truth_variance(samples: Samples) -> xr.DataArray:
    """Square of the true anomaly, degree_Celsius²."""
    return (samples.truth - samples.climatology) ** 2


def _root(*means: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(means[0])


def _mean(*means: NDArray[np.float64]) -> NDArray[np.float64]:
    return means[0]


def _correlation(*means: NDArray[np.float64]) -> NDArray[np.float64]:
    product, forecast, truth = means
    norm = np.sqrt(forecast * truth)
    # A forecast without anomalies, such as climatology itself, correlates with nothing: NaN, not zero.
    return np.divide(product, norm, out=np.full_like(norm, np.nan), where=norm > 0)


rmse = Metric("Root mean square error", None, {"squared_error": squared_error}, _root)
mae = Metric("Mean absolute error", None, {"absolute_error": absolute_error}, _mean)
bias = Metric("Mean error, forecast minus truth", None, {"error": error}, _mean)
acc = Metric(
    "Anomaly correlation, uncentred",
    "1",
    {
        "anomaly_product": anomaly_product,
        "forecast_variance": forecast_variance,
        "truth_variance": truth_variance,
    },
    _correlation,
)
