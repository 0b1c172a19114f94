"""Gated recurrent units one upon the other, with recurrent dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, PositiveInt

from pipeline.types import Spec

if TYPE_CHECKING:
    import keras

    from models.base import SeriesShape


class Config(Spec):
    """Sizes of the network, and what it leaves out in training."""

    units: PositiveInt = 32
    """Size of each state."""
    depth: PositiveInt = 2
    """Layers."""
    recurrent_dropout: float = Field(default=0.5, ge=0, lt=1)
    """Fraction of the state that each gate does not see in training."""
    dropout: float = Field(default=0.5, ge=0, lt=1)
    """Fraction of the last state left out in training."""


def build(config: Config, shape: SeriesShape) -> keras.Model:
    """The untrained model; see `SeriesShape` for what goes in and out."""
    import keras

    from models.recurrent import GRU

    history = keras.Input((shape.history, shape.variables), name="history")
    state = history
    for level in range(1, config.depth + 1):
        state = GRU(
            config.units,
            return_sequences=level < config.depth,
            recurrent_dropout=config.recurrent_dropout,
            name=f"encoder_{level}",
        )(state)
    state = keras.layers.Dropout(config.dropout, name="dropout")(state)
    leads = keras.layers.Dense(shape.leads, kernel_initializer="zeros", name="leads", dtype="float32")(state)
    return keras.Model([history], leads, name="stacked_gru")
