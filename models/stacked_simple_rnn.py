"""Elman networks one upon the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import PositiveInt

from pipeline.types import Spec

if TYPE_CHECKING:
    import keras

    from models.base import SeriesShape


class Config(Spec):
    """Sizes of the network."""

    units: PositiveInt = 16
    """Size of each state."""
    depth: PositiveInt = 3
    """Networks."""


def build(config: Config, shape: SeriesShape) -> keras.Model:
    """The untrained model; see `SeriesShape` for what goes in and out."""
    import keras

    from models.recurrent import SimpleRNN

    history = keras.Input((shape.history, shape.variables), name="history")
    state = history
    for level in range(1, config.depth + 1):
        inner = level < config.depth
        state = SimpleRNN(config.units, return_sequences=inner, name=f"encoder_{level}")(state)
    leads = keras.layers.Dense(shape.leads, kernel_initializer="zeros", name="leads", dtype="float32")(state)
    return keras.Model([history], leads, name="stacked_simple_rnn")
