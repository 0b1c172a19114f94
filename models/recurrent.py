"""Recurrent layers with the weights of Keras's own, made for training on a CPU: LSTM, GRU and SimpleRNN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras
from keras import ops

from models.devices import has_gpu
from models.layers import PACKAGE
from models.recurrence import GRURecurrence, LSTMRecurrence, Recurrence, SimpleRecurrence, run

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALLEST_LANE = 64
"""Samples below which a share of the batch is not worth a loop of its own."""


class Recurrent(keras.layers.Layer):
    """What the recurrent layers share; not a layer by itself.

    Input (batch, time, variable), output (batch, units), or (batch, time, units) of all steps. The recurrence is
    computed in float32 at least, and compiled by itself: the model around it need not be (`jit_compile`).

    Parameters
    ----------
    units
        Size of the state.
    return_sequences
        Whether to return the output of every step, in the order in which they were run.
    go_backwards
        Whether to begin with the last step.
    dropout
        Share of the variables dropped in training, the same at every step.
    recurrent_dropout
        Share of the state that each gate does not see in training, the same at every step (Gal and Ghahramani 2016,
        arXiv:1512.05287).
    seed
        Of what is dropped.
    """

    recurrence: ClassVar[Recurrence]
    kernels: ClassVar[int]
    """Blocks of the kernels, each of `units` columns."""

    def __init__(
        self,
        units: int,
        *,
        return_sequences: bool = False,
        go_backwards: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.return_sequences = return_sequences
        self.go_backwards = go_backwards
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        self.input_spec = keras.layers.InputSpec(ndim=3)
        if dropout or recurrent_dropout:
            self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Create the weights, in the shapes and the order of Keras's layer."""
        columns = self.kernels * self.units
        self.kernel = self._weight("kernel", (shape[-1], columns), "glorot_uniform")
        self.recurrent_kernel = self._weight("recurrent_kernel", (self.units, columns), "orthogonal")
        self.bias = self._weight("bias", self._bias_shape(), self._first_bias)

    def call(self, inputs: Any, present: Any = None, training: bool = False) -> Any:
        """Run over the time axis; a step where `present` (batch, time) is zero leaves the state as it was."""
        inputs = ops.cast(inputs, self.bias.dtype)
        if training and self.dropout:
            inputs = inputs * self._mask(ops.ones_like(inputs[:, :1]), self.dropout)
        scales = ops.cast(ops.repeat(ops.array(self.recurrence.scales), self.units), inputs.dtype)
        kernels = [scales * each for each in self._blocks()]
        taken = [None] * 2 if present is None else _lanes(ops.cast(present, inputs.dtype))
        lanes = zip(_lanes(inputs), taken, strict=False)
        outputs = [self._run(lane, steps, kernels, training) for lane, steps in lanes]
        output = outputs[0] if len(outputs) == 1 else ops.concatenate(outputs, axis=0)
        return ops.cast(output, self.compute_dtype)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(batch, units) or (batch, time, units)."""
        return (*shape[:2], self.units) if self.return_sequences else (shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        return {
            **super().get_config(),
            "units": self.units,
            "return_sequences": self.return_sequences,
            "go_backwards": self.go_backwards,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }

    def _run(self, inputs: Any, present: Any, kernels: list[Any], training: bool) -> Any:
        masks = None
        if training and self.recurrent_dropout:
            seen = (len(self.recurrence.scales), self.units, ops.shape(inputs)[0])
            masks = self._mask(ops.ones(seen, dtype=inputs.dtype), self.recurrent_dropout)
        return run(
            self.recurrence,
            inputs,
            *kernels,
            masks,
            present=present,
            sequences=self.return_sequences,
            backwards=self.go_backwards,
        )

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.kernels * self.units,)

    def _first_bias(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return ops.zeros(shape, dtype)

    def _blocks(self) -> tuple[Any, Any]:
        """(units, block × units) and (variable + 1, block × units): the kernels as the recurrence wants them."""
        return self.recurrent_kernel, ops.concatenate([self.kernel, self.bias[None]], axis=0)

    def _weight(self, name: str, shape: tuple[int | None, ...], initializer: Any) -> Any:
        # Without autocast: in mixed precision the recurrence's sums stay in float32.
        return self.add_weight(name=name, shape=shape, initializer=initializer, autocast=False)

    def _mask(self, ones: Any, rate: float) -> Any:
        return keras.random.dropout(ones, rate, seed=self.seed_generator)


def _lanes(inputs: Any) -> list[Any]:
    """Shares of the batch whose loops are independent, so that two cores may run them side by side."""
    batch = ops.shape(inputs)[0]
    on_cpu = keras.backend.backend() == "tensorflow" and not has_gpu()
    if not on_cpu or (isinstance(batch, int) and batch < 2 * SMALLEST_LANE):
        return [inputs]
    return [inputs[: batch // 2], inputs[batch // 2 :]]


@keras.saving.register_keras_serializable(package=PACKAGE)
class LSTM(Recurrent):
    """A long short-term memory with the weights of `keras.layers.LSTM`; see `Recurrent`."""

    recurrence = LSTMRecurrence()
    kernels = 4

    def _first_bias(self, shape: Sequence[int], dtype: Any = None) -> Any:
        # A forget gate that begins open keeps the gradient alive (Jozefowicz et al. 2015).
        return ops.repeat(ops.array([0, 1, 0, 0], dtype), shape[0] // 4)


@keras.saving.register_keras_serializable(package=PACKAGE)
class GRU(Recurrent):
    """A gated recurrent unit with the weights of `keras.layers.GRU(reset_after=True)`; see `Recurrent`."""

    recurrence = GRURecurrence()
    kernels = 3

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, self.kernels * self.units)

    def _blocks(self) -> tuple[Any, Any]:
        gates = 2 * self.units
        kernel, recurrent = ops.convert_to_tensor(self.kernel), ops.convert_to_tensor(self.recurrent_kernel)
        by_input = ops.concatenate([kernel, self.bias[:1]], axis=0)
        by_state = ops.concatenate([ops.zeros_like(kernel), self.bias[1:]], axis=0)
        columns = [by_input[:, :gates] + by_state[:, :gates], by_input[:, gates:], by_state[:, gates:]]
        rows = [recurrent[:, :gates], ops.zeros_like(recurrent[:, gates:]), recurrent[:, gates:]]
        return ops.concatenate(rows, axis=1), ops.concatenate(columns, axis=1)


@keras.saving.register_keras_serializable(package=PACKAGE)
class SimpleRNN(Recurrent):
    """An Elman network with the weights of `keras.layers.SimpleRNN`; see `Recurrent`."""

    recurrence = SimpleRecurrence()
    kernels = 1
