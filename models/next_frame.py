"""Convolutional LSTMs one upon another that give the next picture at every step, as in Keras's classic example.

Four layers of 40 filters and 3 × 3 cells, each with batch normalisation, and a three-dimensional convolution with a
sigmoid. That convolution also looks along time. As in the example it looks one step ahead of the picture that it gives
from, and so, at every step but the last, at the very picture that is asked for, with its noise: a low loss is then
little proof that anything is forecast. Where `causal`, it looks two steps back instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PositiveInt

from models.base import Learning
from pipeline.types import Spec

if TYPE_CHECKING:
    import keras

    from models.base import MovieShape

LEARNING = Learning("next", carried=True)


class Config(Spec):
    """Size of the network."""

    layers: PositiveInt = 4
    filters: PositiveInt = 40
    """Of each layer."""
    kernel_size: Literal[1, 3, 5, 7] = 3
    """Side of the kernels, in cells."""
    depth: PositiveInt = 3
    """Steps that the last convolution looks at."""
    causal: bool = False
    """Whether it looks at none that comes later."""
    momentum: Annotated[float, Field(gt=0, lt=1)] = 0.99
    """Of the means and deviations that batch normalisation goes by once trained: of the last 1 / (1 − m) steps or so.
    Trainings of few steps need less."""
    activation: Literal["sigmoid", "linear"] = "sigmoid"
    """Of the pictures that are given: `sigmoid` where they are between 0 and 1."""


def build(config: Config, shape: MovieShape) -> keras.Model:
    """The untrained model; see `MovieShape` for what goes in and out."""
    import keras

    from models.convlstm2d import ConvLSTM2D
    from models.layers import Margins

    history = keras.Input((shape.history, shape.y, shape.x), name="history")
    hidden = keras.layers.Reshape((-1, shape.y, shape.x, 1), name="cells")(history)
    for number in range(config.layers):
        hidden = ConvLSTM2D(
            config.filters,
            config.kernel_size,
            padding="same",
            return_sequences=True,
            name=f"recurrence_{number}",
        )(hidden)
        hidden = keras.layers.BatchNormalization(momentum=config.momentum, name=f"normalisation_{number}")(
            hidden
        )
    sides = {"filters": 1, "padding": "valid", "activation": config.activation, "dtype": "float32"}
    depth = (config.depth, config.kernel_size, config.kernel_size)
    before = config.depth - 1 if config.causal else config.depth // 2
    hidden = Margins(before, config.depth - 1 - before, config.kernel_size // 2, name="margins")(hidden)
    pictures = keras.layers.Conv3D(kernel_size=depth, name="pictures", **sides)(hidden)
    following = keras.layers.Reshape((-1, shape.y, shape.x), name="next")(pictures)
    return keras.Model([history], following, name="next_frame")
