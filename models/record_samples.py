"""Samples of records: sequences of several lengths, padded batch by batch, with masks of what is no padding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from models.held_samples import LabelledSamples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.base import RecordShape
    from models.order import Buckets
    from models.record_encoder import RecordEncoder
    from models.samples import Arrays, Shape
    from pipeline.records.base import RecordSet
    from pipeline.records.steps import Alignment

    Index = NDArray[np.int64]
    Array = NDArray[np.float32]


@dataclass(frozen=True)
class RecordSamples(LabelledSamples):
    """Samples of records: `steps` (time, features), `present` and `asked` (time,); the target (1,), the label.

    `present` is one where a step is no padding, and `asked` at the step that the label is of, the last.
    """

    record: RecordSet
    encoder: RecordEncoder
    buckets: Buckets

    @property
    def shape(self) -> RecordShape:
        """That of the encoder."""
        return self.encoder.shape

    @property
    def signature(self) -> tuple[dict[str, Shape], Shape]:
        """See the class."""
        return {"steps": (None, self.shape.features), "present": (None,), "asked": (None,)}, (1,)

    def batch(self, samples: Index, block: None = None) -> Arrays:
        """`steps`, `present`, `asked` and the labels of these samples, padded to the bound of the longest."""
        del block
        offset, features = self._held
        inputs = padded(features, offset, samples, self.buckets.padded(samples), self.encoder.spec.alignment)
        return (*inputs, self.labels[samples][:, None])

    @cached_property
    def _held(self) -> tuple[Index, Array]:
        return self.encoder.features(self.record, self.windows.records)


def padded(
    features: Array, offset: Index, samples: Index, length: int, alignment: Alignment
) -> tuple[Array, Array, Array]:
    """`steps` (sample, time, feature), `present` and `asked` (sample, time) of sequences in steps (step, feature).

    Parameters
    ----------
    offset
        int64 (record + 1,): where each sequence begins.
    length
        Steps to pad to.
    """
    long = (offset[1:] - offset[:-1])[samples]
    row = np.repeat(np.arange(len(samples)), long)
    within = np.arange(len(row)) - np.repeat(np.cumsum(long) - long, long)
    column = within + (np.repeat(length - long, long) if alignment == "end" else 0)
    steps = np.zeros((len(samples), length, features.shape[1]), np.float32)
    present, asked = (np.zeros((len(samples), length), np.float32) for _ in range(2))
    steps[row, column] = features[np.repeat(offset[samples], long) + within]
    present[row, column] = 1
    asked[np.arange(len(samples)), (length if alignment == "end" else long) - 1] = 1
    return steps, present, asked
