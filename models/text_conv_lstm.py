"""A convolution over neighbouring words, their maxima in short runs, and a long short-term memory that reads those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, PositiveInt

from pipeline.types import Spec

if TYPE_CHECKING:
    import keras

    from models.base import TextShape


class Config(Spec):
    """Size of the network."""

    embedding: PositiveInt = 32
    """Size of the vector that stands for a word."""
    filters: PositiveInt = 32
    """Channels of the convolution."""
    kernel_size: PositiveInt = 3
    """Words that it sees at a time."""
    pool: PositiveInt = 2
    """Words of a run, of which the largest of each channel is kept; runs are counted from the last word."""
    units: PositiveInt = 100
    """Size of the state."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Share of the last state left out in training."""


def build(config: Config, shape: TextShape) -> keras.Model:
    """The untrained model; see `TextShape` for what goes in and out."""
    import keras

    from models.layers import MaximumOfRuns
    from models.recurrent import LSTM
    from models.texts import embedded, log_odds

    words, vectors, present = embedded(shape, config.embedding)
    convolution = keras.layers.Conv1D(
        config.filters, config.kernel_size, padding="same", activation="relu", name="convolution"
    )
    found, known = MaximumOfRuns(config.pool, name="runs")(convolution(vectors), present)
    state = LSTM(config.units, name="encoder")(found, present=known)
    return keras.Model([words], log_odds(state, config.dropout), name="text_conv_lstm")
