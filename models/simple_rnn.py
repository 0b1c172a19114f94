"""An Elman network that reads the history."""

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
    """Size of the state."""


def build(config: Config, shape: SeriesShape) -> keras.Model:
    """The untrained model; see `SeriesShape` for what goes in and out."""
    import keras

    from models.recurrent import SimpleRNN

    history = keras.Input((shape.history, shape.variables), name="history")
    state = SimpleRNN(config.units, name="encoder")(history)
    leads = keras.layers.Dense(shape.leads, kernel_initializer="zeros", name="leads", dtype="float32")(state)
    return keras.Model([history], leads, name="simple_rnn")
