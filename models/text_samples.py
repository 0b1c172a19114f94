"""Samples of texts: words of several lengths, padded batch by batch before the first word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.held_samples import LabelledSamples
from pipeline.records.words import PADDING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.base import TextShape
    from models.order import Buckets
    from models.samples import Arrays, Shape
    from models.text_encoder import TextEncoder
    from pipeline.records.texts import TextSet

    Index = NDArray[np.int64]


@dataclass(frozen=True)
class TextSamples(LabelledSamples):
    """Samples of texts: `words` (time,); the target (1,), the label.

    Parameters
    ----------
    offset, numbers
        As `TextEncoder.words` gives them.
    """

    record: TextSet
    encoder: TextEncoder
    buckets: Buckets
    offset: Index
    numbers: NDArray[np.int32]

    @property
    def shape(self) -> TextShape:
        """That of the encoder."""
        return self.encoder.shape

    @property
    def signature(self) -> tuple[dict[str, Shape], Shape]:
        """See the class."""
        return {"words": (None,)}, (1,)

    def batch(self, samples: Index, block: None = None) -> Arrays:
        """`words` and the labels of these samples, padded to the bound of the longest."""
        del block
        words = padded(self.numbers, self.offset, samples, self.buckets.padded(samples))
        return words, self.labels[samples][:, None]


def padded(numbers: NDArray[np.int32], offset: Index, samples: Index, length: int) -> NDArray[np.int32]:
    """int32 (sample, length): the chosen of the sequences that lie one after another, each at the end."""
    long = np.diff(offset)[samples]
    row = np.repeat(np.arange(len(samples)), long)
    within = np.arange(len(row)) - np.repeat(np.cumsum(long) - long, long)
    words = np.full((len(samples), length), PADDING, np.int32)
    words[row, np.repeat(length - long, long) + within] = numbers[np.repeat(offset[samples], long) + within]
    return words
