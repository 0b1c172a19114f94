"""How a model of texts begins and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from models.layers import Embedded

if TYPE_CHECKING:
    from models.base import TextShape


def embedded(shape: TextShape, size: int) -> tuple[Any, Any, Any]:
    """The input `words` (batch, time), their vectors (batch, time, size), and where they are no padding (batch, time).

    Vectors of padding are zero, so that a convolution sees beside the first word what it sees beside an edge.
    """
    words = keras.Input((None,), dtype="int32", name="words")
    vectors, present = Embedded(shape.vocabulary, size, name="embedding")(words)
    return words, vectors, present


def log_odds(state: Any, dropout: float) -> Any:
    """(batch, 1), of the state (batch, units) after the last word."""
    kept = keras.layers.Dropout(dropout, name="dropout")(state)
    return keras.layers.Dense(1, name="log_odds", dtype="float32")(kept)
