"""The recurrence of a convolutional LSTM over the projected inputs of all steps.

Time lies first, so that a step's share is one contiguous block; gates are blocks of channels: input, forget,
candidate, output. A convolution keeps all cores busy by itself, what lies between two of them does not: it is compiled
into one function, and runs in two lanes side by side.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from models.devices import compiled, has_gpu, kernel_gradient
from models.unrolling import batch_first, by_step, by_step_of_batch, over_time, unrolls

if TYPE_CHECKING:
    from collections.abc import Callable

    State = tuple[Any, Any]
    Carry = tuple[Any, ...]

SMALLEST_LANE = 128
"""Cells of a field below which half of it is not worth a call of its own."""


def project(steps: Any, kernel: Any, *, strides: tuple[int, int] = (1, 1), padding: str = "same") -> Any:
    """Convolve (time, batch, height, width, channel) at all steps in one call."""
    # A reshape can take one axis to be unknown.
    length, batch = steps.shape[:2]
    leading = (ops.shape(steps)[0], -1) if length is None else (length, -1 if batch is None else batch)
    flat = ops.conv(ops.reshape(steps, (-1, *steps.shape[2:])), kernel, strides=strides, padding=padding)
    return ops.reshape(flat, (*leading, *flat.shape[1:]))


def run(
    inputs: Any,
    bias: Any,
    kernel: Any,
    state: State | None,
    mask: Any | None = None,
    *,
    sequences: bool,
) -> tuple[Any, Any]:
    """Run with tanh and sigmoid, with a backward pass in closed form.

    Of each step its gates are kept. The gradient of a kernel is one convolution over all steps; those of a step's input
    and of the state before it are one as well, which wastes less of the vector units than two.

    Parameters
    ----------
    inputs
        (time, batch, height, width, channel), or `project`ed, (time, batch, height, width, 4 × filters).
    bias
        (4 × filters,), in float32 at least.
    kernel
        (height, width, channel + filters, 4 × filters) of inputs and state, or (height, width, filters, 4 × filters) of
        the state alone, where inputs are projected.
    state
        Output and cell before the first step, each (batch, height, width, filters); None stands for zeros.
    mask
        Of what a step is computed, boolean (time, batch, 1, 1, 1); elsewhere the state stays.
    sequences
        Whether to return the outputs of all steps.

    Returns
    -------
    Output, (batch, time, height, width, filters) or (batch, height, width, filters) of the last step, and last cell.
    """
    precise = keras.backend.result_type(inputs.dtype, "float32")
    filters = kernel.shape[-1] // 4
    zeros = ops.zeros((ops.shape(inputs)[1], *inputs.shape[2:4], filters), inputs.dtype)
    hidden, cell = (zeros, zeros) if state is None else state
    steps = _differentiable(sequences=sequences, fresh=state is None and mask is None)
    arguments = (inputs, bias, kernel, hidden, ops.cast(cell, precise))
    return steps(*arguments, *([] if mask is None else [mask]))


def run_plainly(
    projected: Any,
    recurrent: Any,
    state: State | None,
    mask: Any | None = None,
    *,
    activations: tuple[Callable[..., Any], Callable[..., Any]],
    dropped: list[Any] | None = None,
    sequences: bool,
) -> tuple[Any, Any]:
    """Run with any activations (of the candidate and the cell, of the gates), differentiated by the backend.

    `projected` includes the bias; `dropped` are the four factors by which a gate's view of the state is multiplied at
    all steps. For the rest see `run`.
    """
    activate, gate = activations
    kernels = ops.split(recurrent, 4, axis=-1) if dropped else []

    def product(hidden: Any) -> Any:
        if not dropped:
            return ops.conv(hidden, recurrent, padding="same")
        seen = zip(dropped, kernels, strict=True)
        parts = [ops.conv(hidden * factor, kernel, padding="same") for factor, kernel in seen]
        return ops.concatenate(parts, axis=-1)

    def step(carry: Carry, given: Carry) -> Carry:
        hidden, cell = carry
        write, keep, candidate, read = ops.split(given[0] + product(hidden), 4, axis=-1)
        after = gate(keep) * cell + gate(write) * activate(candidate)
        output = gate(read) * activate(after)
        if len(given) > 1:
            return ops.where(given[1], output, hidden), ops.where(given[1], after, cell)
        return output, after

    if state is None:
        zeros = ops.zeros_like(projected[0, ..., : recurrent.shape[2]])
        state = (zeros, zeros)
    unrolled = unrolls(projected)
    given = by_step(projected, *([] if mask is None else [mask]), unrolled=unrolled)
    (hidden, cell), (hiddens, _) = over_time(step, state, given, unrolled=unrolled)
    return (batch_first(hiddens) if sequences else hidden), cell


def _differentiable(*, sequences: bool, fresh: bool) -> Callable[..., Any]:
    """With the gradient in closed form; `fresh` where the state is of zeros, which need no convolution."""

    @ops.custom_gradient
    def whole(
        inputs: Any, bias: Any, joint: Any, hidden: Any, cell: Any, *masks: Any
    ) -> tuple[Any, Callable[..., Any]]:
        channels = joint.shape[2] - joint.shape[3] // 4
        kernel, recurrent = joint[:, :, :channels], joint[:, :, channels:]
        projected = project(inputs, kernel) if channels else inputs
        unrolled = unrolls(projected)
        first = None if fresh and unrolled else hidden
        advance, retreat = _compiled_steps()
        given = by_step(projected, *masks, unrolled=unrolled)

        def step(carry: Carry, given: Carry) -> Carry:
            *_, hidden, cell = carry
            start = (
                ops.zeros_like(given[0]) if hidden is None else ops.conv(hidden, recurrent, padding="same")
            )
            lanes = zip(_lanes(given[0]), _lanes(start), cell, strict=True)
            gates, output, after = zip(*[advance(*lane[:2], bias, lane[2]) for lane in lanes], strict=True)
            output = _joined(output, given[0])
            if len(given) > 1:
                output = ops.where(given[1], output, hidden)
                after = _chosen(given[1], given[0], after, cell)
            return gates, hidden, cell, output, after

        begun = _lanes(cell)
        carry = (_lanes(projected[0]), first, begun, first, begun)
        (*_, last, last_cell), kept = over_time(step, carry, given, unrolled=unrolled)
        gates, hiddens_before, cells_before, hiddens, _ = kept
        output = batch_first(hiddens) if sequences else last

        def gradient(*args: Any, upstream: Any = None) -> tuple[Any, ...]:
            args = args if upstream is None else (upstream,)
            d_output, d_cell = args if len(args) == 2 else args[0]

            def turn(carry: Carry, given: Carry) -> Carry:
                *_, d_hidden, d_cell = carry
                gates, hidden, before, *rest = given
                if sequences:
                    d_hidden = d_hidden + rest[0]
                seen, seen_cell = d_hidden, d_cell
                if masks:
                    seen = ops.where(rest[-1], d_hidden, 0)
                    seen_cell = _chosen(rest[-1], d_hidden, d_cell, [ops.zeros_like(lane) for lane in d_cell])
                lanes = zip(gates, before, _lanes(seen), seen_cell, strict=True)
                d_product, d_before = zip(*[retreat(*lane) for lane in lanes], strict=True)
                d_product = _joined(d_product, d_hidden)
                used = joint if hidden is not None else kernel
                through = ops.conv_transpose(d_product, used, padding="same") if used.shape[2] else d_hidden
                d_input, through = through[..., :channels], through[..., channels:]
                if masks:
                    through = through + (d_hidden - seen)
                    d_before = tuple(
                        new + (old - part) for new, old, part in zip(d_before, d_cell, seen_cell, strict=True)
                    )
                return d_product, d_input, through, d_before

            steps = (gates, hiddens_before, cells_before)
            if sequences:
                steps = (*steps, by_step_of_batch(d_output, unrolled=unrolled))
            steps = (*steps, *given[1:])
            start = ops.zeros_like(hidden) if sequences else d_output
            carry = (
                ops.zeros_like(projected[0]),
                ops.zeros_like(inputs[0][..., :channels]),
                start,
                _lanes(d_cell),
            )
            (*_, d_hidden, d_begun), (d_products, d_inputs, *_) = over_time(
                turn, carry, steps, unrolled=unrolled, reverse=True
            )
            d_projected, d_inputs = (ops.stack(each) if unrolled else each for each in (d_products, d_inputs))
            d_bias = ops.sum(ops.cast(_sums(d_projected), bias.dtype), axis=0)
            seen = ((inputs, kernel), (hiddens_before, recurrent))
            parts = [_kernel_gradient(each, d_projected, part) for each, part in seen if part.shape[2]]
            return (
                d_inputs if channels else d_projected,
                d_bias,
                ops.concatenate(parts, axis=2),
                ops.zeros_like(hidden) if first is None else d_hidden,
                _joined(d_begun, hidden),
                *[ops.zeros_like(mask) for mask in masks],
            )

        return (output, _joined(last_cell, hidden)), gradient

    return whole


def _kernel_gradient(seen: Any, d_projected: Any, kernel: Any) -> Any:
    if isinstance(seen, list):
        computed = [each for each in seen if each is not None]
        if not computed:
            return ops.zeros_like(kernel)
        d_projected = d_projected[len(seen) - len(computed) :]
        seen = ops.concatenate(computed, axis=0)
    inputs, upstream = (ops.reshape(each, (-1, *each.shape[-3:])) for each in (seen, d_projected))
    return kernel_gradient(inputs, upstream, kernel.shape)


def _sums(steps: Any) -> Any:
    """Sums over samples and cells of (time, batch, height, width, channel), as a product, which is faster."""
    flat = ops.reshape(steps, (steps.shape[0] or ops.shape(steps)[0], -1, steps.shape[-1]))
    return ops.matmul(ops.ones((1, ops.shape(flat)[1]), steps.dtype), flat)[:, 0]


@cache
def _compiled_steps() -> tuple[Callable[..., Any], Callable[..., Any]]:
    return compiled(_advance), compiled(_retreat)


def _advance(projected: Any, product: Any, bias: Any, cell: Any) -> tuple[Any, Any, Any]:
    """Activated gates, output and cell after a step; (cell of the field, channel)."""
    total = ops.cast(projected, cell.dtype) + ops.cast(product, cell.dtype) + ops.cast(bias, cell.dtype)
    # A sigmoid is (1 + tanh(x / 2)) / 2, and cheaper so.
    gates = ops.tanh(_of_gates(0.5, 0.5, 1.0, 0.5, like=cell) * total)
    write, keep, candidate, read = ops.split(gates, 4, axis=-1)
    cell = (0.5 + 0.5 * keep) * cell + (0.5 + 0.5 * write) * candidate
    output = (0.5 + 0.5 * read) * ops.tanh(cell)
    return ops.cast(gates, projected.dtype), ops.cast(output, projected.dtype), cell


def _retreat(gates: Any, before: Any, d_hidden: Any, d_cell: Any) -> tuple[Any, Any]:
    """Gradients of a step's pre-activations and of the cell before it."""
    activated = ops.cast(gates, before.dtype)
    write, keep, candidate, read = ops.split(activated, 4, axis=-1)
    kept, written = 0.5 + 0.5 * keep, 0.5 + 0.5 * write
    shown = ops.tanh(kept * before + written * candidate)
    d_hidden = ops.cast(d_hidden, before.dtype)
    d_cell = d_cell + d_hidden * (0.5 + 0.5 * read) * (1.0 - shown * shown)
    filters = before.shape[-1]
    parts = [d_cell * candidate, d_cell * before, d_cell * written, d_hidden * shown]
    # A sum of what is padded is one loop to the compiler, a concatenation is not.
    d_gates = sum(
        ops.pad(part, ((0, 0), (place * filters, (3 - place) * filters))) for place, part in enumerate(parts)
    )
    slope = _of_gates(0.25, 0.25, 1.0, 0.25, like=before) * (1.0 - activated * activated)
    return ops.cast(d_gates * slope, gates.dtype), d_cell * kept


