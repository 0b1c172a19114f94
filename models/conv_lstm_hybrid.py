"""A convolution of each picture, a long short-term memory over them, and at every step the next picture from its state.

The network of Deeplearning4j's tutorial on sea temperatures: 7 filters of 2 × 2, 2 apart, make 6 × 2 × 7 numbers of a
grid of 13 × 4, whose last row no filter reaches; 200 units with softsign in place of the hyperbolic tangent; one linear
layer. Weights are drawn from Glorot's normal distribution (Glorot and Bengio 2010), called Xavier there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import PositiveInt

from models.base import Learning
from pipeline.types import Spec

if TYPE_CHECKING:
    import keras

    from models.base import MovieShape

LEARNING = Learning("next")
XAVIER = "glorot_normal"


class Config(Spec):
    """Sizes of the network, and what it forecasts relative to."""

    filters: PositiveInt = 7
    kernel: PositiveInt = 2
    """Cells along each side of a filter."""
    stride: PositiveInt = 2
    """Cells from one place of a filter to the next."""
    units: PositiveInt = 200
    base: Literal["mean", "last"] = "mean"
    """What is corrected: the mean of the training pictures, or the newest picture, which is persistence."""


def build(config: Config, shape: MovieShape) -> keras.Model:
    """The untrained model; see `MovieShape` for what goes in and out."""
    import keras

    history = keras.Input((shape.history, shape.y, shape.x), name="history")
    pictures = keras.layers.Reshape((-1, shape.y, shape.x, 1), name="pictures")(history)
    convolution = keras.layers.Conv2D(
        config.filters,
        config.kernel,
        strides=config.stride,
        activation="relu",
        kernel_initializer=XAVIER,
        name="convolution",
    )
    seen = keras.layers.TimeDistributed(convolution, name="convolutions")(pictures)
    # Flattened by its size: of a history of any length Keras knows no other.
    size = seen.shape[2] * seen.shape[3] * seen.shape[4]
    seen = keras.layers.Reshape((-1, size), name="seen")(seen)
    states = keras.layers.LSTM(
        config.units,
        activation="softsign",
        kernel_initializer=XAVIER,
        recurrent_initializer=XAVIER,
        return_sequences=True,
        name="memory",
    )(seen)
    corrects = config.base == "last"
    cells = keras.layers.Dense(
        shape.y * shape.x,
        kernel_initializer="zeros" if corrects else XAVIER,
        name="cells",
        dtype="float32",
    )(states)
    following = keras.layers.Reshape((-1, shape.y, shape.x), name="next", dtype="float32")(cells)
    if corrects:
        following = keras.layers.Add(name="corrected", dtype="float32")([history, following])
    return keras.Model([history], following, name="conv_lstm_hybrid")
