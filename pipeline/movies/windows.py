"""Windows of movies: pieces of unbroken pictures, each within one movie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import NonNegativeInt, PositiveInt, model_validator

from pipeline.types import Spec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Index = NDArray[np.int64]


class MovieSpec(Spec):
    """How movies are cut and learned from.

    Parameters
    ----------
    history
        Pictures that a forecast is made from.
    horizon
        Pictures that are forecast.
    stride
        Pictures between the beginnings of two windows of a movie.
    learn
        What models are trained for: the `horizon` pictures after a history, all at once; or the `next` picture at every
        step, of which a forecast is then rolled out, one picture from another.
    steps
        Of `next`: pictures that a training sample is given, to each of which the next is asked; as many as a forecast
        runs over where not given.
    judged
        What forecasts are judged by: the pictures `ahead` of a history; or, `each-step`, the picture after each one of
        a history, forecast from that one and those before it.
    parted_by
        What parts of a whole (`[splits]` in numbers below one) are parts of: the movies, in their order, or the
        pictures of all, with a guard gap before validation and before test.
    scaling
        What models see: the values as they are (`none`), from 0 to 1 between what is `shown` (`unit`), in standard
        deviations from the mean of the training pictures (`standard`), or rain rates in tens of decibels (`decibel`).
    guard
        Pictures that are left out before validation and before test, where a movie is cut; a window where not given.
    """

    history: PositiveInt
    horizon: PositiveInt = 1
    stride: PositiveInt = 1
    learn: Literal["next", "horizon"] = "horizon"
    steps: PositiveInt | None = None
    judged: Literal["ahead", "each-step"] = "ahead"
    parted_by: Literal["movie", "picture"] = "movie"
    scaling: Literal["none", "unit", "standard", "decibel"] = "standard"
    guard: NonNegativeInt | None = None

    @model_validator(mode="after")
    def _one_ahead(self) -> Self:
        if self.judged == "each-step" and (self.learn, self.horizon) != ("next", 1):
            raise ValueError('judged = "each-step" goes with learn = "next" and a horizon of 1')
        return self

    @property
    def sampling(self) -> int:
        """Every picture counts."""
        return 1

    @property
    def length(self) -> int:
        """Pictures of a window that is forecast."""
        return self.history + self.horizon

    @property
    def given(self) -> int:
        """Pictures that a training sample is given."""
        if self.learn == "horizon":
            return self.history
        return self.steps or self.length - 1

    @property
    def asked(self) -> int:
        """Pictures that a training sample asks for."""
        return self.horizon if self.learn == "horizon" else self.given

    @property
    def learned(self) -> int:
        """Pictures of a training window."""
        return self.length if self.learn == "horizon" else self.given + 1


@dataclass(frozen=True, slots=True)
class MovieWindows:
    """The windows of one split.

    Parameters
    ----------
    first
        int64 (window,): the place of each one's first picture among all, ascending.
    movie
        int64 (window,): the movie that it lies in.
    length
        Pictures of each.
    """

    spec: MovieSpec
    first: Index
    movie: Index
    length: int

    def __len__(self) -> int:
        return len(self.first)

    def part(self, some: slice | Index) -> MovieWindows:
        """Some of them."""
        return MovieWindows(self.spec, self.first[some], self.movie[some], self.length)

    def pictures(self, values: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float32]:
        """float32 (window, picture, y, x): of each window the pictures from `start` to before `stop`."""
        found: NDArray[np.float32] = values[self.first[:, None] + np.arange(start, stop)]
        return found
