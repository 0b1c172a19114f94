"""How an experiment is operated: what its scheduled runs allow, look back on and keep."""

from __future__ import annotations

from pydantic import NonNegativeInt, PositiveInt

from pipeline.types import Spec


class Operations(Spec):
    """The table `[operations]` of an experiment; lengths are in days."""

    oldest_input_days: NonNegativeInt = 7
    """The newest day of a forecast's history may be so old; from an older one nothing is forecast."""
    recheck_days: NonNegativeInt = 45
    """Final files of so many newest days are asked for their version again on each run."""
    scorecard_days: PositiveInt = 90
    """The rolling scorecard is of the forecasts issued within so many days."""
    retain_days: PositiveInt = 30
    """Snapshots that nothing refers to are kept so long."""
