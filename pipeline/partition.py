"""The windows of each split, by the protocol of the record: kept apart, or as a textbook counts them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import ConfigError, WindowError
from pipeline.splits import Fractions, SplitName, Splits
from pipeline.windows import Windows, find_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.forecasts.base import AnyRecord
    from pipeline.windows import WindowSpec

ONE_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Partition:
    """A record's windows, split by split.

    Under the protocol `clean` a window uses usable steps alone and lies wholly within its split, less the guard
    gap. Under `as-published` the rows are counted as if they were contiguous, the splits are parts of their
    number, a history lies within its split and before the last rows, as many as lie between its first sample and
    the last lead, and its target may lie beyond: the windows of `keras.utils.timeseries_dataset_from_array` as
    Chollet (2021), Deep Learning with Python, 2nd edition, chapter 10, calls it.
    """

    record: AnyRecord
    given: Splits | Fractions
    spec: WindowSpec

    @cached_property
    def splits(self) -> Splits:
        """In whole days; with their guard gaps where the protocol keeps any.

        Raises
        ------
        ConfigError
            The record is too short for them.
        """
        splits = self.given.on(self.record.time) if isinstance(self.given, Fractions) else self.given
        return splits if self._published else splits.guarded(guard_days(self.spec, self.step))

    @property
    def step(self) -> np.timedelta64:
        """Of the record's axis.

        Raises
        ------
        WindowError
            It has fewer than two steps.
        """
        if len(self.record.time) < 2:
            raise WindowError(
                f"the record has {len(self.record.time)} steps, which hold no window",
                remedy="ingest a longer record",
            )
        step: np.timedelta64 = self.record.time[1] - self.record.time[0]
        return step

    def windows(self, name: SplitName) -> Windows:
        """The windows of one split.

        Raises
        ------
        WindowError
            None fits.
        ConfigError
            The splits do not fit the record or its protocol.
        """
        if not self._published:
            return find_windows(self.record.time, self.record.usable, getattr(self.splits, name), self.spec)
        first, end = self._rows(name)
        init = np.arange(first - self.spec.past[0], end, self.spec.stride)
        if not len(init):
            raise WindowError(
                f"no window of {self.spec.history} + {self.spec.horizon} samples fits into the {max(end - first, 0)} "
                f"rows of {name}",
                remedy="shorten history or horizon, or ingest a longer record",
                split=name,
            )
        return Windows(self.spec, init, self.record.time[init])

    def inside(self, name: SplitName) -> NDArray[np.bool_]:
        """bool (time,): the steps that lie in a split, whether usable or not; what scaling is fitted on."""
        at = np.arange(len(self.record.time))
        if self._published:
            counts = np.cumsum([0, *self._counts(), len(at)])
            place = ("train", "validation", "test").index(name)
            return np.asarray((at >= counts[place]) & (at < counts[place + 1]))
        split = getattr(self.splits, name)
        day = self.record.time.astype("datetime64[D]")
        return np.asarray((day >= np.datetime64(split.start)) & (day <= np.datetime64(split.end)))

    @property
    def _published(self) -> bool:
        return self.record.protocol == "as-published"

    def _counts(self) -> tuple[int, int]:
        if not isinstance(self.given, Fractions):
            raise ConfigError(
                "the protocol 'as-published' splits by parts of the number of rows, not by dates",
                remedy="write [splits] as parts, such as train = 0.5, validation = 0.25, test = 0.25",
            )
        return self.given.counts(len(self.record.time))

    def _rows(self, name: SplitName) -> tuple[int, int]:
        """From which row to before which the histories of a split lie; the second may be the lower one."""
        train, validation = self._counts()
        held = len(self.record.time) - int(self.spec.ahead[-1] - self.spec.past[0])
        edges = (0, train, train + validation, held)
        place = ("train", "validation", "test").index(name)
        return edges[place], min(edges[place + 1], held)


def guard_days(spec: WindowSpec, step: np.timedelta64) -> int:
    """Whole days that a window spans, history and leads."""
    return int(-(-(spec.length * step) // ONE_DAY))
