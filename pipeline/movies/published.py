"""The course of a training that others published, to be drawn beside ours."""

from __future__ import annotations

from typing import Self

from pydantic import PositiveInt, model_validator

from pipeline.types import Spec


class PublishedCurve(Spec):
    """Validation losses after so many epochs.

    Parameters
    ----------
    source
        Who published it.
    note
        How far it can be compared.
    """

    epochs: tuple[PositiveInt, ...]
    validation_loss: tuple[float, ...]
    source: str
    note: str = ""

    @model_validator(mode="after")
    def _paired(self) -> Self:
        if len(self.epochs) != len(self.validation_loss) or list(self.epochs) != sorted(set(self.epochs)):
            raise ValueError("epochs ascend, and each has one validation_loss")
        return self
