"""EOF-ridge: a linear forecast in the space of the leading patterns of variability."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.forecasts.rung import Rung

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.windows import Windows

    Array = NDArray[np.float32]

MODES = (10, 20, 40, 80)
PENALTIES = (1e-4, 1e-2, 1.0)
LAGS = 3
SNAPSHOTS = 2500
"""Fields that the patterns are taken from, evenly spread: neighbouring days add next to nothing."""


class EofRidge(Rung):
    """Ridge regression of the leading principal components at each lead on those of the last three steps.

    A linear inverse model with lags (Penland & Sardeshmukh 1995, J. Climate 8, 1999–2024) and a penalty.
    At each lead the number of modes and the penalty are those that forecast the last fifth of the training
    windows best when fitted on the first four fifths; then all training windows are used.
    """

    name = "eof-ridge"

    def __init__(self, modes: tuple[int, ...] = MODES) -> None:
        self.modes = modes

    def fit_anomalies(
        self, anomaly: Array, windows: Windows, area: NDArray[np.float64]
    ) -> dict[str, NDArray[Any]]:
        """`patterns` (cell, mode), `root_area` (cell,), `coefficients` (lead_time, lag, mode, mode)."""
        root_area = np.asarray(np.sqrt(area), dtype=np.float32)
        covered = np.unique(windows.init[:, None] + np.arange(windows.spec.horizon + 1))
        patterns = _patterns(anomaly[covered] * root_area, max(self.modes))
        components = np.asarray((anomaly * root_area) @ patterns, dtype=np.float32)
        lags = min(LAGS, windows.spec.history)
        total = patterns.shape[1]
        coefficients = np.zeros((windows.spec.horizon, lags, total, total), np.float32)
        for lead, (modes, penalty) in enumerate(_choose(components, windows, lags, self.modes), start=1):
            kept = components[:, :modes]
            solved = _Ridge(kept, windows.init, lags).solve(penalty, kept[windows.init + lead])
            coefficients[lead - 1, :, :modes, :modes] = solved.reshape(lags, modes, modes)
        return {"patterns": patterns, "root_area": root_area, "coefficients": coefficients}

    def predict_anomalies(self, anomaly: Array, now: Array, valid: Array) -> Array:
        """The regression on the newest steps' components, back on the cells."""
        del now, valid
        patterns, coefficients = self.arrays["patterns"], self.arrays["coefficients"]
        lags = coefficients.shape[1]
        newest_first = anomaly[:, : -lags - 1 : -1] * self.arrays["root_area"]
        components = np.tensordot(newest_first @ patterns, coefficients, axes=([1, 2], [1, 2]))
        return np.asarray((components @ patterns.T) / self.arrays["root_area"], dtype=np.float32)


class _Ridge:
    """Penalised least squares on the components at `init` and the `lags` − 1 steps before."""

    def __init__(self, components: Array, init: NDArray[np.int64], lags: int) -> None:
        self.predictors = np.concatenate([components[init - lag] for lag in range(lags)], axis=1)
        self._gram = (self.predictors.T @ self.predictors).astype(np.float64)

    def solve(self, penalty: float, target: Array) -> Array:
        size = len(self._gram)
        penalised = self._gram + penalty * np.trace(self._gram) / size * np.eye(size)
        return np.asarray(np.linalg.solve(penalised, self.predictors.T @ target), dtype=np.float32)


def _patterns(fields: Array, count: int) -> Array:
    """The leading eigenvectors (cell, mode) of the covariance, from at most SNAPSHOTS fields."""
    fields = fields[:: -(-len(fields) // SNAPSHOTS)].astype(np.float64)
    count = min(count, *fields.shape)
    if fields.shape[1] <= fields.shape[0]:
        vectors = np.linalg.eigh(fields.T @ fields)[1][:, ::-1][:, :count]
    else:
        power, left = np.linalg.eigh(fields @ fields.T)
        vectors = fields.T @ left[:, ::-1][:, :count] / np.sqrt(power[::-1][:count])
    return np.asarray(vectors, dtype=np.float32)


def _choose(
    components: Array, windows: Windows, lags: int, candidates: tuple[int, ...]
) -> list[tuple[int, float]]:
    """At each lead, modes and penalty with the least error on the last fifth of the training windows."""
    cut = len(windows) * 4 // 5
    fitting = windows.init[: max(1, cut - windows.spec.length)]
    judging = windows.init[cut:]
    leads = range(1, windows.spec.horizon + 1)
    best = [(np.inf, 1, PENALTIES[0]) for _ in leads]
    for modes in sorted({min(modes, components.shape[1]) for modes in candidates}):
        kept = components[:, :modes]
        fitted, judged = _Ridge(kept, fitting, lags), _Ridge(kept, judging, lags)
        for penalty, lead in product(PENALTIES, leads):
            forecast = judged.predictors @ fitted.solve(penalty, kept[fitting + lead])
            truth = components[judging + lead]
            missed = np.sum((forecast - truth[:, :modes]) ** 2) + np.sum(truth[:, modes:] ** 2)
            best[lead - 1] = min(best[lead - 1], (float(missed), modes, penalty))
    return [(modes, penalty) for _, modes, penalty in best]
