"""A long short-term memory that reads a record, and judges by its last state and by the mean of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, PositiveInt

from pipeline.types import Spec

if TYPE_CHECKING:
    import keras

    from models.base import RecordShape

Share = Annotated[float, Field(ge=0, lt=1)]


class Config(Spec):
    """Size of the network."""

    units: PositiveInt = 32
    """Size of each state."""
    members: PositiveInt = 4
    """Networks that are trained side by side from weights of their own, whose probabilities are averaged."""
    input_dropout: Share = 0.2
    """Share of the features left out in training, the same at every step."""
    dropout: Share = 0.3
    """Share of the states left out in training, before the last layer."""


def build(config: Config, shape: RecordShape) -> keras.Model:
    """The untrained model; see `RecordShape` for what goes in and out."""
    import keras

    from models.layers import MeanOfSteps
    from models.recurrent import LSTM

    steps = keras.Input((None, shape.features), name="steps")
    present = keras.Input((None,), name="present")
    asked = keras.Input((None,), name="asked")
    members = []
    for number in range(config.members):
        layer = LSTM(
            config.units, return_sequences=True, dropout=config.input_dropout, name=f"encoder_{number}"
        )
        states = layer(steps, present=present)
        read = keras.layers.Concatenate(name=f"read_{number}")(
            [
                MeanOfSteps(name=f"at_label_{number}")(states, asked),
                MeanOfSteps(name=f"mean_{number}")(states, present),
            ]
        )
        read = keras.layers.Dropout(config.dropout, name=f"dropout_{number}")(read)
        members.append(keras.layers.Dense(1, name=f"log_odds_{number}", dtype="float32")(read))
    odds = members[0] if len(members) == 1 else keras.layers.Concatenate(name="log_odds")(members)
    return keras.Model([steps, present, asked], odds, name="lstm_classifier")
