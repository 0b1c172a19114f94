"""A long short-term memory with recurrent dropout that reads a text word by word, and judges by its last state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, PositiveInt

from pipeline.types import Spec

if TYPE_CHECKING:
    import keras

    from models.base import TextShape

Share = Annotated[float, Field(ge=0, lt=1)]


class Config(Spec):
    """Size of the network, and what it leaves out in training."""

    embedding: PositiveInt = 32
    """Size of the vector that stands for a word."""
    units: PositiveInt = 100
    """Size of the state."""
    input_dropout: Share = 0.2
    """Share of each word's vector left out in training, the same at every word."""
    recurrent_dropout: Share = 0.2
    """Share of the state that each gate does not see in training, the same at every word."""
    dropout: Share = 0.2
    """Share of the last state left out in training."""


def build(config: Config, shape: TextShape) -> keras.Model:
    """The untrained model; see `TextShape` for what goes in and out."""
    import keras

    from models.recurrent import LSTM
    from models.texts import embedded, log_odds

    words, vectors, present = embedded(shape, config.embedding)
    layer = LSTM(
        config.units,
        dropout=config.input_dropout,
        recurrent_dropout=config.recurrent_dropout,
        name="encoder",
    )
    odds = log_odds(layer(vectors, present=present), config.dropout)
    return keras.Model([words], odds, name="text_lstm_dropout")
