"""Samples of movies: pieces of pictures, and the pictures that are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.held_samples import HeldSamples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.base import MovieShape
    from models.movie_encoder import MovieEncoder
    from models.samples import Arrays, Shape
    from pipeline.movies.base import MovieSet
    from pipeline.movies.windows import MovieWindows


@dataclass(frozen=True)
class MovieSamples(HeldSamples):
    """Samples of movies: `history` (time, y, x), and the target (picture, y, x), NaN where it is not known.

    The target is the next picture at every step of the history, or the pictures after it.
    """

    record: MovieSet
    windows: MovieWindows
    encoder: MovieEncoder

    @property
    def shape(self) -> MovieShape:
        """That of the encoder."""
        return self.encoder.shape

    @property
    def buckets(self) -> None:
        """All are alike."""
        return

    @property
    def signature(self) -> tuple[dict[str, Shape], Shape]:
        """See the class."""
        spec, size = self.windows.spec, self.encoder.size
        return {"history": (spec.given, *size)}, (spec.asked, *size)

    def batch(self, samples: NDArray[np.int64], block: None = None) -> Arrays:
        """`history` and the target of these samples, each (sample, picture, y, x)."""
        del block
        spec, first = self.windows.spec, self.windows.first[samples, None]
        begin = 1 if spec.learn == "next" else spec.history
        given = self.record.values[first + np.arange(spec.given)]
        asked = self.record.asked[first + np.arange(begin, begin + spec.asked)]
        return self.encoder.seen(given), self.encoder.encode(asked)
