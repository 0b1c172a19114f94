"""Samples of what has no time axis in common and is held whole: movies, and records and texts with their labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.rows import Rows
    from pipeline.records.base import RecordSet
    from pipeline.records.partition import Chosen
    from pipeline.records.texts import TextSet


class HeldSamples:
    """What of `Samples` is the same of all of them."""

    @property
    def area(self) -> None:
        """All cells weigh the same, where there are any."""
        return

    @property
    def rows(self) -> tuple[Rows, ...]:
        """None: all is in memory."""
        return ()

    @property
    def whole(self) -> None:
        """There are no rows."""
        return


@dataclass(frozen=True)
class LabelledSamples(HeldSamples):
    """Samples whose target is a label."""

    record: RecordSet | TextSet
    windows: Chosen

    @property
    def class_weights(self) -> tuple[float, float]:
        """Of a record without and of one with the label, so that both classes weigh the same, one in the mean."""
        share = float(self.labels.mean())
        return 0.5 / (1 - share), 0.5 / share

    @cached_property
    def labels(self) -> NDArray[np.float32]:
        """float32 (sample,), 1 where it happened."""
        return self.record.labels[self.windows.records].astype(np.float32)
