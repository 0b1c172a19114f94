"""Two long short-term memories, of which one reads the history backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import PositiveInt

from pipeline.types import Spec

if TYPE_CHECKING:
    import keras

    from models.base import SeriesShape


class Config(Spec):
    """Size of the network."""

    units: PositiveInt = 16
    """Size of each of the two states."""


def build(config: Config, shape: SeriesShape) -> keras.Model:
    """The untrained model; see `SeriesShape` for what goes in and out."""
    import keras

    from models.recurrent import LSTM

    history = keras.Input((shape.history, shape.variables), name="history")
    forwards = LSTM(config.units, name="forwards")(history)
    backwards = LSTM(config.units, go_backwards=True, name="backwards")(history)
    state = keras.layers.Concatenate(name="both")([forwards, backwards])
    leads = keras.layers.Dense(shape.leads, kernel_initializer="zeros", name="leads", dtype="float32")(state)
    return keras.Model([history], leads, name="bidirectional_lstm")
