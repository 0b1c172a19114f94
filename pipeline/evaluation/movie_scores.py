"""How good forecasts of pictures are, by lead: sums over cells are kept window by window, and measures made of them.

A measure group is a pair: `statistics` of a block of windows, which add up, and `measures` of their sums. GROUPS names
them; each group's measures are averaged, differenced and resampled in the same way.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pipeline.errors import ConfigError
from pipeline.evaluation.bootstrap import block_counts
from pipeline.evaluation.movie_regression import Regression
from pipeline.evaluation.precipitation import Events, Fractions
from pipeline.naming import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from pipeline.evaluation.specs import EvaluationSpec
    from pipeline.movies.base import MovieSet
    from pipeline.movies.windows import MovieWindows

    Array = NDArray[np.float64]
    Pictures = NDArray[np.float32]
    Forecast = Callable[[Pictures, int], Pictures]

MOVIES_FOR_DRAWING = 10
"""From so many test movies on, movies are resampled; of fewer, blocks of windows."""
CELLS = 2**24
"""Forecast cells that are held at once, of each forecaster."""


class Group(Protocol):
    """A group of measures that are made of the same sums."""

    names: tuple[str, ...]
    """Of the measures."""
    long_names: Mapping[str, str]
    units: Mapping[str, str]
    """By measure; those that are not here have the units of the pictures."""
    coords: Mapping[str, tuple[float, ...]]
    """Of dimensions that measures have after lead: thresholds, scales."""
    dims: Mapping[str, tuple[str, ...]]
    """These dimensions, by measure; none of what is not here."""
    pictures: str
    """Units that the pictures must be in; empty where any will do."""

    def statistics(self, forecast: Pictures, truth: Pictures) -> dict[str, Array]:
        """Each (window, lead, …), of pictures (window, lead, y, x) with NaN where there is none: they add up."""
        ...

    def measures(self, total: Mapping[str, Array]) -> dict[str, Array]:
        """Each (…, lead, …), of the sums (…, lead, …) over windows."""
        ...


class Errors:
    """Errors of each cell whose truth is known.

    A forecast that lacks such a cell has no error there that could be counted: it spreads as NaN.
    """

    names: tuple[str, ...] = ("mse", "mae", "rmse")
    long_names: Mapping[str, str] = MappingProxyType(
        {
            "mse": "mean squared error",
            "mae": "mean absolute error",
            "rmse": "root mean squared error",
        }
    )
    units: Mapping[str, str] = MappingProxyType({})
    coords: Mapping[str, tuple[float, ...]] = MappingProxyType({})
    dims: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    pictures = ""

    def statistics(self, forecast: Pictures, truth: Pictures) -> dict[str, Array]:
        """Number of cells, and sums of squared and of absolute errors."""
        known = np.isfinite(truth)
        error = np.where(known, forecast - truth, 0).astype(np.float64)
        return {
            "cells": known.sum(axis=(2, 3)).astype(np.float64),
            "squared": (error**2).sum(axis=(2, 3)),
            "absolute": np.abs(error).sum(axis=(2, 3)),
        }

    def measures(self, total: Mapping[str, Array]) -> dict[str, Array]:
        """Means over cells and windows, and the root of the first."""
        with np.errstate(invalid="ignore", divide="ignore"):
            mse, mae = (total[name] / total["cells"] for name in ("squared", "absolute"))
        return {"mse": mse, "mae": mae, "rmse": np.sqrt(mse)}


GROUPS: dict[str, Group] = {
    "errors": Errors(),
    "regression": Regression(),
    "events": Events(),
    "fractions": Fractions(),
}


def require_groups(names: Iterable[str], units: str) -> None:
    """Refuse groups of measures that there are not, or that make no sense of pictures in these units.

    Raises
    ------
    ConfigError
        There is such a group.
    """
    for name in names:
        if name not in GROUPS:
            raise unknown("group of measures of movies", name, GROUPS, ConfigError)
        if GROUPS[name].pictures not in ("", units):
            raise ConfigError(
                f"the measures {name!r} are of pictures in {GROUPS[name].pictures}, and these are in {units!r}",
                remedy=f"leave {name!r} out of measures",
                key="measures",
            )


def at_each_step(forecast: Forecast) -> Forecast:
    """A forecaster of the picture after a history made one of the picture after each one of it."""

    def each(history: Pictures, horizon: int) -> Pictures:
        steps = range(1, history.shape[1] + 1)
        return np.concatenate([forecast(history[:, :step], horizon) for step in steps], axis=1)

    return each


def collect(
    forecasters: Mapping[str, Forecast], record: MovieSet, windows: MovieWindows, groups: tuple[str, ...]
) -> dict[str, dict[str, Array]]:
    """By forecaster the statistics of all groups, each (window, lead, …); some windows are held at a time."""
    spec = windows.spec
    stepwise = spec.judged == "each-step"
    cells = len(record.y.values) * len(record.x.values) * (spec.history if stepwise else spec.horizon)
    block = max(CELLS // cells, 1)
    parts: dict[str, list[dict[str, Array]]] = {name: [] for name in forecasters}
    for start in range(0, len(windows), block):
        some = windows.part(slice(start, start + block))
        history = some.pictures(record.values, 0, spec.history)
        truth = some.pictures(record.asked, 1 if stepwise else spec.history, spec.length)
        for name, forecast in forecasters.items():
            given = forecast(history, spec.horizon)
            parts[name].append(
                {
                    f"{group}.{key}": each.sum(axis=1, keepdims=True) if stepwise else each
                    for group in groups
                    for key, each in GROUPS[group].statistics(given, truth).items()
                }
            )
    return {
        name: {key: np.concatenate([part[key] for part in held]) for key in held[0]}
        for name, held in parts.items()
    }


def drawn(windows: MovieWindows, spec: EvaluationSpec) -> Array:
    """How often each window counts: ones, and then each resample, (1 + resample, window).

    Movies are drawn with replacement where there are enough, each with all its windows; else blocks of windows one
    after another. One resample of NaN stands for them where there are fewer than two blocks.
    """
    movies, place = np.unique(windows.movie, return_inverse=True)
    many = len(windows)
    if len(movies) >= MOVIES_FOR_DRAWING:
        rng = np.random.default_rng(spec.seed)
        counts = rng.multinomial(len(movies), np.full(len(movies), 1 / len(movies)), size=spec.resamples)
        again = counts[:, place].astype(np.float64)
    elif many >= 2 * spec.block_length:
        again = block_counts(many, block_length=spec.block_length, resamples=spec.resamples, seed=spec.seed)
    else:
        again = np.full((1, many), np.nan)
    return np.concatenate([np.ones((1, many)), again])


def what_is_drawn(windows: MovieWindows) -> str:
    """What `drawn` resamples, as people are told."""
    return "movies" if len(np.unique(windows.movie)) >= MOVIES_FOR_DRAWING else "blocks of windows"


def skill_over(rmse: Array, rung: Array) -> Array:
    """1 − RMSE / that of the rung, NaN where the rung has no error: nothing can be told by it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(rung > 0, 1 - rmse / rung, np.nan))


def resampled(
    statistics: Mapping[str, Array], weights: Array, groups: tuple[str, ...]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Every measure by lead (1 + resample, lead, …), and over all leads (1 + resample, …)."""
    by_lead: dict[str, Array] = {}
    pooled: dict[str, Array] = {}
    for group in groups:
        mine = {
            key.partition(".")[2]: np.tensordot(weights, each, axes=(1, 0))
            for key, each in statistics.items()
            if key.startswith(f"{group}.")
        }
        by_lead |= GROUPS[group].measures(mine)
        whole = {key: each.sum(axis=1, keepdims=True) for key, each in mine.items()}
        pooled |= {name: each[:, 0] for name, each in GROUPS[group].measures(whole).items()}
    return by_lead, pooled
