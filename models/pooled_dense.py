"""A dense network on the means of whole days and on a few of the newest samples: small, and slow to overfit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, PositiveInt

from pipeline.types import Spec

if TYPE_CHECKING:
    import keras

    from models.base import SeriesShape

BACK = (1, 4, 7, 13, 25, 49)
"""Which samples it sees as they are, counted from the end."""


class Config(Spec):
    """Sizes of the network."""

    pool: PositiveInt = 24
    """Samples of a mean."""
    units: PositiveInt = 128
    """Size of the hidden layer."""
    input_dropout: float = Field(default=0.25, ge=0, lt=1)
    """Fraction of what it sees that is left out in training."""
    dropout: float = Field(default=0.5, ge=0, lt=1)
    """Fraction of the hidden layer left out in training."""


def build(config: Config, shape: SeriesShape) -> keras.Model:
    """The untrained model; see `SeriesShape` for what goes in and out."""
    import keras

    history = keras.Input((shape.history, shape.variables), name="history")
    means = keras.layers.AveragePooling1D(min(config.pool, shape.history), name="means")(history)
    seen = [keras.layers.Flatten(name="flat")(means)]
    seen += [history[:, -back] for back in BACK if back <= shape.history]
    hidden = keras.layers.Concatenate(name="seen")(seen)
    hidden = keras.layers.Dropout(config.input_dropout, name="input_dropout")(hidden)
    hidden = keras.layers.Dense(config.units, activation="silu", name="hidden")(hidden)
    hidden = keras.layers.Dropout(config.dropout, name="dropout")(hidden)
    leads = keras.layers.Dense(shape.leads, kernel_initializer="zeros", name="leads", dtype="float32")(hidden)
    return keras.Model([history], leads, name="pooled_dense")
