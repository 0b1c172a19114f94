"""Errors in each group of movies, such as each sea: the RMSE of everyone, and the model's skill there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.evaluation.bootstrap import percentile_interval
from pipeline.evaluation.movie_scores import drawn, resampled, skill_over
from pipeline.movies.numbers import groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.evaluation.specs import EvaluationSpec
    from pipeline.movies.windows import MovieWindows

    Array = NDArray[np.float64]


def by_group(
    statistics: Mapping[str, Mapping[str, Array]],
    windows: MovieWindows,
    ids: Sequence[str],
    spec: EvaluationSpec,
    *,
    model: str,
    ladder: Sequence[str],
) -> dict[str, Any]:
    """`group_rmse` (forecaster, group) over all leads, `group_skill` (reference, group), their intervals, and `group`.

    Nothing where the ids of movies name fewer than two groups (`pipeline.movies.numbers.groups`). Each group is drawn
    from by itself, so that no resample is without it; the interval is NaN where it has too few windows for that.

    Parameters
    ----------
    statistics
        By forecaster, as `collect` gives them.
    """
    named = groups(ids)
    of_window = np.array([named[movie] for movie in windows.movie], dtype=object)
    names = list(dict.fromkeys(of_window.tolist()))
    if len(names) < 2 or "" in names:
        return {}
    everyone = list(statistics)
    rungs = [everyone.index(rung) for rung in ladder]
    found: dict[str, Any] = {"group": np.array(names, dtype=object)}
    rmse, skill = [], []
    for group in names:
        mine = _rmse(statistics, windows, np.flatnonzero(of_window == group), spec)
        skill.append(skill_over(mine[[everyone.index(model)]], mine[rungs]))
        rmse.append(mine)
    told = {
        "group_rmse": (rmse, "forecaster", "RMSE in each group"),
        "group_skill": (skill, "reference", "skill in each group, 1 minus RMSE over that of the rung"),
    }
    for name, (values, first, what) in told.items():
        found[name] = (
            (first, "group"),
            np.stack([each[:, 0] for each in values], axis=1),
            {"long_name": what},
        )
        bounds = [percentile_interval(each[:, 1:].T, spec.confidence) for each in values]
        found[f"{name}_interval"] = ((first, "group", "bound"), np.stack(bounds, axis=1))
    return found


def _rmse(
    statistics: Mapping[str, Mapping[str, Array]],
    windows: MovieWindows,
    at: NDArray[np.int64],
    spec: EvaluationSpec,
) -> Array:
    """(forecaster, 1 + resample) over all leads of the windows at these places, and of resamples of them."""
    weights = drawn(windows.part(at), spec)
    return np.stack(
        [
            resampled({key: each[at] for key, each in every.items()}, weights, ("errors",))[1]["rmse"]
            for every in statistics.values()
        ]
    )
