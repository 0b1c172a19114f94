"""A ConvLSTM encoder with a multi-lead head that corrects a base forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, PositiveInt

from pipeline.types import Spec

if TYPE_CHECKING:
    import keras

    from models.base import FieldShape


class Config(Spec):
    """Sizes of the ConvLSTM and its head."""

    filters: PositiveInt = 32
    kernel_size: PositiveInt = 3
    patch: PositiveInt = 2
    """Side in cells of the squares that are folded into channels."""
    head: PositiveInt = 64
    """Channels of the head's two hidden convolutions."""
    dropout: float = Field(default=0.1, ge=0, lt=1)


def build(config: Config, shape: FieldShape) -> keras.Model:
    """The untrained model; see `FieldShape` for what goes in and out.

    The encoder reads the history's anomalies, the head sees its last state beside the newest days and the base
    forecast at all leads, and gives all leads at once. The head's last kernel is zero: the untrained model
    returns zero, which is the base forecast itself.
    """
    import keras

    from models.layers import Cells, ConvLSTM, Patches, Steps

    grid = (shape.latitude, shape.longitude)
    history = keras.Input((*grid, shape.history), name="history")
    base = keras.Input((*grid, shape.horizon), name="base")
    constants = keras.Input((*grid, shape.constants), name="constants")

    patches = Patches(config.patch, name="patches")
    folded = patches(constants)
    steps = Steps(config.patch, name="steps")(history)
    state = ConvLSTM(config.filters, config.kernel_size, dropout=config.dropout, name="encoder")(
        steps, folded
    )

    head = keras.layers.Concatenate(name="beside")([state, patches(base), folded, patches(history)])
    for depth in (1, 2):
        head = keras.layers.Conv2D(
            config.head, config.kernel_size, padding="same", activation="gelu", name=f"head_{depth}"
        )(head)
        head = keras.layers.SpatialDropout2D(config.dropout, name=f"head_dropout_{depth}")(head)
    leads = keras.layers.Conv2D(
        shape.horizon * config.patch**2,
        config.kernel_size,
        padding="same",
        kernel_initializer="zeros",
        name="leads",
        dtype="float32",
    )(head)
    correction = Cells(config.patch, *grid, name="correction", dtype="float32")(leads)
    return keras.Model([history, base, constants], correction, name="convlstm")
