"""An Elman network that reads a text word by word, and judges by its last state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models import text_lstm

if TYPE_CHECKING:
    import keras

    from models.base import TextShape


class Config(text_lstm.Config):
    """Size of the network."""


def build(config: Config, shape: TextShape) -> keras.Model:
    """The untrained model; see `TextShape` for what goes in and out."""
    import keras

    from models.recurrent import SimpleRNN
    from models.texts import embedded, log_odds

    words, vectors, present = embedded(shape, config.embedding)
    state = SimpleRNN(config.units, name="encoder")(vectors, present=present)
    return keras.Model([words], log_odds(state, config.dropout), name="text_simple_rnn")
