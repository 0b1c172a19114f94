"""A trained model as a forecaster: weights, what was fitted beside them, and the card, in one folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import keras
import numpy as np

import models.layers  # noqa: F401  Keras needs the layers registered before it loads a model.
from models.card import CARD, ModelCard
from models.encoder import FieldEncoder
from pipeline.climatology import HarmonicClimatology
from pipeline.errors import NotFittedError, NotFoundError
from pipeline.forecasts.blend import Blend
from pipeline.publish.product import beside
from pipeline.scaling import AnomalyScaling

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.climatology import HarmonicClimatology as Climatology
    from pipeline.forecasts.base import Record
    from pipeline.windows import Windows

MODEL = "model.keras"
BASE = "base.npz"
CLIMATOLOGY = "climatology.npz"
SCALING = "scaling.npz"
BATCH = 128


@dataclass(frozen=True)
class TrainedModel:
    """A model that forecasts as every rung of the ladder does.

    Parameters
    ----------
    model
        Keras model; see `models.base.FieldShape`.
    encoder
        What was fitted with it.
    card
        What it is.
    """

    model: keras.Model
    encoder: FieldEncoder
    card: ModelCard

    @property
    def name(self) -> str:
        """The model's registered name."""
        return self.card.name

    @property
    def id(self) -> str:
        """The model's id in its card."""
        return self.card.model_id

    def fit(self, record: Record, windows: Windows, climatology: Climatology) -> Self:
        """Refused: a trained model is trained by `models.training.train`."""
        del record, windows, climatology
        raise NotFittedError(f"{self.card.model_id} is trained already", remedy="train a new model instead")

    def predict(self, history: NDArray[np.float32], init_time: NDArray[np.datetime64]) -> NDArray[np.float32]:
        """Forecasts (sample, lead_time, latitude, longitude) in degree_Celsius, NaN on land."""
        forecasts = []
        for first in range(0, len(history), BATCH):
            part = slice(first, first + BATCH)
            inputs, base = self.encoder.inputs(history[part], init_time[part])
            correction = np.asarray(self.model.predict_on_batch(inputs), dtype=np.float32)
            forecasts.append(self.encoder.forecast(correction, base))
        return np.concatenate(forecasts)

    def save(self, folder: Path) -> None:
        """Write the folder whole, beside its place, and move it there; one that is there is left alone.

        Raises
        ------
        DiskFullError
            There is no space; nothing is left behind.
        """
        if folder.exists():
            return
        with beside(folder) as draft:
            draft.mkdir()
            self.model.save(draft / MODEL, include_optimizer=False)
            np.savez(draft / BASE, **self.encoder.base.state())
            self.encoder.scaling.climatology.save(draft / CLIMATOLOGY)
            np.savez(
                draft / SCALING,
                deviation=np.array(self.encoder.scaling.deviation),
                ocean=self.encoder.ocean,
                step=np.array(self.encoder.step / np.timedelta64(1, "ns")).astype(np.int64),
            )
            self.card.write(draft)

    @classmethod
    def load(cls, folder: Path) -> TrainedModel:
        """Read a folder that `save` wrote; nothing in it is run as code.

        Raises
        ------
        NotFoundError
            There is no model there.
        """
        if not (folder / CARD).exists():
            raise NotFoundError(
                f"there is no trained model at {folder}", remedy="train one first", path=str(folder)
            )
        card = ModelCard.read(folder)
        with np.load(folder / BASE, allow_pickle=False) as stored:
            base = Blend.restore(dict(stored))
        with np.load(folder / SCALING, allow_pickle=False) as stored:
            scaling = AnomalyScaling(
                HarmonicClimatology.load(folder / CLIMATOLOGY), float(stored["deviation"])
            )
            encoder = FieldEncoder(
                stored["ocean"], np.timedelta64(int(stored["step"]), "ns"), card.windows, scaling, base
            )
        model: Any = keras.saving.load_model(folder / MODEL, compile=False, safe_mode=True)
        return cls(model, encoder, card)
