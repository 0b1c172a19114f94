"""Recurrent layers in Keras 3 operations, so that any Keras backend runs them."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

PACKAGE = "isotherm"


@keras.saving.register_keras_serializable(package=PACKAGE)
class ConvLSTM(keras.layers.Layer):
    """A convolutional LSTM that returns its last hidden state.

    Shi et al. (2015), arXiv:1506.04214, without peepholes. The input convolution of all steps is one call, the
    four gates of a step are one recurrent convolution, and what is the same at every step is convolved once.

    Inputs (batch, time, height, width, channel) and constants (batch, height, width, channel), output (batch,
    height, width, filters).

    Parameters
    ----------
    filters
        Channels of the state.
    kernel_size
        Side of the square kernels, in cells; odd.
    dropout
        Share of the projected channels dropped in training, the same at every step and cell.
    """

    def __init__(self, filters: int, kernel_size: int = 3, *, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.dropout_rate = dropout
        shared = {"padding": "same", "dtype": self.dtype_policy}
        self.input_projection = keras.layers.Conv2D(4 * filters, kernel_size, use_bias=False, **shared)
        self.constant_projection = keras.layers.Conv2D(4 * filters, kernel_size, **shared)
        self.dropout = keras.layers.Dropout(
            dropout, noise_shape=(None, 1, 1, 1, None), dtype=self.dtype_policy
        )

    def build(self, inputs_shape: tuple[int | None, ...], constants_shape: tuple[int | None, ...]) -> None:
        """Create the kernels."""
        self.input_projection.build((None, *inputs_shape[2:]))
        self.constant_projection.build(constants_shape)
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.kernel_size, self.kernel_size, self.filters, 4 * self.filters),
            initializer="glorot_uniform",
        )

    def call(self, inputs: Any, constants: Any, training: bool = False) -> Any:
        """Run over the time axis."""
        _, steps, height, width, channels = inputs.shape
        flat = ops.reshape(inputs, (-1, height, width, channels))
        projected = ops.reshape(self.input_projection(flat), (-1, steps, height, width, 4 * self.filters))
        projected = projected + self.constant_projection(constants)[:, None]
        projected = self.dropout(projected, training=training)
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


def _fold(fields: Any, size: int) -> Any:
    _, height, width, channels = fields.shape
    rows, columns = -(-height // size), -(-width // size)
    margins = ((0, 0), (0, rows * size - height), (0, columns * size - width), (0, 0))
    folded = ops.reshape(ops.pad(fields, margins), (-1, rows, size, columns, size, channels))
    return ops.reshape(ops.transpose(folded, (0, 1, 3, 2, 4, 5)), (-1, rows, columns, size * size * channels))


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
        return _fold(inputs, self.size)

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
    """Apply `Patches` to each step: (batch, height, width, time) to (batch, time, rows, columns, size²)."""

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def call(self, history: Any) -> Any:
        """Fold each step."""
        _, height, width, steps = history.shape
        each = ops.reshape(ops.transpose(history, (0, 3, 1, 2)), (-1, height, width, 1))
        folded = _fold(each, self.size)
        return ops.reshape(folded, (-1, steps, *folded.shape[1:]))

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable(package=PACKAGE)
class MeanOfSteps(keras.layers.Layer):
    """The mean over time of (batch, time, units) by weights (batch, time): (batch, units), zero where all are zero.

    It is taken in float32, whatever the compute type, in which a sum of many steps would lose what each adds.
    """

    def call(self, states: Any, weights: Any) -> Any:
        """Average."""
        weights = ops.cast(weights, "float32")[..., None]
        total = ops.sum(ops.cast(states, "float32") * weights, axis=1)
        return ops.cast(total / ops.maximum(ops.sum(weights, axis=1), 1e-6), states.dtype)


@keras.saving.register_keras_serializable(package=PACKAGE)
class Margins(keras.layers.Layer):
    """Zeros around pictures (batch, time, height, width, channel): steps before and after them, and cells on all sides.

    A three-dimensional convolution without padding of its own then sees so far back, ahead and aside.
    """

    def __init__(self, before: int, after: int, side: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.before = before
        self.after = after
        self.side = side

    def call(self, pictures: Any) -> Any:
        """Pad."""
        sides = (self.side, self.side)
        return ops.pad(pictures, ((0, 0), (self.before, self.after), sides, sides, (0, 0)))

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        return {**super().get_config(), "before": self.before, "after": self.after, "side": self.side}


@keras.saving.register_keras_serializable(package=PACKAGE)
class Embedded(keras.layers.Layer):
    """Vectors (batch, time, size) of whole numbers (batch, time), and where these are not zero (batch, time).

    Parameters
    ----------
    count
        Numbers from zero on; zero is padding, and its vector is zero.
    """

    def __init__(self, count: int, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count
        self.size = size

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Create the vectors."""
        del shape
        self.vectors = self.add_weight(name="vectors", shape=(self.count, self.size), initializer="uniform")

    def call(self, numbers: Any) -> tuple[Any, Any]:
        """Look up."""
        present = ops.cast(ops.not_equal(numbers, 0), self.compute_dtype)
        vectors = ops.cast(ops.take(self.vectors, numbers, axis=0), self.compute_dtype)
        return vectors * present[..., None], present

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        return {**super().get_config(), "count": self.count, "size": self.size}


@keras.saving.register_keras_serializable(package=PACKAGE)
class MaximumOfRuns(keras.layers.Layer):
    """The maximum of each run of steps of (batch, time, channel), not negative, where `present` (batch, time) is one.

    Runs are counted from the last step, and the first may be shorter: steps that are not present may stand before a
    sequence in any number, and change nothing. Output (batch, ⌈time / size⌉, channel), and where any step of the run
    was present (batch, ⌈time / size⌉).
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def call(self, steps: Any, present: Any) -> tuple[Any, Any]:
        """Take the maxima."""
        steps = steps * ops.cast(present, steps.dtype)[..., None]
        return self._maxima(steps), self._maxima(present[..., None])[..., 0]

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        return {**super().get_config(), "size": self.size}

    def _maxima(self, steps: Any) -> Any:
        # As many steps before as might be missing, less those that are too many.
        padded = ops.pad(steps, ((0, 0), (self.size - 1, 0), (0, 0)))
        whole = padded[:, ops.shape(padded)[1] % self.size :]
        return ops.max(ops.reshape(whole, (ops.shape(steps)[0], -1, self.size, steps.shape[-1])), axis=2)
