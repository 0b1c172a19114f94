"""The recurrences of LSTM, GRU and SimpleRNN over a whole sequence, each with its backward pass in closed form.

Features lie before samples, so that each gate is one contiguous block of rows and a step is one matrix product over
the state, the inputs and a one (for the bias). What is kept of a step is the state before it; the backward pass
computes the gates anew, which is cheaper than writing and reading them, and sums the weights' gradient as it goes.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol

from keras import ops

from models.devices import compiled

if TYPE_CHECKING:
    from collections.abc import Callable

    State = tuple[Any, ...]


class Recurrence(Protocol):
    """One step, forward and back; all arrays are (units, batch), and pre-activations blocks of such rows.

    A sigmoid is `(1 + tanh(x / 2)) / 2`: with the weights of its block halved (`scales`), one tanh serves all gates.
    """

    scales: tuple[float, ...]
    """Factor of each block's weights."""
    states: int
    """Arrays of the state, the output first."""

    def forward(self, product: Any, state: State) -> State:
        """The state after a step, from the pre-activations and the state before."""
        ...

    def backward(self, product: Any, state: State, upstream: State) -> tuple[Any, State]:
        """Gradients of the pre-activations, and of the state before, less the part through the product."""
        ...


def _blocks(product: Any, count: int) -> Any:
    return ops.split(product, count, axis=0)


def _slope(activated: Any) -> Any:
    """Of a sigmoid by its halved argument, given the tanh of that."""
    return 0.5 - 0.5 * activated * activated


class LSTMRecurrence:
    """Hochreiter and Schmidhuber (1997) with a forget gate; blocks input, forget, candidate, output."""

    scales = (0.5, 0.5, 1.0, 0.5)
    states = 2

    def forward(self, product: Any, state: State) -> State:
        """See `Recurrence`."""
        write, keep, candidate, read = _blocks(ops.tanh(product), 4)
        cell = (0.5 + 0.5 * keep) * state[1] + (0.5 + 0.5 * write) * candidate
        return (0.5 + 0.5 * read) * ops.tanh(cell), cell

    def backward(self, product: Any, state: State, upstream: State) -> tuple[Any, State]:
        """See `Recurrence`."""
        write, keep, candidate, read = _blocks(ops.tanh(product), 4)
        kept, written = 0.5 + 0.5 * keep, 0.5 + 0.5 * write
        shown = ops.tanh(kept * state[1] + written * candidate)
        d_hidden, d_cell = upstream
        d_cell = d_cell + d_hidden * (0.5 + 0.5 * read) * (1.0 - shown * shown)
        d_product = [
            d_cell * candidate * _slope(write),
            d_cell * state[1] * _slope(keep),
            d_cell * written * (1.0 - candidate * candidate),
            d_hidden * shown * _slope(read),
        ]
        return ops.concatenate(d_product, axis=0), (0.0, d_cell * kept)


class GRURecurrence:
    """Cho et al. (2014), reset after the product; blocks update, reset, candidate's input and candidate's state."""

    scales = (0.5, 0.5, 1.0, 1.0)
    states = 1

    def forward(self, product: Any, state: State) -> State:
        """See `Recurrence`."""
        update, reset, from_input, from_state = _blocks(product, 4)
        kept = 0.5 + 0.5 * ops.tanh(update)
        candidate = ops.tanh(from_input + (0.5 + 0.5 * ops.tanh(reset)) * from_state)
        return (kept * state[0] + (1.0 - kept) * candidate,)

    def backward(self, product: Any, state: State, upstream: State) -> tuple[Any, State]:
        """See `Recurrence`."""
        update, reset, from_input, from_state = _blocks(product, 4)
        update, reset = ops.tanh(update), ops.tanh(reset)
        kept, shown = 0.5 + 0.5 * update, 0.5 + 0.5 * reset
        candidate = ops.tanh(from_input + shown * from_state)
        (d_hidden,) = upstream
        d_candidate = d_hidden * (1.0 - kept) * (1.0 - candidate * candidate)
        d_product = [
            d_hidden * (state[0] - candidate) * _slope(update),
            d_candidate * from_state * _slope(reset),
            d_candidate,
            d_candidate * shown,
        ]
        return ops.concatenate(d_product, axis=0), (d_hidden * kept,)


