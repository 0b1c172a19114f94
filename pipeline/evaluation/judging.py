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
    """Of (bound,); None as well where a resample has no finite value, such as a skill beside no error at all."""
    low, high = (float(bounds.sel(bound=name)) for name in ("low", "high"))
    return (low, high) if np.isfinite([low, high]).all() else None


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


def require_defined(measure: xr.DataArray, name: str, *, lacking: str, remedy: str) -> None:
    """Refuse a measure (forecaster,) that is not finite; what is then `lacking` somewhere stands in the message.

    Raises
    ------
    StoreError
        One is.
    """
    undefined = [str(one) for one in measure.forecaster.values[~np.isfinite(measure.values)]]
    if undefined:
        raise StoreError(
            f"the {name} is undefined of {', '.join(undefined)}: {lacking}",
            remedy=remedy,
            forecasters=undefined,
        )


def skill_told(skill: float | None) -> str:
    """A skill in the words of a verdict; there is None beside a baseline without error."""
    return "no skill beside a baseline without error" if skill is None else f"skill {skill:+.1%}"


def outcome(*, promoted: bool, ahead: bool) -> str:
    """What a model does to the best baseline; `ahead` of it may be by chance."""
    if promoted:
        return "beats"
    return "is ahead of, but cannot be told from," if ahead else "does not beat"


def with_skill_interval(
    text: str, skill: Interval, difference: Interval, *, confidence: float, promoted: bool, leads: str
) -> str:
    """The sentence `text`, which ends in a skill, with its interval; `leads` is said of who is promoted.

    There may be an interval of the `difference` and none of the skill, where the baseline has no error.
    """
    if difference is None:
        return text + ", on too few windows for an interval. It is not promoted."
    if skill is not None:
        low, high = skill
        text += f" ({confidence:.0%} interval {low:+.1%} to {high:+.1%})"
    text += "."
    return f"{text} {leads}" if promoted else text + " It is not promoted."
