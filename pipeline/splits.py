"""Splits by time, with a guard gap between them so that no window of one reaches into another."""

from __future__ import annotations

import datetime as dt
from typing import Literal, Self

from pydantic import model_validator

from pipeline.errors import ConfigError
from pipeline.types import Spec, TimeRange

SplitName = Literal["train", "validation", "test"]


class Splits(Spec):
    """The training, validation and test times, in this order and apart from each other."""

    train: TimeRange
    validation: TimeRange
    test: TimeRange

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if not self.train.end < self.validation.start <= self.validation.end < self.test.start:
            raise ValueError(
                f"train {self.train}, validation {self.validation} and test {self.test} "
                "must follow one another without a common day"
            )
        return self

    def guarded(self, days: int) -> Splits:
        """The same splits with at least `days` days unused before validation and before test.

        Parameters
        ----------
        days
            History + horizon of the windows: a shorter gap would let the slow anomalies of the ocean carry
            what was fitted on into what it is judged by.

        Raises
        ------
        ConfigError
            A split is used up by its guard gap.
        """
        return Splits(
            train=self.train,
            validation=_after(self.validation, self.train.end, days, "validation"),
            test=_after(self.test, self.validation.end, days, "test"),
        )


def _after(split: TimeRange, previous_end: dt.date, days: int, name: SplitName) -> TimeRange:
    start = max(split.start, previous_end + dt.timedelta(days=days + 1))
    if start > split.end:
        raise ConfigError(
            f"the {name} split {split} is shorter than the guard gap of {days} days before it",
            remedy=f"end {name} later, or shorten the windows' history or horizon",
            split=name,
            guard=days,
        )
    return TimeRange(start=start, end=split.end)