class SimpleRecurrence:
    """Elman (1990): the tanh of one product."""

    scales = (1.0,)
    states = 1

    def forward(self, product: Any, _state: State) -> State:
        """See `Recurrence`."""
        return (ops.tanh(product),)

    def backward(self, product: Any, _state: State, upstream: State) -> tuple[Any, State]:
        """See `Recurrence`."""
        hidden = ops.tanh(product)
        return upstream[0] * (1.0 - hidden * hidden), (0.0,)


class _Whole:
    """The product of all blocks at once, where every block sees the same state."""

    def __init__(self, recurrent: Any, projection: Any) -> None:
        self._rows = recurrent.shape[0]
        self._recurrent = recurrent
        self._weights = ops.concatenate([recurrent, projection], axis=0)
        self._turned = ops.transpose(self._weights)

    def product(self, hidden: Any, inputs: Any) -> Any:
        return ops.matmul(self._turned, ops.concatenate([hidden, inputs], axis=0))

    def zeros(self) -> tuple[Any, ...]:
        return (ops.zeros_like(self._weights),)

    def back(self, d_product: Any, hidden: Any, inputs: Any, sums: State) -> tuple[Any, State]:
        beside = ops.concatenate([hidden, inputs], axis=0)
        summed = sums[0] + ops.matmul(beside, ops.transpose(d_product))
        return ops.matmul(self._recurrent, d_product), (summed,)

    def gradients(self, sums: State) -> tuple[Any, ...]:
        return sums[0][: self._rows], sums[0][self._rows :]


class _Masked:
    """Block by block, where each sees the state through a mask of its own: (block, units, batch)."""

    def __init__(self, recurrent: Any, projection: Any, masks: Any) -> None:
        self._units, self._columns = recurrent.shape
        count = self._columns // self._units
        self._blocks = ops.transpose(ops.reshape(recurrent, (self._units, count, self._units)), (1, 0, 2))
        self._turned = ops.transpose(self._blocks, (0, 2, 1))
        self._projection = projection
        self._projecting = ops.transpose(projection)
        self._masks = masks

    def product(self, hidden: Any, inputs: Any) -> Any:
        inner = ops.matmul(self._turned, self._masks * hidden)
        return ops.matmul(self._projecting, inputs) + ops.reshape(inner, (self._columns, -1))

    def zeros(self) -> tuple[Any, ...]:
        return ops.zeros_like(self._blocks), ops.zeros_like(self._projection)

    def back(self, d_product: Any, hidden: Any, inputs: Any, sums: State) -> tuple[Any, State]:
        apart = ops.reshape(d_product, (-1, self._units, ops.shape(d_product)[1]))
        d_hidden = ops.sum(self._masks * ops.matmul(self._blocks, apart), axis=0)
        by_block = ops.matmul(self._masks * hidden, ops.transpose(apart, (0, 2, 1)))
        return d_hidden, (sums[0] + by_block, sums[1] + ops.matmul(inputs, ops.transpose(d_product)))

    def gradients(self, sums: State) -> tuple[Any, ...]:
        recurrent = ops.reshape(ops.transpose(sums[0], (1, 0, 2)), (self._units, self._columns))
        return recurrent, sums[1]


def run(
    recurrence: Recurrence,
    inputs: Any,
    recurrent: Any,
    projection: Any,
    masks: Any | None = None,
    *,
    present: Any | None = None,
    sequences: bool,
    backwards: bool,
) -> Any:
    """Run over the whole sequence from a state of zeros.

    Parameters
    ----------
    inputs
        (batch, time, variable).
    recurrent, projection
        (units, block × units) and (variable + 1, block × units), the last row the bias, scaled by the recurrence's
        `scales`.
    masks
        (block, units, batch) by which each block's view of the state is multiplied at all steps, or None.
    present
        (batch, time), one or zero: a step where it is zero leaves the state as it was. All are taken where None.
    sequences
        Whether to return the outputs of all steps, in the order in which they were run.
    backwards
        Whether to begin with the last step.

    Returns
    -------
    (batch, time, units) or (batch, units).
    """
    whole = _compiled(recurrence, sequences, backwards, present is not None)
    given = inputs if present is None else ops.concatenate([inputs, present[..., None]], axis=-1)
    return whole(given, recurrent, projection, *([] if masks is None else [masks]))


