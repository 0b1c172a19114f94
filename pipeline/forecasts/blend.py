"""The blend of linear rungs: at each lead the best weighted sum of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.forecasts.damped_persistence import DampedPersistence
from pipeline.forecasts.eof_ridge import EofRidge
from pipeline.forecasts.rung import Rung

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.windows import Windows

BATCH = 512
MODES = (20,)
"""Few enough that the regression fits unseen days as well as its training days: the network learns from what
is left over on the training days, and would be misled by an overfit."""


class Blend(Rung):
    """Damped persistence and EOF-ridge, weighted at each lead by least squares on the training windows.

    Damped persistence knows each cell and EOF-ridge the basin; what both leave over is what a network is
    asked to learn.
    """

    name = "blend"

    def fit_anomalies(
        self, anomaly: NDArray[np.float32], windows: Windows, area: NDArray[np.float64]
    ) -> dict[str, NDArray[Any]]:
        """`weights` (lead_time, part) and `deviation` (lead_time,) beside the arrays of the two parts."""
        damped, ridge = DampedPersistence(), EofRidge(MODES)
        damped.arrays = damped.fit_anomalies(anomaly, windows, area)
        ridge.arrays = ridge.fit_anomalies(anomaly, windows, area)
        horizon = windows.spec.horizon
        gram, moment, power = np.zeros((horizon, 2, 2)), np.zeros((horizon, 2)), np.zeros(horizon)
        for first in range(0, len(windows), BATCH):
            init = windows.init[first : first + BATCH]
            past = anomaly[init[:, None] + np.arange(1 - windows.spec.history, 1)]
            truth = anomaly[init[:, None] + np.arange(1, horizon + 1)]
            parts = np.stack([part.predict_anomalies(past, past, past) for part in (damped, ridge)])
            weighted = parts * area.astype(np.float32)
            gram += np.einsum("pslc,qslc->lpq", weighted, parts, optimize=True)
            moment += np.einsum("pslc,slc->lp", weighted, truth, optimize=True)
            power += np.einsum("slc,slc,c->l", truth, truth, area, optimize=True)
        weights = np.linalg.solve(gram, moment[..., None])[..., 0]
        left_over = power - np.einsum("lp,lp->l", weights, moment)
        return {
            "weights": weights.astype(np.float32),
            "deviation": np.sqrt(left_over / (len(windows) * area.sum())).astype(np.float32),
            **damped.arrays,
            **ridge.arrays,
        }

    @property
    def deviation(self) -> NDArray[np.float32]:
        """Root mean square (lead_time,) of what the blend leaves over on the training windows, in the data's units."""
        return self.arrays["deviation"]

    def predict_anomalies(
        self, anomaly: NDArray[np.float32], now: NDArray[np.float32], valid: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The weighted sum of the two parts' anomalies."""
        damped, ridge = DampedPersistence(), EofRidge(MODES)
        damped.arrays = ridge.arrays = self.arrays
        weights = self.arrays["weights"][..., None]
        return np.asarray(
            weights[:, 0] * damped.predict_anomalies(anomaly, now, valid)
            + weights[:, 1] * ridge.predict_anomalies(anomaly, now, valid)
        )
