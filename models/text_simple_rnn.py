"""An Elman network that reads a text word by word, and judges by its last state."""

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
    units: PositiveInt = 100
    """Size of the state."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Share of the last state left out in training."""


def build(config: Config, shape: TextShape) -> keras.Model:
    """The untrained model; see `TextShape` for what goes in and out."""
    import keras

    from models.recurrent import SimpleRNN
    from models.texts import embedded, log_odds

    words, vectors, present = embedded(shape, config.embedding)
    state = SimpleRNN(config.units, name="encoder")(vectors, present=present)
    return keras.Model([words], log_odds(state, config.dropout), name="text_simple_rnn")
