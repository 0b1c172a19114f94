"""What a model of movies sees: pictures scaled by what the training pictures show, and zero where nothing is known."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from models.base import MovieShape
from models.movie_samples import MovieSamples
from pipeline.errors import NotFittedError
from pipeline.movies.decibels import from_decibels, to_decibels

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from models.recipe import Recipe
    from pipeline.movies.base import MovieSet
    from pipeline.movies.windows import MovieSpec, MovieWindows

    Array = NDArray[np.float32]

SCALING = "scaling.npz"


@dataclass(frozen=True, slots=True)
class MovieEncoder:
    """From pictures in their units to what a model takes, and back.

    Parameters
    ----------
    offset, scale
        What a model sees is the value less `offset`, by `scale`; of `decibel` scaling, the value is in decibels.
    size
        Cells along y and x.
    """

    spec: MovieSpec
    offset: float
    scale: float
    size: tuple[int, int]

    @classmethod
    def fit(cls, record: MovieSet, recipe: Recipe, *, snapshot: str) -> Self:
        """Fit on the training pictures."""
        del snapshot
        return cls.fit_on(record, recipe.windows, recipe.parted(record).windows("train"))

    @classmethod
    def fit_on(cls, record: MovieSet, spec: MovieSpec, chosen: MovieWindows) -> Self:
        """Fit on the pictures of these windows alone."""
        offset, scale = 0.0, 1.0
        if spec.scaling == "unit":
            low, high = record.picture.shown
            offset, scale = low, high - low
        elif spec.scaling == "decibel":
            offset, scale = 0.0, 10.0
        elif spec.scaling == "standard":
            some = np.unique(chosen.first[:, None] + np.arange(chosen.length))
            values = record.values[some]
            known = values[np.isfinite(values)].astype(np.float64)
            offset, spread = (float(known.mean()), float(known.std())) if known.size else (0.0, 0.0)
            scale = spread if spread > 1e-6 else 1.0
        return cls(spec, offset, scale, (len(record.y.values), len(record.x.values)))

    @classmethod
    def load(cls, folder: Path, spec: MovieSpec) -> Self:
        """Read what `save` wrote."""
        with np.load(folder / SCALING, allow_pickle=False) as held:
            rows, columns = map(int, held["size"])
            return cls(spec, float(held["offset"]), float(held["scale"]), (rows, columns))

    def save(self, folder: Path) -> None:
        """Write into the model's folder."""
        np.savez(folder / SCALING, offset=self.offset, scale=self.scale, size=np.array(self.size))

    @property
    def shape(self) -> MovieShape:
        """What a model must take and give."""
        rows, columns = self.size
        if self.spec.learn == "next":
            return MovieShape(y=rows, x=columns, history=self.spec.given, horizon=1, stepwise=True)
        return MovieShape(y=rows, x=columns, history=self.spec.history, horizon=self.spec.horizon)

    @property
    def sha256(self) -> str:
        """The hash of all that was fitted."""
        return hashlib.sha256(np.array([self.offset, self.scale, *self.size]).tobytes()).hexdigest()

    def samples(self, record: MovieSet, windows: MovieWindows) -> MovieSamples:
        """The samples of these windows.

        Raises
        ------
        NotFittedError
            The pictures are of another size.
        """
        found = (len(record.y.values), len(record.x.values))
        if found != self.size:
            raise NotFittedError(
                f"the model was fitted on pictures of {self.size[0]} × {self.size[1]} cells, and these are of "
                f"{found[0]} × {found[1]}",
                remedy="train a new model",
            )
        return MovieSamples(record, windows, self)

    def encode(self, values: Array) -> Array:
        """Scaled; NaN stays."""
        if self.spec.scaling == "decibel":
            values = to_decibels(values)
        return np.asarray((values - np.float32(self.offset)) / np.float32(self.scale), np.float32)

    def seen(self, values: Array) -> Array:
        """What a model is given of pictures: scaled, and zero where nothing is known."""
        return np.nan_to_num(self.encode(values), copy=False, nan=0.0)

    def decode(self, output: Array) -> Array:
        """In the units of the picture; the inverse of `encode`."""
        values = np.asarray(output * np.float32(self.scale) + np.float32(self.offset), np.float32)
        return from_decibels(values) if self.spec.scaling == "decibel" else values
