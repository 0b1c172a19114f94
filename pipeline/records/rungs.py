"""The ladder of records: how often it happens at all, and logistic regressions on what a record comes to in sum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from pipeline.errors import NotFittedError
from pipeline.records.steps import StepSpec, derive, described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.records.base import RecordSet
    from pipeline.records.partition import Chosen
    from pipeline.records.texts import TextSet

    Array = NDArray[np.float64]

PENALTIES = (1.0, 10.0, 100.0, 1000.0)
INNER_FOLDS = 5
BOUND = 4.0
"""Deviations beyond which a value counts as so many."""
EVENTS = StepSpec(step="events")
_PART = 256


@dataclass
class Prevalence:
    """The share of the training records of which it is true, for everyone."""

    name: str = "prevalence"
    _share: float | None = field(default=None, repr=False)

    def fit(self, records: RecordSet | TextSet, chosen: Chosen) -> Self:
        """Fit on the chosen records alone."""
        self._share = float(records.labels[chosen.records].mean())
        return self

    def predict(self, records: RecordSet | TextSet, chosen: Chosen) -> Array:
        """float64 (record,): the probability."""
        del records
        if self._share is None:
            raise NotFittedError(f"{self.name} was not fitted", remedy="call fit first")
        return np.full(len(chosen), self._share)


@dataclass
class LogisticRung:
    """A logistic regression with a quadratic penalty on summaries of each series, and on the descriptors.

    What is missing is put at the training mean. The penalty is the one of PENALTIES with the least log loss in
    an inner cross-validation of the training records.

    Parameters
    ----------
    summaries
        Of `last`, `mean`, `least`, `greatest` and `measured`.
    """

    name: str
    summaries: tuple[str, ...]
    _fitted: tuple[Array, Array, Array] | None = field(default=None, repr=False)

    def fit(self, records: RecordSet, chosen: Chosen) -> Self:
        """Fit on the chosen records alone."""
        given = self._columns(records, chosen)
        label = records.labels[chosen.records].astype(np.float64)
        known = np.isfinite(given)
        many = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, given, 0).sum(axis=0) / many
        spread = np.sqrt(np.where(known, (given - mean) ** 2, 0).sum(axis=0) / many)
        deviation = np.where(spread > 0, spread, 1.0)
        scaled = _scaled(given, mean, deviation)
        self._fitted = mean, deviation, fit_logistic(scaled, label, best_penalty(scaled, label))
        return self

    def predict(self, records: RecordSet, chosen: Chosen) -> Array:
        """float64 (record,): the probability."""
        if self._fitted is None:
            raise NotFittedError(f"{self.name} was not fitted", remedy="call fit first")
        mean, deviation, weights = self._fitted
        scaled = _scaled(self._columns(records, chosen), mean, deviation)
        return np.asarray(expit(scaled @ weights[:-1] + weights[-1]))

    def _columns(self, records: RecordSet, chosen: Chosen) -> Array:
        found = summarised(records, chosen)
        return np.concatenate([*(found[name] for name in self.summaries), found["descriptors"]], axis=1)


def ladder() -> dict[str, Prevalence | LogisticRung]:
    """Every rung of records, unfitted, from the lowest up."""
    rungs: list[Prevalence | LogisticRung] = [
        Prevalence(),
        LogisticRung("logistic-means", ("mean",)),
        LogisticRung("logistic-last", ("last",)),
        LogisticRung("logistic", ("last", "mean", "least", "greatest", "measured")),
    ]
    return {rung.name: rung for rung in rungs}


def summarised(records: RecordSet, chosen: Chosen) -> dict[str, Array]:
    """Each (record, column): of every series `last`, `mean`, `least`, `greatest` and `measured`; and the `descriptors`.

    Values are logarithmic where the parameter is, and NaN where there is none; `measured` is one or zero.
    """
    parts = [
        _summarised(records, chosen.records[at : at + _PART]) for at in range(0, max(len(chosen), 1), _PART)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _summarised(records: RecordSet, chosen: NDArray[np.int64]) -> dict[str, Array]:
    steps = derive(records, EVENTS, chosen)
    logarithmic = [records.parameters[each].logarithmic for each in records.series]
    values = steps.values.astype(np.float64)
    values[:, logarithmic] = np.log1p(values[:, logarithmic])
    start, many = steps.offset[:-1], np.add.reduceat(steps.mask, steps.offset[:-1], axis=0, dtype=np.int64)
    total = np.add.reduceat(np.where(steps.mask, values, 0), start, axis=0)
    least = np.minimum.reduceat(np.where(steps.mask, values, np.inf), start, axis=0)
    greatest = np.maximum.reduceat(np.where(steps.mask, values, -np.inf), start, axis=0)
    measured = many > 0
    return {
        "last": values[steps.offset[1:] - 1],
        "mean": np.where(measured, total / np.maximum(many, 1), np.nan),
        "least": np.where(measured, least, np.nan),
        "greatest": np.where(measured, greatest, np.nan),
        "measured": measured.astype(np.float64),
        "descriptors": descriptor_columns(records, chosen),
    }


def descriptor_columns(records: RecordSet, chosen: NDArray[np.int64]) -> Array:
    """float64 (record, column): descriptors with a column a category, where they have any; NaN where unknown."""
    given = described(records, chosen).astype(np.float64)
    columns = []
    for place, at in enumerate(records.statics):
        categories = records.parameters[at].categories
        value = given[:, place]
        columns += [(value == each).astype(np.float64) for each in categories] if categories else [value]
    return np.stack(columns, axis=1) if columns else np.empty((len(chosen), 0))


def fit_logistic(given: Any, label: Array, penalty: float) -> Array:
    """Weights (column + 1,), the last the constant, of least log loss plus `penalty` / 2 times their squares."""

    def loss(weights: Array) -> tuple[float, Array]:
        score = given @ weights[:-1] + weights[-1]
        missed = expit(score) - label
        value = np.logaddexp(0, score).sum() - label @ score + penalty / 2 * weights[:-1] @ weights[:-1]
        slope = np.append(given.T @ missed + penalty * weights[:-1], missed.sum())
        return float(value), slope

    begin = np.zeros(given.shape[1] + 1)
    return np.asarray(minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": 1000}).x)


def best_penalty(
    given: Any, label: Array, penalties: Sequence[float] = PENALTIES, folds: int = INNER_FOLDS
) -> float:
    """The one with the least log loss in a cross-validation within (row, column), dense or sparse."""
    fold = np.empty(len(label), int)
    for one in (0, 1):
        members = np.flatnonzero(label == one)
        fold[members] = np.arange(len(members)) % folds

    def missed(penalty: float) -> float:
        total = 0.0
        for held in range(folds):
            out = fold == held
            weights = fit_logistic(given[~out], label[~out], penalty)
            score = given[out] @ weights[:-1] + weights[-1]
            total += float(np.logaddexp(0, score).sum() - label[out] @ score)
        return total

    return min(penalties, key=missed)


def _scaled(given: Array, mean: Array, deviation: Array) -> Array:
    scaled = np.clip((given - mean) / deviation, -BOUND, BOUND)
    return np.where(np.isfinite(scaled), scaled, 0.0)
