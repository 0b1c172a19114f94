"""Climatology as a forecast: the usual value of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.forecasts.rung import Rung

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.windows import Windows


class Climatological(Rung):
    """The climatology of `valid_time`, whatever the newest field is."""

    name = "climatology"

    def fit_anomalies(
        self, anomaly: NDArray[np.float32], windows: Windows, area: NDArray[np.float64]
    ) -> dict[str, NDArray[Any]]:
        """Nothing to fit beyond the climatology itself."""
        del anomaly, windows, area
        return {}

    def predict_anomalies(
        self, anomaly: NDArray[np.float32], now: NDArray[np.float32], valid: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """No anomaly at all."""
        del anomaly, now
        return np.zeros_like(valid)
