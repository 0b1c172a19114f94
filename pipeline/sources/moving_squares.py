"""Movies of bright squares that move in straight lines, made here: an exercise for networks of pictures.

What is shown is that of Keras's classic example of convolutional LSTMs (`conv_lstm`, with the layer's first release in
2017): 3 to 7 squares of 4 or 6 cells a side begin anywhere in the picture, and each goes by −1, 0 or 1 cells a frame
along either axis, at one pace, out of the picture where it leads there. Where squares lie on each other the picture is
no brighter. With an even chance, frame by frame and square by square, 0.1 is added to or taken from the square and a
rim of one cell around it. What is asked for are the same pictures without that noise.

The example draws on 80 × 80 cells and cuts the middle 40 × 40 out; here the window is drawn on at once, which gives
the same pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from pipeline.errors import ConfigError
from pipeline.movies.base import Axis, MovieTable, Picture
from pipeline.types import Spec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from numpy.typing import NDArray

    from pipeline.sources.base import Fetched, Granule

MIRROR = "made-here"
FEWEST, MOST = 3, 7
HALF_SIDES = (2, 3)
NOISE = 0.1
PICTURE = Picture(
    name="brightness",
    long_name="brightness",
    units="1",
    low=-2.0,
    high=1.0,
    scale=NOISE,
    shown=(0.0, 1.0),
)


class MovingSquaresConfig(Spec):
    """How many movies are made, and of how many pictures.

    Parameters
    ----------
    pictures
        Of a movie: those that are given, and the one after.
    longer, longer_pictures
        The last so many movies go on to so many pictures, so that what is forecast from them has a truth.
    size
        Cells along either side.
    noise
        Whether the pictures that are given have noise.
    """

    movies: PositiveInt = 1200
    pictures: PositiveInt = 16
    longer: NonNegativeInt = 200
    longer_pictures: PositiveInt = 23
    size: int = Field(default=40, ge=8)
    noise: bool = True
    seed: NonNegativeInt = 0

    @model_validator(mode="after")
    def _no_more_longer_ones(self) -> Self:
        if self.longer > self.movies:
            raise ValueError(f"of {self.movies} movies, {self.longer} cannot be longer")
        return self


class MovingSquares:
    """The source `moving-squares`; see `pipeline.sources.base.MovieSource`."""

    name = "moving-squares"
    units = PICTURE.units
    Config: ClassVar = MovingSquaresConfig
    mirrors: tuple[str, ...] = (MIRROR,)

    def __init__(self, config: MovingSquaresConfig | None = None) -> None:
        self.config = config or MovingSquaresConfig()

    def list_granules(self, mirror: str, read: Callable[[str], bytes]) -> Sequence[Granule]:
        """None: they are made here.

        Raises
        ------
        ConfigError
            An unknown mirror.
        """
        del read
        if mirror != MIRROR:
            raise ConfigError(
                f"moving-squares has no mirror {mirror!r}", remedy=f"known: {MIRROR}", given=mirror
            )
        return []

    def decode_movies(self, files: Sequence[Fetched]) -> MovieTable:
        """The movies of the seed; each depends on the seed and its own number alone."""
        del files
        config = self.config
        lengths = np.full(config.movies, config.pictures)
        lengths[config.movies - config.longer :] = config.longer_pictures
        made = [
            make_movie(number, int(length), size=config.size, noise=config.noise, seed=config.seed)
            for number, length in enumerate(lengths, start=1)
        ]
        values, truth = (np.concatenate(part) for part in zip(*made, strict=True))
        offset = np.concatenate([[0], np.cumsum(lengths)])
        cells = tuple(float(each) for each in range(config.size))
        return MovieTable(
            ids=tuple(str(number) for number in range(1, config.movies + 1)),
            offset=offset,
            time=np.full(len(values), np.datetime64("NaT"), "datetime64[ns]"),
            values=values,
            picture=PICTURE,
            y=Axis(name="y", long_name="row, from the top", units="1", values=cells),
            x=Axis(name="x", long_name="column", units="1", values=cells),
            source=np.zeros(len(values), np.int32),
            truth=truth if config.noise else None,
        )

    def content_complaint(self, head: bytes) -> str:
        """None: there are no files."""
        del head
        return ""


def make_movie(
    number: int, length: int, *, size: int, noise: bool, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The pictures of one movie with noise, or without if not asked for, and always without, each (picture, y, x).

    A longer movie begins as a shorter one of the same number.
    """
    rng = np.random.default_rng((seed, number))
    squares = int(rng.integers(FEWEST, MOST + 1))
    begin = rng.integers(0, size, size=(squares, 2))
    pace = rng.integers(-1, 2, size=(squares, 2))
    half = rng.choice(HALF_SIDES, size=squares)
    # Drawn last, frame by frame: the length of a movie changes nothing of what comes before.
    flips = rng.integers(0, 2, size=(length, squares, 2))
    tenths = np.zeros((length, size, size), np.int16)
    truth = np.zeros((length, size, size), np.float32)
    for frame in range(length):
        places = begin + pace * frame
        for (row, column), side, (noisy, up) in zip(places, half, flips[frame], strict=True):
            inside = _block(row, column, side)
            truth[frame][inside] = 1.0
            tenths[frame][inside] += 10
            if noise and noisy:
                tenths[frame][_block(row, column, side + 1)] += 1 if up else -1
    values = (np.minimum(tenths, 10) * np.float64(NOISE)).astype(np.float32)
    return values, truth


def _block(row: int, column: int, half: int) -> tuple[slice, slice]:
    """Cells from `half` before to before `half` after, as far as they lie in the picture."""
    return (
        slice(max(row - half, 0), max(row + half, 0)),
        slice(max(column - half, 0), max(column + half, 0)),
    )