def _of_gates(*values: float, like: Any) -> Any:
    """One value for all channels of each gate, (4 × filters,), in the type of the cells `like`."""
    return ops.convert_to_tensor(np.repeat(values, like.shape[-1]), like.dtype)


def _lanes(field: Any) -> tuple[Any, ...]:
    """Rows of a field's cells, (cell, channel), in parts that two cores may take side by side."""
    _, height, width, channels = field.shape
    alone = keras.backend.backend() != "tensorflow" or has_gpu()
    if alone or height * width % 2 or height * width < 2 * SMALLEST_LANE:
        return (ops.reshape(field, (-1, channels)),)
    halves = ops.reshape(field, (2, -1, channels))
    return halves[0], halves[1]


def _joined(lanes: tuple[Any, ...], like: Any) -> Any:
    whole = lanes[0] if len(lanes) == 1 else ops.concatenate(lanes, axis=0)
    return ops.reshape(whole, (-1, *like.shape[1:3], lanes[0].shape[-1]))


def _chosen(mask: Any, like: Any, new: tuple[Any, ...], old: Any) -> tuple[Any, ...]:
    each = ops.broadcast_to(mask, (*ops.shape(like)[:3], 1))
    return tuple(ops.where(part, a, b) for part, a, b in zip(_lanes(each), new, old, strict=True))
