"""What the verdicts on all kinds of models ask of their scores, and how they say what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import StoreError

if TYPE_CHECKING:
    import xarray as xr

Interval = tuple[float, float] | None
"""Low and high, or None where the windows were too few to tell."""


def interval_of(bounds: xr.DataArray) -> Interval:
    """Of (bound,)."""
    low, high = (float(bounds.sel(bound=name)) for name in ("low", "high"))
    return None if np.isnan([low, high]).any() else (low, high)


def require_ladder(scores: xr.Dataset) -> None:
    """Refuse scores of models alone.

    Raises
    ------
    StoreError
        There is no ladder.
    """
    if not scores.sizes["reference"]:
        raise StoreError(
            "the model has no ladder to be judged against", remedy="add baselines to the experiment"
        )


def require_defined(scores: xr.Dataset, *, lacking: str, remedy: str) -> None:
    """Refuse scores in which an RMSE over all leads is NaN; what is then `lacking` somewhere stands in the message.

    Raises
    ------
    StoreError
        One is.
    """
    undefined = [str(name) for name in scores.forecaster.values[np.isnan(scores.rmse_pooled.values)]]
    if undefined:
        raise StoreError(
            f"the RMSE is undefined of {', '.join(undefined)}: {lacking}",
            remedy=remedy,
            forecasters=undefined,
        )


def outcome(*, promoted: bool, ahead: bool) -> str:
    """What a model does to the best baseline; `ahead` of it may be by chance."""
    if promoted:
        return "beats"
    return "is ahead of, but cannot be told from," if ahead else "does not beat"


def with_skill_interval(text: str, skill: Interval, *, confidence: float, promoted: bool, leads: str) -> str:
    """The sentence `text`, which ends in a skill, with its interval; `leads` is said of who is promoted."""
    if skill is None:
        return text + ", on too few windows for an interval. It is not promoted."
    low, high = skill
    text += f" ({confidence:.0%} interval {low:+.1%} to {high:+.1%})."
    return f"{text} {leads}" if promoted else text + " It is not promoted."
