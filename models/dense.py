"""A dense network of one hidden layer on the flattened history."""

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
    """Size of the hidden layer."""


def build(config: Config, shape: SeriesShape) -> keras.Model:
    """The untrained model; see `SeriesShape` for what goes in and out."""
    import keras

    history = keras.Input((shape.history, shape.variables), name="history")
    flat = keras.layers.Flatten(name="flat")(history)
    hidden = keras.layers.Dense(config.units, activation="relu", name="hidden")(flat)
    leads = keras.layers.Dense(shape.leads, kernel_initializer="zeros", name="leads", dtype="float32")(hidden)
    return keras.Model([history], leads, name="dense")
