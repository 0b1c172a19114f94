"""A 1-D convolutional network over time: three convolutions with pooling between, and their mean over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import PositiveInt

from pipeline.types import Spec

if TYPE_CHECKING:
    import keras

    from models.base import SeriesShape


class Config(Spec):
    """Sizes of the network."""

    filters: PositiveInt = 8
    """Channels of each convolution."""
    kernel_size: PositiveInt = 24
    """Steps that the first convolution sees; the second sees half as many, the third a quarter."""


def build(config: Config, shape: SeriesShape) -> keras.Model:
    """The untrained model; see `SeriesShape` for what goes in and out."""
    import keras

    history = keras.Input((shape.history, shape.variables), name="history")
    hidden = history
    for depth in range(3):
        steps = min(max(1, config.kernel_size >> depth), hidden.shape[1])
        layer = keras.layers.Conv1D(config.filters, steps, activation="relu", name=f"convolution_{depth + 1}")
        hidden = layer(hidden)
        if depth < 2 and hidden.shape[1] > 1:
            hidden = keras.layers.MaxPooling1D(2, name=f"pooling_{depth + 1}")(hidden)
    mean = keras.layers.GlobalAveragePooling1D(name="mean")(hidden)
    leads = keras.layers.Dense(shape.leads, kernel_initializer="zeros", name="leads", dtype="float32")(mean)
    return keras.Model([history], leads, name="conv1d")
