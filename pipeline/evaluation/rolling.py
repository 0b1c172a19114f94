"""What a region's rolling scorecard says in sum; read without any array library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from pipeline.evaluation.kept import keep, read_kept
from pipeline.naming import counted
from pipeline.types import Spec

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "scorecards"
FILE = "scorecard.json"


class Rolling(Spec):
    """A scorecard in sum, as `isotherm status` tells it.

    Parameters
    ----------
    version
        Of the dataset in the folder FOLDER; None where nothing is verified yet.
    first_init, last_init
        Of the forecasts that it looks at, in the record's own clock; None where there are none.
    forecasts
        How many these are, of the model.
    verified
        Pairs of a forecast and a lead that have truth.
    waiting
        Forecasts of which some valid time has no truth yet.
    rmse
        By forecaster, over all leads.
    difference, interval
        The model's RMSE minus the best rung's, with its confidence interval where there are enough forecasts.
    """

    model: str
    version: str | None = None
    first_init: str | None = None
    last_init: str | None = None
    forecasts: int = 0
    verified: int = 0
    waiting: int = 0
    rmse: dict[str, float] = Field(default_factory=dict)
    best_rung: str | None = None
    difference: float | None = None
    interval: tuple[float, float] | None = None
    units: str = ""

    @property
    def worse(self) -> bool:
        """The whole interval of the difference lies above zero: the best rung does better."""
        return self.interval is not None and self.interval[0] > 0

    @property
    def told(self) -> str:
        """In a sentence."""
        if not self.verified or self.best_rung is None or self.difference is None:
            return f"no forecast verified yet, {counted(self.forecasts, 'forecast')} waiting for truth"
        between = "" if self.interval is None else f" [{self.interval[0]:+.3f}, {self.interval[1]:+.3f}]"
        return (
            f"{counted(self.forecasts, 'forecast')} since {str(self.first_init)[:10]}, {self.waiting} waiting for "
            f"truth: RMSE {self.rmse[self.model]:.3f} of {self.model}, {self.difference:+.3f}{between} "
            f"against {self.best_rung}"
        )

    def write(self, folder: Path) -> None:
        """Make it the newest in the region's scores folder."""
        keep(self, folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> Rolling:
        """The newest of the region's scores folder.

        Raises
        ------
        NotFoundError
            There is none.
        """
        place = f"region {folder.name!r}"
        return read_kept(cls, folder / FILE, place=place, lacking="scorecard", command="daily")
