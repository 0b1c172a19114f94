"""Forecasts of pictures by trained models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from models.rolling import Roller
from models.trained import TrainedModel

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float32]

BATCH = 20


@dataclass(frozen=True)
class MovieForecaster:
    """A trained model as the rungs of movies are: asked for the pictures after a history, in their units."""

    trained: TrainedModel

    @classmethod
    def load(cls, folder: Path) -> MovieForecaster:
        """That of a model's folder; raises as `TrainedModel.load`."""
        return cls(TrainedModel.load(folder))

    @property
    def name(self) -> str:
        """As the experiment calls it."""
        return self.trained.name

    @cached_property
    def _roller(self) -> Roller:
        return Roller(self.trained.model)

    def predict(self, history: Array, horizon: int) -> Array:
        """float32 (window, horizon, y, x), of histories (window, history, y, x); NaN is unknown there."""
        encoder, model = self.trained.encoder, self.trained.model
        found = []
        for first in range(0, len(history), BATCH):
            given = encoder.seen(history[first : first + BATCH])
            if encoder.spec.learn == "next":
                output = self._roller.roll_out(given, horizon)
            else:
                output = np.asarray(model.predict_on_batch({"history": given}), np.float32)
            found.append(encoder.decode(output))
        return np.concatenate(found)

    def at_each_step(self, history: Array, horizon: int) -> Array:
        """float32 (window, history, y, x): the picture after each of a history, made from that and those before it.

        Of a model of the next picture at every step; `horizon` is 1.
        """
        del horizon
        encoder, model = self.trained.encoder, self.trained.model
        found = []
        for first in range(0, len(history), BATCH):
            given = encoder.seen(history[first : first + BATCH])
            output = np.asarray(model.predict_on_batch({"history": given}), np.float32)
            found.append(encoder.decode(output))
        return np.concatenate(found)
