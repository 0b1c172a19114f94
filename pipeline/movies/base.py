"""What a set of movies is: pictures of one size in unbroken order, what they show, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.types import Spec

if TYPE_CHECKING:
    import numpy as np
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
class MovieTable:
    """Decoded movies, as published. A picture that lacks begins a new movie.

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
    source
        int32 (picture,): the place of its file in `sources`.
    sources
        Empty where the movies were made here.
    """

    ids: tuple[str, ...]
    offset: NDArray[np.int64]
    time: NDArray[np.datetime64]
    values: NDArray[np.float32]
    picture: Picture
    y: Axis
    x: Axis
    source: NDArray[np.int32]
    sources: tuple[SourceFile, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()


@dataclass(frozen=True, slots=True)
class MovieSet:
    """The movies of an experiment, as rungs and models see them.

    The fields are those of `MovieTable`.
    """

    ids: tuple[str, ...]
    offset: NDArray[np.int64]
    time: NDArray[np.datetime64]
    values: NDArray[np.float32]
    picture: Picture
    y: Axis
    x: Axis

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def kind(self) -> Kind:
        """Movies."""
        return "movies"
