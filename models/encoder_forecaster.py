"""An encoder of ConvLSTMs reads pictures, and a forecaster of ConvLSTMs that takes over its states gives the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, PositiveInt

from models.base import Learning
from pipeline.errors import ConfigError
from pipeline.types import Spec

if TYPE_CHECKING:
    import keras

    from models.base import MovieShape

LEARNING = Learning("horizon")


class Config(Spec):
    """Sizes of the network."""

    filters: tuple[PositiveInt, ...] = Field(default=(32, 32), min_length=1)
    """Channels of each ConvLSTM of the encoder, from the pictures up; the forecaster has the same ones upside down."""
    kernel_size: PositiveInt = 3
    patch: PositiveInt = 4
    """Side in cells of the squares that are folded into channels."""
    normalise: bool = False
    """Batch normalisation of what one ConvLSTM hands to the next; of use where batches are not of a few windows."""


def build(config: Config, shape: MovieShape) -> keras.Model:
    """The untrained model; see `MovieShape` for what goes in and out.

    Shi et al. (2015), arXiv:1506.04214: each ConvLSTM of the forecaster begins in the two states that the encoder's of
    its level ends in, and the pictures are read off the outputs of all levels, beside the last picture given, by one
    1 × 1 convolution. The forecaster runs for as many steps as there are leads, and is given no pictures, neither blank
    ones nor its own: at each step its top level is given what the encoder's top level gave last.

    Raises
    ------
    ConfigError
        The shape is of the next picture at every step.
    """
    import keras

    from models.convlstm2d import ConvLSTM2D
    from models.movie_layers import LastSteps, PictureCells, PicturePatches

    if shape.stepwise:
        raise ConfigError(
            "encoder_forecaster gives all pictures of the horizon at once, not the next at every step",
            remedy='write learn = "horizon" in [movies] windows',
            key="learn",
        )

    def recurrence(filters: int, name: str) -> keras.layers.Layer:
        return ConvLSTM2D(
            filters, config.kernel_size, padding="same", return_sequences=True, return_state=True, name=name
        )

    def normalised(hidden: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return keras.layers.BatchNormalization(name=name)(hidden) if config.normalise else hidden

    history = keras.Input((shape.history, shape.y, shape.x), name="history")
    squares = hidden = PicturePatches(config.patch, name="squares")(history)
    levels = []
    for level, filters in enumerate(config.filters):
        hidden, *state = recurrence(filters, f"encoder_{level}")(hidden)
        levels.append((level, filters, state))
        hidden = normalised(hidden, f"encoder_normalisation_{level}")
    hidden = LastSteps(shape.horizon, name="context")(hidden)
    outputs = []
    for level, filters, state in reversed(levels):
        hidden, *_ = recurrence(filters, f"forecaster_{level}")(hidden, initial_state=state)
        hidden = normalised(hidden, f"forecaster_normalisation_{level}")
        outputs.append(hidden)
    outputs.append(LastSteps(shape.horizon, name="last")(squares))
    seen = keras.layers.Concatenate(name="all_levels")(outputs)
    leads = keras.layers.Conv3D(
        config.patch**2, 1, kernel_initializer="zeros", name="leads", dtype="float32"
    )(seen)
    pictures = PictureCells(config.patch, shape.y, shape.x, name="pictures", dtype="float32")(leads)
    return keras.Model([history], pictures, name="encoder_forecaster")
