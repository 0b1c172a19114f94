"""A linear map of the flattened history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.types import Spec

if TYPE_CHECKING:
    import keras

    from models.base import SeriesShape


class Config(Spec):
    """It has no sizes of its own."""


def build(config: Config, shape: SeriesShape) -> keras.Model:  # noqa: ARG001 - as every model's
    """The untrained model; see `SeriesShape` for what goes in and out."""
    import keras

    history = keras.Input((shape.history, shape.variables), name="history")
    flat = keras.layers.Flatten(name="flat")(history)
    leads = keras.layers.Dense(shape.leads, kernel_initializer="zeros", name="leads", dtype="float32")(flat)
    return keras.Model([history], leads, name="linear_map")
