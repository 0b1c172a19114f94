"""Persistence: tomorrow is as today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.forecasts.rung import Rung

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.windows import Windows


class Persistence(Rung):
    """The newest field at every lead."""

    name = "persistence"

    def fit_anomalies(
        self, anomaly: NDArray[np.float32], windows: Windows, area: NDArray[np.float64]
    ) -> dict[str, NDArray[Any]]:
        """Nothing to fit."""
        del anomaly, windows, area
        return {}

    def predict_anomalies(
        self, anomaly: NDArray[np.float32], now: NDArray[np.float32], valid: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The newest value, as an anomaly at the lead's own time of year."""
        return (anomaly[:, -1] + now)[:, None] - valid
