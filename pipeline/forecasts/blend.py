"""The blend of linear rungs: at each lead the best weighted sum of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import WindowError
from pipeline.forecasts.damped_persistence import DampedPersistence
from pipeline.forecasts.eof_ridge import EofRidge
from pipeline.forecasts.rung import Rung
from pipeline.windows import Windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH = 512
JITTER = 1e-9
MODES = (20,)
"""Few enough that the regression fits unseen days as well as its training days: the network learns from what
is left over on the training days, and would be misled by an overfit."""


class Blend(Rung):
    """Damped persistence and EOF-ridge, weighted at each lead by how well they forecast unseen windows.

    Damped persistence knows each cell and EOF-ridge the basin; what both leave over is what a network is
    asked to learn. The weights are the least-squares ones on the last fifth of the training windows, of parts
    that were fitted on the first four fifths; then the parts are fitted on all.
    """

    name = "blend"

    def fit_anomalies(
        self, anomaly: NDArray[np.float32], windows: Windows, area: NDArray[np.float64]
    ) -> dict[str, NDArray[Any]]:
        """`weights` (lead_time, part) and `deviation` (lead_time,) beside the arrays of the two parts."""
        early, late = _fold(windows)
        weights, deviation = _weigh(_parts(anomaly, early, area), anomaly, late, area)
        damped, ridge = _parts(anomaly, windows, area)
        return {"weights": weights, "deviation": deviation, **damped.arrays, **ridge.arrays}

    @property
    def deviation(self) -> NDArray[np.float32]:
        """Root mean square (lead_time,) of what the blend left over on unseen windows, in the data's units."""
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


def _fold(windows: Windows) -> tuple[Windows, Windows]:
    """The first four fifths of the windows and the last, with a guard gap between them."""
    cut = len(windows) * 4 // 5
    early = cut - windows.spec.length
    if early < windows.spec.length:
        raise WindowError(
            f"{len(windows)} training windows are too few to fit the blend of baselines on",
            remedy=f"train on at least {3 * windows.spec.length} steps more, or shorten the windows",
            windows=len(windows),
        )
    return (
        Windows(windows.spec, windows.init[:early], windows.init_time[:early]),
        Windows(windows.spec, windows.init[cut:], windows.init_time[cut:]),
    )


def _parts(
    anomaly: NDArray[np.float32], windows: Windows, area: NDArray[np.float64]
) -> tuple[DampedPersistence, EofRidge]:
    damped, ridge = DampedPersistence(), EofRidge(MODES)
    damped.arrays = damped.fit_anomalies(anomaly, windows, area)
    ridge.arrays = ridge.fit_anomalies(anomaly, windows, area)
    return damped, ridge


def _weigh(
    parts: tuple[Rung, ...], anomaly: NDArray[np.float32], windows: Windows, area: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Least-squares weights (lead_time, part), none below zero, and what they leave over (lead_time,)."""
    from scipy.optimize import nnls

    horizon = windows.spec.horizon
    gram, moment = np.zeros((horizon, len(parts), len(parts))), np.zeros((horizon, len(parts)))
    power = np.zeros(horizon)
    for first in range(0, len(windows), BATCH):
        init = windows.init[first : first + BATCH]
        past = anomaly[init[:, None] + np.arange(1 - windows.spec.history, 1)]
        truth = anomaly[init[:, None] + np.arange(1, horizon + 1)]
        forecasts = np.stack([part.predict_anomalies(past, past, past) for part in parts])
        weighted = forecasts * area.astype(np.float32)
        gram += np.einsum("pslc,qslc->lpq", weighted, forecasts, optimize=True)
        moment += np.einsum("pslc,slc->lp", weighted, truth, optimize=True)
        power += np.einsum("slc,slc,c->l", truth, truth, area, optimize=True)
    # Two parts may be one and the same, as in a sea of a single cell.
    gram += JITTER * np.trace(gram, axis1=1, axis2=2)[:, None, None] * np.eye(len(parts))
    roots = np.linalg.cholesky(gram).transpose(0, 2, 1)
    weights = np.stack(
        [nnls(root, np.linalg.solve(root.T, one))[0] for root, one in zip(roots, moment, strict=True)]
    )
    left_over = (
        power - 2 * np.sum(weights * moment, axis=1) + np.einsum("lp,lpq,lq->l", weights, gram, weights)
    )
    deviation = np.sqrt(left_over / (len(windows) * area.sum()))
    return weights.astype(np.float32), deviation.astype(np.float32)
