"""Recurrent layers in Keras 3 operations, so that any Keras backend runs them."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

PACKAGE = "isotherm"


@keras.saving.register_keras_serializable(package=PACKAGE)
class ConvLSTM(keras.layers.Layer):
    """A convolutional LSTM that returns its last hidden state.

    Shi et al. (2015), arXiv:1506.04214, without peepholes. The input convolution of all steps is one call, and
    the four gates of a step are one recurrent convolution, so that a step costs one convolution and not eight.

    Input (batch, time, height, width, channel), output (batch, height, width, filters).

    Parameters
    ----------
    filters
        Channels of the state.
    kernel_size
        Side of both convolutions' square kernels, in cells; odd.
    dropout
        Share of the input projection's channels dropped in training, the same at every step.
    """

    def __init__(self, filters: int, kernel_size: int = 3, *, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.dropout_rate = dropout
        self.input_projection = keras.layers.Conv2D(
            4 * filters, kernel_size, padding="same", name="input_projection", dtype=self.dtype_policy
        )
        self.dropout = keras.layers.Dropout(
            dropout, noise_shape=(None, 1, 1, None), name="dropout", dtype=self.dtype_policy
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the kernels."""
        _, _, height, width, channels = input_shape
        self.input_projection.build((None, height, width, channels))
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.kernel_size, self.kernel_size, self.filters, 4 * self.filters),
            initializer="glorot_uniform",
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Run over the time axis."""
        _, steps, height, width, channels = inputs.shape
        flat = ops.reshape(inputs, (-1, height, width, channels))
        projected = self.dropout(self.input_projection(flat), training=training)
        projected = ops.reshape(projected, (-1, steps, height, width, 4 * self.filters))
        kernel = ops.cast(self.recurrent_kernel, projected.dtype)
        hidden, cell = None, None
        for step in range(steps):
            gates = projected[:, step]
            if hidden is not None:
                gates = gates + ops.conv(hidden, kernel, padding="same")
            keep, write, read, candidate = ops.split(gates, 4, axis=-1)
            fresh = ops.sigmoid(write) * ops.tanh(candidate)
            # A forget gate that begins open keeps the gradient alive (Jozefowicz et al. 2015).
            cell = fresh if cell is None else ops.sigmoid(keep + 1.0) * cell + fresh
            hidden = ops.sigmoid(read) * ops.tanh(cell)
        return hidden

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "dropout": self.dropout_rate,
        }


@keras.saving.register_keras_serializable(package=PACKAGE)
class Patches(keras.layers.Layer):
    """Squares of cells become channels, so that a convolution sees twice as far at a quarter of the cost.

    Input (batch, height, width, channel), output (batch, ⌈height / size⌉, ⌈width / size⌉, size² × channel); what
    is missing at the north and east edges is zero.
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs: Any) -> Any:
        """Fold."""
        size = self.size
        _, height, width, channels = inputs.shape
        rows, columns = -(-height // size), -(-width // size)
        margins = ((0, 0), (0, rows * size - height), (0, columns * size - width), (0, 0))
        folded = ops.reshape(ops.pad(inputs, margins), (-1, rows, size, columns, size, channels))
        return ops.reshape(
            ops.transpose(folded, (0, 1, 3, 2, 4, 5)), (-1, rows, columns, size * size * channels)
        )

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable(package=PACKAGE)
class Cells(keras.layers.Layer):
    """The inverse of `Patches`: (batch, rows, columns, size² × channel) to (batch, height, width, channel)."""

    def __init__(self, size: int, height: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.height = height
        self.width = width

    def call(self, inputs: Any) -> Any:
        """Unfold, and cut the margins off."""
        size = self.size
        _, rows, columns, deep = inputs.shape
        channels = deep // (size * size)
        folded = ops.reshape(inputs, (-1, rows, columns, size, size, channels))
        field = ops.reshape(
            ops.transpose(folded, (0, 1, 3, 2, 4, 5)), (-1, rows * size, columns * size, channels)
        )
        return field[:, : self.height, : self.width]

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        return {**super().get_config(), "size": self.size, "height": self.height, "width": self.width}


@keras.saving.register_keras_serializable(package=PACKAGE)
class Steps(keras.layers.Layer):
    """Apply `Patches` to each step of a history and put the constant channels beside each.

    Inputs are the history (batch, height, width, time) and already folded constants (batch, rows, columns,
    channel); output (batch, time, rows, columns, size² + channel).
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.patches = Patches(size, dtype=self.dtype_policy)

    def call(self, history: Any, constants: Any) -> Any:
        """Fold each step."""
        _, height, width, steps = history.shape
        _, rows, columns, channels = constants.shape
        each = ops.reshape(ops.transpose(history, (0, 3, 1, 2)), (-1, height, width, 1))
        each = ops.reshape(self.patches(each), (-1, steps, rows, columns, self.size**2))
        beside = ops.broadcast_to(constants[:, None], (ops.shape(history)[0], steps, rows, columns, channels))
        return ops.concatenate([each, beside], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        return {**super().get_config(), "size": self.size}
