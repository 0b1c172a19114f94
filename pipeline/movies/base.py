"""What a set of movies is: pictures of one size in unbroken order, what they show, and what was left out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pipeline.movies.numbers import highest
from pipeline.types import Spec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.forecasts.base import Kind
    from pipeline.records.base import Exclusion, SourceFile


class Picture(Spec):
    """What the pictures show.

    Parameters
    ----------
    name
        As the array is called.
    units
        In UDUNITS spelling.
    low, high
        What lies outside cannot be.
    step
        Seconds between two pictures; None where time has no meaning.
    scale
        What one count of the stored array is, in the units; it is kept as whole numbers where given, else as float32.
    shown
        The values at the two ends of the colours.
    """

    name: str
    long_name: str
    units: str
    low: float
    high: float
    step: int | None = None
    scale: float | None = None
    shown: tuple[float, float]


class Axis(Spec):
    """The middles of the cells along one side of the pictures, evenly apart.

    Parameters
    ----------
    name
        `y` or `x`.
    units
        Such as `km`, or `1` where a cell is a cell.
    """

    name: Literal["y", "x"]
    long_name: str
    units: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Movies:
    """Pictures one after another, and where each movie begins among them.

    Parameters
    ----------
    ids
        Of each movie, in the order of the source.
    offset
        int64 (movie + 1,): the pictures of movie `i` are those from `offset[i]` to before `offset[i + 1]`.
    time
        datetime64[ns] (picture,): when each was valid; NaT where time has no meaning.
    values
        float32 (picture, y, x), in the units of `picture`; NaN where there is none.
    y, x
        The axes; `y` ascends from the lowest row to the highest as it is drawn downwards.
    """

    ids: tuple[str, ...]
    offset: NDArray[np.int64]
    time: NDArray[np.datetime64]
    values: NDArray[np.float32]
    picture: Picture
    y: Axis
    x: Axis

    @property
    def lengths(self) -> NDArray[np.int64]:
        """int64 (movie,): pictures of each."""
        return np.diff(self.offset)


@dataclass(frozen=True, slots=True)
class MovieTable(Movies):
    """Decoded movies, as published. A picture that lacks begins a new movie.

    Parameters
    ----------
    source
        int32 (picture,): the place of its file in `sources`.
    sources
        Empty where the movies were made here.
    truth
        float32 (picture, y, x): what is asked for, where pictures are given otherwise than they are asked for, such as
        with noise; None where they are the same.
    """

    source: NDArray[np.int32]
    sources: tuple[SourceFile, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    truth: NDArray[np.float32] | None = None

    @property
    def implausible(self) -> int:
        """Values that cannot be."""
        with np.errstate(invalid="ignore"):
            return int(((self.values < self.picture.low) | (self.values > self.picture.high)).sum())

    @property
    def sha256(self) -> str:
        """Hash of all that is shown, and of what was left out."""
        told: list[Any] = [self.ids, self.picture.model_dump(), self.y.model_dump(), self.x.model_dump()]
        told += [[each.model_dump() for each in every] for every in (self.sources, self.exclusions)]
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
        for part in (self.offset, self.time.astype("datetime64[ns]"), self.source, self.values, self.truth):
            if part is not None:
                digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class MovieSet(Movies):
    """The movies of an experiment, as rungs and models see them: what cannot be is missing.

    `truth` is as in `MovieTable`, and `highest` the highest number of a movie that was read or left out.
    """

    truth: NDArray[np.float32] | None = None
    highest: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def kind(self) -> Kind:
        """Movies."""
        return "movies"

    @property
    def asked(self) -> NDArray[np.float32]:
        """float32 (picture, y, x): what models are asked for."""
        return self.values if self.truth is None else self.truth

    @property
    def inputs(self) -> list[Any]:
        """What models are given: pictures of something, and their size."""
        return [self.picture.name, self.picture.units, len(self.y.values), len(self.x.values)]

    @property
    def told(self) -> dict[str, Any]:
        """What is known of the set, beside its identifiers and `arrays`."""
        return {name: getattr(self, name).model_dump(mode="json") for name in ("picture", "y", "x")}

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """All that is shown."""
        return self.offset, self.time, self.values, *(() if self.truth is None else (self.truth,))

    @property
    def timed(self) -> bool:
        """Whether time has a meaning."""
        return not np.isnat(self.time).any()

    @classmethod
    def of(cls, table: MovieTable) -> MovieSet:
        """Those of a table."""
        picture = table.picture

        def possible(values: NDArray[np.float32]) -> NDArray[np.float32]:
            if not (
                np.nanmin(values, initial=np.inf) < picture.low
                or np.nanmax(values, initial=-np.inf) > picture.high
            ):
                return values
            return np.where((values < picture.low) | (values > picture.high), np.float32(np.nan), values)

        return cls(
            ids=table.ids,
            offset=table.offset,
            time=table.time,
            values=possible(table.values),
            picture=picture,
            y=table.y,
            x=table.x,
            truth=None if table.truth is None else possible(table.truth),
            highest=highest(table.ids, [each.record for each in table.exclusions]),
        )