@cache
def _compiled(recurrence: Recurrence, sequences: bool, backwards: bool, gaps: bool) -> Callable[..., Any]:
    steps = _differentiable(recurrence, sequences=sequences, gaps=gaps)

    def whole(inputs: Any, *weights: Any) -> Any:
        turned = ops.transpose(inputs, (1, 2, 0))
        ones = ops.ones_like(turned[:, :1])
        parts = [turned[:, :-1], ones, turned[:, -1:]] if gaps else [turned, ones]
        sequence = ops.concatenate(parts, axis=1)
        output = steps(ops.flip(sequence, axis=0) if backwards else sequence, *weights)
        return ops.transpose(output, (2, 0, 1) if sequences else (1, 0))

    return compiled(whole)


def _differentiable(recurrence: Recurrence, *, sequences: bool, gaps: bool = False) -> Callable[..., Any]:
    """Of (time, variable + 1, batch), the last variable one, and weights; gives (time, units, batch) or the last.

    With `gaps`, a row more says which steps are taken, by one or zero: it has no gradient.
    """

    def parted(given: Any) -> tuple[Any, Any]:
        return (given[:-1], given[-1:]) if gaps else (given, None)

    def chosen(present: Any, new: State, old: State) -> State:
        if present is None:
            return new
        return tuple(ops.where(present > 0, one, other) for one, other in zip(new, old, strict=True))

    @ops.custom_gradient
    def whole(inputs: Any, recurrent: Any, projection: Any, *masks: Any) -> tuple[Any, Callable[..., Any]]:
        linear = _Masked(recurrent, projection, *masks) if masks else _Whole(recurrent, projection)
        zero = ops.zeros((recurrent.shape[0], ops.shape(inputs)[2]), dtype=inputs.dtype)

        def step(state: State, given: Any) -> tuple[State, State]:
            seen, present = parted(given)
            return chosen(present, recurrence.forward(linear.product(state[0], seen), state), state), state

        last, before = ops.scan(step, (zero,) * recurrence.states, inputs)
        output = ops.concatenate([before[0][1:], last[0][None]], axis=0) if sequences else last[0]

        def gradient(*args: Any, upstream: Any = None) -> tuple[Any, ...]:
            upstream = args[0] if upstream is None else upstream

            def turn(carry: State, packed: Any) -> tuple[State, State]:
                given = ops.split(packed, cuts, axis=0) if together else packed
                d_state, sums = carry[: recurrence.states], carry[recurrence.states : -1]
                (seen, present), state = parted(given[0]), given[1 : 1 + recurrence.states]
                if sequences:
                    d_state = (d_state[0] + given[-1], *d_state[1:])
                none = (zero,) * recurrence.states
                product = linear.product(state[0], seen)
                d_step = chosen(present, d_state, none)
                d_product, (d_hidden, *d_rest) = recurrence.backward(product, tuple(state), d_step)
                through, sums = linear.back(d_product, state[0], seen, sums)
                before_it = (through + d_hidden, *d_rest)
                d_seen = ops.matmul(projection, d_product)
                if present is not None:
                    # What comes back to a step that was not taken goes past it.
                    past = chosen(present, none, d_state)
                    before_it = tuple(one + other for one, other in zip(before_it, past, strict=True))
                    d_seen = ops.concatenate([d_seen, ops.zeros_like(present)], axis=0)
                after = (*before_it, *sums, d_seen)
                return after, after

            start = (zero if sequences else upstream, *[zero] * (recurrence.states - 1))
            carry = (*start, *linear.zeros(), ops.zeros_like(inputs[0]))
            steps = (inputs, *before, *([upstream] if sequences else []))
            # Keras's scan over several arrays must know their length when it is traced.
            together = inputs.shape[0] is None
            cuts = list(accumulate(one.shape[1] for one in steps[:-1]))
            given = ops.concatenate(steps, axis=1) if together else steps
            first, each = ops.scan(turn, carry, given, reverse=True)
            weights = linear.gradients(first[recurrence.states : -1])
            return each[-1], *weights, *[ops.zeros_like(mask) for mask in masks]

        return output, gradient

    return whole
