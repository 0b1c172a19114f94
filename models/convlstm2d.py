"""A convolutional LSTM with the weights of Keras's own, made for training on a CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.arguments import one_of, share, sizes
from models.conv_recurrence import project, run, run_plainly
from models.layers import PACKAGE
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable(package=PACKAGE)
class ConvLSTM2D(keras.layers.Layer):
    """The recurrence of Shi et al. (2015), arXiv:1506.04214, without peepholes, as `keras.layers.ConvLSTM2D` has it.

    Input (batch, time, height, width, channel); output (batch, rows, columns, filters) of the last step, or (batch,
    time, rows, columns, filters) of all. Weights are those of Keras's layer in its order, and either takes the other's.
    What is called with `mask`, boolean (batch, time), keeps its state where that is false, and gives the last output
    again, or zeros before the first. With `initial_state`, the two states that `return_state` appends to the output,
    a sequence can be run in pieces.

    In mixed precision, convolutions and outputs are of the compute type, the cell between steps is of float32.

    Parameters
    ----------
    filters
        Channels of the state.
    kernel_size
        Height and width of both kernels in cells, or one number for both.
    strides, padding
        Of the input's convolution, in cells, and `valid` or `same`; that of the state has stride 1 and keeps the size.
    data_format
        `channels_last`, the only one there is.
    activation, recurrent_activation
        Of the candidate and the cell, and of the gates. Other than tanh and sigmoid are slower.
    unit_forget_bias
        Whether the forget gate begins open, with a bias of 1 (Jozefowicz et al. 2015).
    dropout
        Share of the inputs that each gate does not see in training, the same at every step.
    recurrent_dropout
        Likewise of the state (Gal and Ghahramani 2016, arXiv:1512.05287); slower.
    seed
        Of what is dropped.
    return_sequences
        Whether to return the output of every step, in the order in which they were run.
    return_state
        Whether to return the last output and cell as well.
    go_backwards
        Whether to begin with the last step.

    Raises
    ------
    ConfigError
        An argument, or the shape of what it is called with, is not what it must be.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        *,
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = sizes("filters", filters, 1)[0]
        self.kernel_size = sizes("kernel_size", kernel_size, 2)
        self.strides = sizes("strides", strides, 2)
        self.padding = one_of("padding", padding, "valid", "same")
        self.data_format = one_of("data_format", data_format or "channels_last", "channels_last")
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.unit_forget_bias = unit_forget_bias
        self.dropout = share("dropout", dropout)
        self.recurrent_dropout = share("recurrent_dropout", recurrent_dropout)
        self.seed = seed
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.supports_masking = True
        self.input_spec = keras.layers.InputSpec(ndim=5)
        if dropout or recurrent_dropout:
            self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, sequences_shape: Shape) -> None:
        """Create the weights, in the shapes and the order of Keras's layer."""
        if None in sequences_shape[2:]:
            raise ConfigError(
                f"height, width and channels must be known, and the shape of the input is {sequences_shape}",
                remedy="give them in keras.Input",
                layer=self.name,
            )
        self._field(sequences_shape)
        columns = 4 * self.filters
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, sequences_shape[-1], columns),
            initializer=self.kernel_initializer,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(*self.kernel_size, self.filters, columns),
            initializer=self.recurrent_initializer,
        )
        # Without autocast: it is added in float32, in mixed precision too.
        self.bias = (
            self.add_weight(name="bias", shape=(columns,), initializer=self._first_bias, autocast=False)
            if self.use_bias
            else None
        )

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        """Run over the time axis."""
        state = None if initial_state is None else self._checked(initial_state, sequences.shape)
        steps = ops.swapaxes(ops.cast(sequences, self.compute_dtype), 0, 1)
        masks = None if mask is None else _each_step(mask)
        if self.go_backwards:
            steps, masks = ops.flip(steps, axis=0), None if masks is None else ops.flip(masks, axis=0)
        output, cell = self._run(steps, state, masks, training)
        hidden = output[:, -1] if self.return_sequences else output
        if masks is not None:
            output = output * ops.cast(self._begun(masks), output.dtype)
        return (output, hidden, ops.cast(cell, output.dtype)) if self.return_state else output

    def compute_output_shape(self, sequences_shape: Shape) -> Any:
        """(batch, rows, columns, filters), or with time; with `return_state` the two states after it."""
        field = (sequences_shape[0], *self._field(sequences_shape))
        output = (*sequences_shape[:2], *field[1:]) if self.return_sequences else field
        return (output, field, field) if self.return_state else output

    def compute_mask(self, _sequences: Any, mask: Any) -> Any:
        """That of the input, where all steps are returned."""
        mask = keras.tree.flatten(mask)[0]
        output = mask if self.return_sequences else None
        return [output, None, None] if self.return_state else output

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        given = (
            "filters",
            "kernel_size",
            "strides",
            "padding",
            "data_format",
            "use_bias",
            "unit_forget_bias",
        )
        given += ("dropout", "recurrent_dropout", "seed", "return_sequences", "return_state", "go_backwards")
        functions = ("activation", "recurrent_activation")
        initializers = ("kernel_initializer", "recurrent_initializer", "bias_initializer")
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in given},
            **{name: keras.activations.serialize(getattr(self, name)) for name in functions},
            **{name: keras.initializers.serialize(getattr(self, name)) for name in initializers},
        }

    def _project(self, steps: Any, training: bool) -> Any:
        """Input convolutions of all steps, (time, batch, rows, columns, 4 × filters), without the bias."""
        how = {"strides": self.strides, "padding": self.padding}
        kernel = ops.cast(self.kernel, steps.dtype)
        if not (training and self.dropout):
            return project(steps, kernel, **how)
        parts = [
            project(steps * self._factor(steps[0], self.dropout), each, **how)
            for each in ops.split(kernel, 4, axis=-1)
        ]
        return ops.concatenate(parts, axis=-1)

    def _run(self, steps: Any, state: Any, masks: Any, training: bool) -> tuple[Any, Any]:
        recurrent = ops.cast(self.recurrent_kernel, steps.dtype)
        precise = keras.backend.result_type(steps.dtype, "float32")
        bias = ops.zeros((4 * self.filters,), precise) if self.bias is None else ops.cast(self.bias, precise)
        drops = training and self.recurrent_dropout > 0
        usual = (
            self.activation is keras.activations.tanh
            and self.recurrent_activation is keras.activations.sigmoid
        )
        sequences = self.return_sequences
        if not usual or drops:
            projected = self._project(steps, training) + ops.cast(bias, steps.dtype)
            like = projected[0, ..., : self.filters]
            return run_plainly(
                projected,
                recurrent,
                state,
                masks,
                activations=(self.activation, self.recurrent_activation),
                dropped=[self._factor(like, self.recurrent_dropout) for _ in range(4)] if drops else None,
                sequences=sequences,
            )
        if (training and self.dropout) or self.padding != "same" or self.strides != (1, 1):
            return run(self._project(steps, training), bias, recurrent, state, masks, sequences=sequences)
        joint = ops.concatenate([ops.cast(self.kernel, steps.dtype), recurrent], axis=2)
        return run(steps, bias, joint, state, masks, sequences=sequences)

    def _factor(self, like: Any, rate: float) -> Any:
        return keras.random.dropout(ops.ones_like(like), rate, seed=self.seed_generator)

    def _begun(self, masks: Any) -> Any:
        """Whether any step has been computed, as Keras's layer has zeros until then, whatever the state."""
        if not self.return_sequences:
            return ops.any(masks, axis=0)
        begun = ops.cumsum(ops.cast(masks, "int32"), axis=0) > 0
        return ops.swapaxes(begun, 0, 1)

    def _first_bias(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype=dtype)
        one = shape[0] // 4
        parts = (self.bias_initializer((count,), dtype=dtype) for count in (one, 2 * one))
        return ops.concatenate([next(parts), ops.ones((one,), dtype=dtype), next(parts)])

    def _field(self, shape: Shape) -> Shape:
        """(rows, columns, filters) of the output."""
        cells = []
        for size, kernel, stride in zip(shape[2:4], self.kernel_size, self.strides, strict=True):
            whole = size if self.padding == "same" else size - kernel + 1
            if whole < 1:
                raise ConfigError(
                    f"nothing is left of {size} cells under a kernel of {kernel} with padding 'valid'",
                    remedy="use padding='same', a smaller kernel or larger fields",
                    layer=self.name,
                )
            cells.append(-(-whole // stride))
        return (*cells, self.filters)

    def _checked(self, state: Any, shape: Shape) -> tuple[Any, Any]:
        expected = self._field(shape)
        given = [tuple(each.shape) for each in state] if isinstance(state, (list, tuple)) else state
        if not isinstance(given, list) or len(given) != 2 or any(each[1:] != expected for each in given):
            raise ConfigError(
                f"initial_state must be two arrays of (batch, {', '.join(map(str, expected))}), the output and "
                f"the cell, and it is {given}",
                remedy="give the two states that the layer returns with return_state=True",
                layer=self.name,
            )
        hidden, cell = (ops.cast(each, self.compute_dtype) for each in state)
        return hidden, cell


def _each_step(mask: Any) -> Any:
    mask = ops.cast(mask, "bool")
    if len(mask.shape) != 2:
        raise ConfigError(
            f"mask must be of (batch, time), and its shape is {tuple(mask.shape)}",
            remedy="say of whole steps whether they count",
        )
    return ops.swapaxes(mask, 0, 1)[..., None, None, None]
