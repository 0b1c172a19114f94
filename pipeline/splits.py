"""Splits by time, parts or numbers, with a guard gap between them so that no window of one reaches into another."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Discriminator, PositiveFloat, PositiveInt, Tag, field_validator, model_validator

from pipeline.errors import ConfigError
from pipeline.types import Spec, TimeRange

if TYPE_CHECKING:
    from numpy.typing import NDArray

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

    def moved(self, first: dt.date, last: dt.date, days: int) -> Splits:
        """Splits like these at the end of a record: what a model is trained by anew as the record grows.

        Test ends at `last`, and test and validation keep as many days as `guarded` leaves of them. All that lies
        before is for training, from the record's `first` day on, or from these splits' own if that is later. There
        are `days` unused days before validation and before test, no fewer and no more.

        Parameters
        ----------
        days
            As for `guarded`, which changes nothing in the result.

        Raises
        ------
        ConfigError
            A split is used up by its guard gap, or no day is left for training.
        """
        kept = self.guarded(days)
        gap = dt.timedelta(days=days + 1)
        test = TimeRange(start=last - (kept.test.end - kept.test.start), end=last)
        end = test.start - gap
        validation = TimeRange(start=end - (kept.validation.end - kept.validation.start), end=end)
        start, end = max(first, self.train.start), validation.start - gap
        if end < start:
            raise ConfigError(
                f"from {first} to {last} there are too few days to train on before validation {validation} and "
                f"test {test}",
                remedy="ingest a longer record, or shorten validation or test",
                lacking=(start - end).days,
            )
        return Splits(train=TimeRange(start=start, end=end), validation=validation, test=test)


class Fractions(Spec):
    """Training, validation and test as parts of whatever the record holds, in this order; they sum to one."""

    train: PositiveFloat
    validation: PositiveFloat
    test: PositiveFloat | Literal["published"]
    """Or, of texts, what their source publishes for test; training and validation are then parts of the rest."""

    @field_validator("test", mode="before")
    @classmethod
    def _known(cls, test: Any) -> Any:
        if isinstance(test, str) and test != "published":
            raise ValueError(f"it is a part, such as 0.2, or 'published', and not {test!r}")
        return test

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = self.train + self.validation + (0 if self.test == "published" else self.test)
        if abs(total - 1) > 1e-6:
            these = "train and validation" if self.test == "published" else "train, validation and test"
            raise ValueError(f"{these} sum to {total:g}, not to 1")
        return self

    def counts(self, length: int) -> tuple[int, int]:
        """Steps of training and of validation among `length`, each rounded down; the rest is for test."""
        return int(self.train * length), int(self.validation * length)

    def on(self, time: NDArray[np.datetime64]) -> Splits:
        """The splits of a record with the steps `time` (time,), in whole days.

        Raises
        ------
        ConfigError
            The record is too short to give each a day.
        """
        train, validation = self.counts(len(time))
        day = time.astype("datetime64[D]")
        first, last = (day[0], day[-1]) if len(day) else (np.datetime64("NaT"), np.datetime64("NaT"))
        cuts = [day[min(at, len(day) - 1)] for at in (train, train + validation)] if len(day) else []
        if not len(day) or not first < cuts[0] < cuts[1] <= last:
            raise ConfigError(
                f"a record of {len(day)} steps cannot be split into {self.train:g}, {self.validation:g} and "
                f"{self.test} of whole days",
                remedy="ingest a longer record, or give the splits as dates",
                steps=len(day),
            )
        one = np.timedelta64(1, "D")
        return Splits(
            train=_range(first, cuts[0] - one),
            validation=_range(cuts[0], cuts[1] - one),
            test=_range(cuts[1], last),
        )


class Numbers(Spec):
    """The first and the last of the movies for training, validation and test, counted from one.

    Without `validation`, the last tenth of training is for it, and is not trained on.
    """

    train: tuple[PositiveInt, PositiveInt]
    validation: tuple[PositiveInt, PositiveInt] | None = None
    test: tuple[PositiveInt, PositiveInt]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        for name in ("train", "validation", "test"):
            first, last = getattr(self, name) or (0, 0)
            if last < first:
                raise ValueError(f"{name} [{first}, {last}] ends before it begins")
        if self.validation is None and self.train[0] == self.train[1]:
            raise ValueError(f"train {list(self.train)} is one movie, of which none is left for validation")
        taken = sorted(self.parts.items(), key=lambda part: part[1])
        for (one, (_, last)), (other, (first, _)) in pairwise(taken):
            if first <= last:
                raise ValueError(f"{one} and {other} have {first} in common")
        return self

    @property
    def parts(self) -> dict[SplitName, tuple[int, int]]:
        """First and last of each."""
        first, last = self.train
        if self.validation is not None:
            return {"train": (first, last), "validation": self.validation, "test": self.test}
        cut = last - max((last - first + 1) // 10, 1)
        return {"train": (first, cut), "validation": (cut + 1, last), "test": self.test}


def _kind_of_splits(given: Any) -> str:
    """Parts are numbers, dates are tables, and the first and the last number of movies are a list."""
    values = given.values() if isinstance(given, dict) else ()
    if isinstance(given, Numbers) or any(isinstance(each, list | tuple) for each in values):
        return "<numbers>"
    parts = isinstance(given, Fractions) or any(isinstance(each, (int, float)) for each in values)
    return "<parts>" if parts else "<dates>"


AnySplits = Splits | Fractions | Numbers
GivenSplits = Annotated[
    Annotated[Splits, Tag("<dates>")]
    | Annotated[Fractions, Tag("<parts>")]
    | Annotated[Numbers, Tag("<numbers>")],
    Discriminator(_kind_of_splits),
]
"""As a file says them."""


def recent(given: Splits | Fractions, time: NDArray[np.datetime64], last: dt.date, days: int) -> Splits:
    """The splits by which a model is trained anew on the steps `time` (time,) to the day `last`.

    Dates are moved, see `Splits.moved`; parts move by themselves.

    Raises
    ------
    ConfigError
        The record is too short.
    """
    until = time[time.astype("datetime64[D]") <= np.datetime64(last)]
    if isinstance(given, Fractions):
        return given.on(until)
    first = until[0].astype("datetime64[D]").astype(dt.date) if len(until) else last
    return given.moved(first, last, days)


def judged(given: Splits | Fractions, learned: Splits, last: dt.date) -> Splits:
    """The splits that a model is judged by, which learned by `learned`, where the experiment now says `given`.

    Training and validation are those of the model, whatever the experiment says by now: baselines are fitted on the
    same days, and no test window may lie in what the model has seen. Test is that of the experiment if it begins
    after the model's validation, and else the model's own; of parts, from where the model's own begins to the
    record's day `last`.
    """
    test = learned.test
    if isinstance(given, Splits) and given.test.start > learned.validation.end:
        test = given.test
    elif isinstance(given, Fractions):
        test = TimeRange(start=test.start, end=max(test.end, last))
    return Splits(train=learned.train, validation=learned.validation, test=test)


def _range(start: np.datetime64, end: np.datetime64) -> TimeRange:
    return TimeRange(start=start.astype(dt.date), end=end.astype(dt.date))


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
