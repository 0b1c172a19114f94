"""The linear forecast: ridge regression of the change at each lead on the whole history of all variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import WindowError
from pipeline.forecasts.station_rung import StationRung
from pipeline.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.forecasts.series import SeriesRecord

    Double = NDArray[np.float64]

PENALTIES = (1e-10, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""Parts of the trace of the predictors' covariance."""
FOLDS = 8
MOST_WINDOWS = 40_000
"""Windows that it is fitted on, evenly spread: neighbours a few minutes apart add next to nothing."""
BATCH = 1024


class Linear(StationRung):
    """Ridge regression of the target's change since the last value.

    The predictors are, of every variable, the departures of the history from its last value, which mean the same
    in every season, and the last value itself. At each lead, the penalty and whether the last values take part
    are those that forecast eighths of the training windows best when fitted on the other eighths, a guard gap kept
    between them (blocked cross-validation: Bergmeir & Benítez 2012, Information Sciences 191, 192–213); then all
    training windows are used.
    """

    name = "linear"

    def fit_windows(self, record: SeriesRecord, windows: Windows) -> dict[str, NDArray[Any]]:
        """`mean` and `deviation` (2, variable), `coefficients` (predictor, lead_time), `intercept` (lead_time,).

        Raises
        ------
        WindowError
            The training windows are too few to be parted into eighths.
        """
        windows = windows.thinned(-(-len(windows) // MOST_WINDOWS))
        self.arrays = _scaling(record, windows)
        folds, guards = _folds(windows)
        parts = [self._moments(record, windows, where) for where in folds]
        between = [self._moments(record, windows, where) for where in guards]
        whole = sum([*parts, *between[1:]], between[0]) if between else sum(parts[1:], parts[0])
        sizes = self._sizes()
        chosen = _choose(parts, sizes)
        coefficients = np.zeros((sizes[-1], len(self._spec.leads)))
        for size, penalty in {*chosen}:
            leads = [lead for lead, each in enumerate(chosen) if each == (size, penalty)]
            coefficients[:size, leads] = whole.solve(size, penalty)[:, leads]
        intercept = (whole.change - whole.predictors @ coefficients) / whole.count
        return self.arrays | {
            "coefficients": coefficients.astype(np.float32),
            "intercept": intercept.astype(np.float32),
        }

    def predict_target(self, history: NDArray[np.float32]) -> NDArray[np.float32]:
        """The last value and the change that the regression expects (sample, lead_time)."""
        change = np.empty((len(history), len(self._spec.leads)), np.float32)
        for first in range(0, len(history), BATCH):
            some = slice(first, first + BATCH)
            change[some] = self._predictors(history[some]) @ self.arrays["coefficients"]
        return history[:, -1:, self._target] + change + self.arrays["intercept"]

    def _sizes(self) -> tuple[int, ...]:
        """How many predictors there are without the last values, where there are any, and with them."""
        variables = len(self._variables)
        departures = (self._spec.history - 1) * variables
        return (departures, departures + variables) if departures else (variables,)

    def _predictors(self, history: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (sample, predictor): the standardised departures from the last values, then these."""
        mean, deviation = self.arrays["mean"], self.arrays["deviation"]
        departures = (history[:, :-1] - history[:, -1:] - mean[0]) / deviation[0]
        last = (history[:, -1] - mean[1]) / deviation[1]
        return np.concatenate([departures.reshape(len(history), -1), last], axis=1)

    def _moments(self, record: SeriesRecord, windows: Windows, where: slice) -> _Moments:
        """The sums over the windows at `where`, batch by batch."""
        size, leads = self._sizes()[-1], len(self._spec.leads)
        sums = _Moments(
            0,
            np.zeros(size),
            np.zeros(leads),
            np.zeros(leads),
            np.zeros((size, size)),
            np.zeros((size, leads)),
        )
        for some in _batches(windows, where):
            history = record.history(some)
            predictors = self._predictors(history).astype(np.float64)
            truth = record.truth(some)[..., 0, 0].astype(np.float64)
            sums.add(predictors, truth - history[:, -1:, self._target])
        return sums


@dataclass
class _Moments:
    """The sums that least squares needs, of predictors (sample, predictor) and changes (sample, lead_time)."""

    count: int
    predictors: Double
    change: Double
    power: Double
    gram: Double
    moment: Double

    def add(self, predictors: Double, change: Double) -> None:
        self.count += len(predictors)
        self.predictors += predictors.sum(axis=0)
        self.change += change.sum(axis=0)
        self.power += np.sum(change**2, axis=0)
        self.gram += predictors.T @ predictors
        self.moment += predictors.T @ change

    def __add__(self, other: _Moments) -> _Moments:
        return _Moments(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def __sub__(self, other: _Moments) -> _Moments:
        return _Moments(*(a - b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def centred(self, size: int) -> tuple[Double, Double]:
        """Covariance (predictor, predictor) and covariance with the change, of the first `size` predictors."""
        mean = self.predictors[:size] / self.count
        gram = self.gram[:size, :size] / self.count - np.outer(mean, mean)
        return gram, self.moment[:size] / self.count - np.outer(mean, self.change / self.count)

    def solve(self, size: int, penalty: float) -> Double:
        """Coefficients (predictor, lead_time) of the first `size` predictors."""
        from scipy.linalg import cho_factor, cho_solve

        gram, moment = self.centred(size)
        gram[np.diag_indices(size)] += penalty * np.trace(gram) + np.finfo(float).tiny
        return np.asarray(cho_solve(cho_factor(gram, lower=True, overwrite_a=True), moment))

    def squared_error(self, coefficients: Double, fitted: _Moments) -> Double:
        """Summed squares (lead_time,) of what coefficients that were fitted on others leave over here."""
        size = len(coefficients)
        intercept = (fitted.change - fitted.predictors[:size] @ coefficients) / fitted.count
        forecast = self.predictors[:size] @ coefficients
        crossed = np.sum(coefficients * self.moment[:size], axis=0)
        squared = np.sum(coefficients * (self.gram[:size, :size] @ coefficients), axis=0)
        level = self.count * intercept**2 + 2 * intercept * (forecast - self.change)
        return np.asarray(self.power - 2 * crossed + squared + level)


def _choose(parts: list[_Moments], sizes: tuple[int, ...]) -> list[tuple[int, float]]:
    """At each lead, the size and the penalty with the least error over all parts, each fitted on the others."""
    options = [(size, penalty) for size in sizes for penalty in PENALTIES]
    errors = np.zeros((len(options), len(parts[0].change)))
    total = sum(parts[1:], parts[0])
    for part in parts:
        others = total - part
        for row, (size, penalty) in enumerate(options):
            errors[row] += part.squared_error(others.solve(size, penalty), others)
    return [options[row] for row in errors.argmin(axis=0)]


def _folds(windows: Windows) -> tuple[list[slice], list[slice]]:
    """Eighths of the windows, less a guard gap at the beginning of each but the first; and these gaps."""
    edges = np.linspace(0, len(windows), FOLDS + 1).astype(int)
    clear = np.searchsorted(windows.init, windows.init[edges[1:-1] - 1] + windows.spec.length)
    starts = np.array([0, *clear])
    if not len(windows) or np.any(starts >= edges[1:]):
        raise WindowError(
            f"{len(windows)} training windows are too few to fit the linear baseline on",
            remedy=f"train on at least {(FOLDS + 1) * windows.spec.length} steps, or shorten the windows",
            windows=len(windows),
        )
    folds = [slice(first, end) for first, end in zip(starts, edges[1:], strict=True)]
    return folds, [slice(edge, start) for edge, start in zip(edges[1:-1], clear, strict=True)]


def _scaling(record: SeriesRecord, windows: Windows) -> dict[str, NDArray[Any]]:
    """`mean` and `deviation` float32 (2, variable), of the departures from the last values and of these."""
    total, squares, count = 0.0, 0.0, 0
    for some in _batches(windows, slice(None)):
        history = record.history(some)
        departures = (history - history[:, -1:]).astype(np.float64)
        total += departures.sum(axis=(0, 1))
        squares += np.sum(departures**2, axis=(0, 1))
        count += departures.shape[0] * departures.shape[1]
    last = record.values[windows.init].astype(np.float64)
    mean = np.stack([total / count, last.mean(axis=0)])
    variance = np.stack([squares / count - mean[0] ** 2, last.var(axis=0)])
    # What hardly varied in training says nothing, and must not explode where it varies later.
    deviation = np.sqrt(np.where(variance > 1e-10 * mean**2, variance, 1))
    return {"mean": mean.astype(np.float32), "deviation": deviation.astype(np.float32)}


def _batches(windows: Windows, where: slice) -> Iterator[Windows]:
    init, init_time = windows.init[where], windows.init_time[where]
    for first in range(0, len(init), BATCH):
        some = slice(first, first + BATCH)
        yield Windows(windows.spec, init[some], init_time[some])
