"""A long short-term memory with recurrent dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, PositiveInt

from pipeline.types import Spec

if TYPE_CHECKING:
    import keras

    from models.base import SeriesShape


class Config(Spec):
    """Size of the network, and what it leaves out in training."""

    units: PositiveInt = 32
    """Size of the state."""
    recurrent_dropout: float = Field(default=0.25, ge=0, lt=1)
    """Fraction of the state that each gate does not see in training."""
    dropout: float = Field(default=0.5, ge=0, lt=1)
    """Fraction of the last state left out in training."""


def build(config: Config, shape: SeriesShape) -> keras.Model:
    """The untrained model; see `SeriesShape` for what goes in and out."""
    import keras

    from models.recurrent import LSTM

    history = keras.Input((shape.history, shape.variables), name="history")
    encoder = LSTM(config.units, recurrent_dropout=config.recurrent_dropout, name="encoder")
    state = keras.layers.Dropout(config.dropout, name="dropout")(encoder(history))
    leads = keras.layers.Dense(shape.leads, kernel_initializer="zeros", name="leads", dtype="float32")(state)
    return keras.Model([history], leads, name="lstm_dropout")
