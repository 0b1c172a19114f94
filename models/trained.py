"""A trained model as a forecaster: weights, what was fitted beside them, and the card, in one folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import keras
import numpy as np

import models.convlstm2d  # Keras needs the layers registered before it loads a model.
import models.layers
import models.movie_layers
import models.recurrent  # noqa: F401
from models.card import CARD, AnyCard, read_card
from models.encoders import ENCODERS
from pipeline.errors import NotFittedError, NotFoundError
from pipeline.location import local_copy
from pipeline.publish.product import beside

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from models.encoders import Encoder, TimedEncoder
    from pipeline.climatology import HarmonicClimatology
    from pipeline.forecasts.base import AnyRecord
    from pipeline.windows import Windows

MODEL = "model.keras"
BATCH = 128


@dataclass(frozen=True)
class TrainedModel:
    """A model that forecasts as every rung of the ladder does.

    Parameters
    ----------
    model
        Keras model; see the shapes in `models.base`.
    encoder
        What was fitted with it.
    card
        What it is.
    """

    model: keras.Model
    encoder: Encoder
    card: AnyCard

    @property
    def name(self) -> str:
        """As the experiment calls it."""
        return self.card.name

    @property
    def id(self) -> str:
        """The model's id in its card."""
        return self.card.model_id

    def fit(self, record: AnyRecord, windows: Windows, climatology: HarmonicClimatology) -> Self:
        """Refused: a trained model is trained by `models.training.train`."""
        del record, windows, climatology
        raise NotFittedError(f"{self.card.model_id} is trained already", remedy="train a new model instead")

    def predict(self, history: NDArray[np.float32], init_time: NDArray[np.datetime64]) -> NDArray[np.float32]:
        """Forecasts (sample, lead_time, latitude, longitude) in the record's units, NaN on land."""
        return forecast(self.model, self.encoder, history, init_time)

    def save(self, folder: Path) -> None:
        """Write the folder whole, beside its place, and move it there; one that is there is left alone.

        Raises
        ------
        DiskFullError
            There is no space; nothing is left behind.
        """
        if (folder / CARD).exists():
            return
        with beside(folder, mark=CARD) as draft:
            draft.mkdir()
            self.model.save(draft / MODEL, include_optimizer=False)
            self.encoder.save(draft)
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
        card = read_card(folder)
        with local_copy(folder) as near:
            encoder = ENCODERS[card.kind].load(near, card.shape)
            model: Any = keras.saving.load_model(near / MODEL, compile=False, safe_mode=True)
        return cls(model, encoder, card)


def forecast(
    model: keras.Model, encoder: TimedEncoder, history: NDArray[np.float32], init_time: NDArray[np.datetime64]
) -> NDArray[np.float32]:
    """Forecasts (sample, lead_time, latitude, longitude) in the record's units, by a model and its encoder.

    Parameters
    ----------
    history
        float32 (sample, history, …), in the record's units.
    init_time
        datetime64[ns] (sample,).
    """
    forecasts = []
    for first in range(0, len(history), BATCH):
        part = slice(first, first + BATCH)
        inputs, base = encoder.inputs(history[part], init_time[part])
        correction = np.asarray(model.predict_on_batch(inputs), dtype=np.float32)
        forecasts.append(encoder.forecast(correction, base))
    return np.concatenate(forecasts)
