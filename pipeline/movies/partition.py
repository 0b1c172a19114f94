"""Which movies, or which pictures of them, are for training, validation and test, and the windows that lie in each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import ConfigError, WindowError
from pipeline.movies.numbers import numbers
from pipeline.movies.windows import MovieWindows
from pipeline.splits import Fractions, Numbers, Splits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.movies.base import MovieSet
    from pipeline.movies.windows import MovieSpec
    from pipeline.splits import SplitName

    Index = NDArray[np.int64]

NAMES: tuple[SplitName, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Run:
    """Pictures of one movie that are of one split, from `start` to before `stop` among all pictures."""

    movie: int
    start: int
    stop: int


@dataclass(frozen=True)
class MoviePartition:
    """The pictures of each split, as `given` says it: by numbers of movies, by parts, or by days where there is time.

    Where movies are cut, validation and test begin the `guard` of the windows after what is before them.
    """

    record: MovieSet
    given: Splits | Fractions | Numbers
    spec: MovieSpec

    @property
    def splits(self) -> Splits | Fractions | Numbers:
        """As they were given."""
        return self.given

    def windows(self, name: SplitName) -> MovieWindows:
        """The windows of one split: those that are learned from, and of test those that are forecast.

        Raises
        ------
        WindowError
            There is none.
        """
        length = self.spec.length if name == "test" else self.spec.learned
        first, movie = [], []
        for run in self.runs[name]:
            begin = np.arange(run.start, run.stop - length + 1, self.spec.stride, dtype=np.int64)
            first.append(begin)
            movie.append(np.full(len(begin), run.movie, np.int64))
        found = np.concatenate([np.zeros(0, np.int64), *first])
        if not len(found):
            longest = max((run.stop - run.start for run in self.runs[name]), default=0)
            raise WindowError(
                f"no movie of {name} is as long as a window of {length} pictures; the longest has {longest}",
                remedy="shorten history or horizon, give the split more, or ingest longer movies",
                split=name,
            )
        return MovieWindows(self.spec, found, np.concatenate(movie), length)

    @cached_property
    def short(self) -> dict[SplitName, tuple[str, ...]]:
        """By split, the movies of which no window could be cut, for they are too short."""
        told = {}
        for name in NAMES:
            length = self.spec.length if name == "test" else self.spec.learned
            told[name] = tuple(
                self.record.ids[run.movie] for run in self.runs[name] if run.stop - run.start < length
            )
        return told

    @cached_property
    def runs(self) -> dict[SplitName, list[Run]]:
        """The pictures of each split.

        Raises
        ------
        ConfigError
            Movies are numbered that there are not, or days are named where time has no meaning.
        """
        if isinstance(self.given, Numbers):
            known = numbers(self.record.ids)
            return self._by_number(
                self.given.parts, known, max(int(known.max(initial=0)), self.record.highest)
            )
        if isinstance(self.given, Fractions) and self.spec.parted_by == "movie":
            train, validation = self.given.counts(len(self.record))
            edges = (0, train, train + validation, len(self.record))
            bounds = zip(NAMES, edges, edges[1:], strict=False)
            places = np.arange(1, len(self.record) + 1)
            parts = {name: (first + 1, last) for name, first, last in bounds}
            return self._by_number(parts, places, len(places))
        return self._by_picture()

    def _by_number(
        self, parts: dict[SplitName, tuple[int, int]], known: Index, highest: int
    ) -> dict[SplitName, list[Run]]:
        """The movies of each split, by the numbers that they are `known` by."""
        found: dict[SplitName, list[Run]] = {}
        for name, (first, last) in parts.items():
            if last > highest:
                raise ConfigError(
                    f"{name} is for the movies {first} to {last}, and the last there is has number {highest}",
                    remedy="correct [splits], or ingest more movies",
                    split=name,
                )
            chosen = np.flatnonzero((known >= first) & (known <= last)).tolist()
            found[name] = [
                Run(at, int(self.record.offset[at]), int(self.record.offset[at + 1])) for at in chosen
            ]
        return found

    def _by_picture(self) -> dict[SplitName, list[Run]]:
        """Cut along the pictures of all movies, one after another."""
        found: dict[SplitName, list[Run]] = {}
        free = 0
        for name, (earliest, stop) in self._bounds().items():
            start = max(earliest, free)
            found[name] = [
                Run(at, max(int(begin), start), min(int(end), stop))
                for at, (begin, end) in enumerate(
                    zip(self.record.offset[:-1], self.record.offset[1:], strict=True)
                )
                if max(begin, start) < min(end, stop)
            ]
            free = stop + (self.spec.length if self.spec.guard is None else self.spec.guard)
        return found

    def _bounds(self) -> dict[SplitName, tuple[int, int]]:
        many = len(self.record.values)
        if isinstance(self.given, Fractions):
            train, validation = self.given.counts(many)
            return {
                "train": (0, train),
                "validation": (train, train + validation),
                "test": (train + validation, many),
            }
        if not self.record.timed or np.any(np.diff(self.record.time) < np.timedelta64(0)):
            raise ConfigError(
                "the splits are of days, and the pictures have no ascending times",
                remedy="write [splits] as parts, or as numbers of movies",
                key="splits",
            )
        day = self.record.time.astype("datetime64[D]")
        assert isinstance(self.given, Splits)
        found: dict[SplitName, tuple[int, int]] = {}
        for name in NAMES:
            split = getattr(self.given, name)
            start, stop = np.searchsorted(day, [np.datetime64(split.start), np.datetime64(split.end) + 1])
            found[name] = (int(start), int(stop))
        return found
