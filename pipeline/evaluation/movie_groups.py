"""Errors in each group of movies, such as each sea: the RMSE of everyone, and the model's skill there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.evaluation.bootstrap import percentile_interval
from pipeline.evaluation.movie_scores import resampled
from pipeline.movies.numbers import groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.movies.windows import MovieWindows

    Array = NDArray[np.float64]


def by_group(
    statistics: Mapping[str, Mapping[str, Array]],
    weights: Array,
    windows: MovieWindows,
    ids: Sequence[str],
    *,
    model: str,
    ladder: Sequence[str],
    confidence: float,
) -> dict[str, Any]:
    """`group_rmse` (forecaster, group) over all leads, `group_skill` (reference, group), their intervals, and `group`.

    Nothing where the ids of movies name fewer than two groups (`pipeline.movies.numbers.groups`).

    Parameters
    ----------
    statistics
        By forecaster, as `collect` gives them.
    weights
        How often each window counts, (1 + resample, window), as `drawn` gives them.
    """
    named = groups(ids)
    of_window = np.array([named[movie] for movie in windows.movie], dtype=object)
    names = list(dict.fromkeys(of_window.tolist()))
    if len(names) < 2 or "" in names:
        return {}
    rmse = {
        one: np.stack(
            [resampled(every, weights * (of_window == group), ("errors",))[1]["rmse"] for group in names]
        )
        for one, every in statistics.items()
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        skill = np.stack([1 - rmse[model] / rmse[rung] for rung in ladder])
    found: dict[str, Any] = {"group": np.array(names, dtype=object)}
    told = {
        "group_rmse": (np.stack([rmse[one] for one in statistics]), "forecaster", "RMSE in each group"),
        "group_skill": (skill, "reference", "skill in each group, 1 minus RMSE over that of the rung"),
    }
    for name, (values, first, what) in told.items():
        found[name] = ((first, "group"), values[..., 0], {"long_name": what})
        interval = percentile_interval(np.moveaxis(values[..., 1:], -1, 0), confidence)
        found[f"{name}_interval"] = ((first, "group", "bound"), interval)
    return found
