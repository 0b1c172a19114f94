"""Damped anomaly persistence: today's anomaly, fading as it has always faded here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.forecasts.rung import Rung

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.windows import Windows


class DampedPersistence(Rung):
    """Each cell's newest anomaly times its own lag regression coefficient at each lead.

    The standard benchmark of SST prediction; see Van den Dool (2007), Empirical Methods in Short-Term Climate
    Prediction, chapter 8.
    """

    name = "damped-persistence"

    def fit_anomalies(
        self, anomaly: NDArray[np.float32], windows: Windows, area: NDArray[np.float64]
    ) -> dict[str, NDArray[Any]]:
        """`damping` (lead_time, cell): the least-squares slope through the origin; zero where nothing varies."""
        del area
        now = anomaly[windows.init]
        power = np.einsum("sc,sc->c", now, now)
        slopes = np.zeros((windows.spec.horizon, now.shape[1]), np.float32)
        for lead, slope in enumerate(slopes, start=1):
            together = np.einsum("sc,sc->c", now, anomaly[windows.init + lead])
            np.divide(together, power, out=slope, where=power != 0)
        return {"damping": slopes}

    def predict_anomalies(
        self, anomaly: NDArray[np.float32], now: NDArray[np.float32], valid: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The newest anomaly, damped."""
        del now, valid
        return anomaly[:, -1, None] * self.arrays["damping"]
