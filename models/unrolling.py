"""Steps over time: each in its own place in the graph where they are few, otherwise a loop.

What is unrolled has lists, one entry a step, where a loop has arrays whose first axis is time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

if TYPE_CHECKING:
    from collections.abc import Callable

    Carry = tuple[Any, ...]

UNROLLED = 32
"""Steps up to which each has its own place in the graph, which is faster; longer sequences are a loop."""


def unrolls(sequence: Any) -> bool:
    """Whether the steps of (time, …) are unrolled."""
    return sequence.shape[0] is not None and sequence.shape[0] <= UNROLLED


def by_step(*sequences: Any, unrolled: bool) -> Carry:
    """Each (time, …) as `over_time` takes it; if unrolled, the length of the first must be known."""
    if not unrolled:
        return sequences
    return tuple([each[time] for time in range(sequences[0].shape[0])] for each in sequences)


def by_step_of_batch(sequence: Any, *, unrolled: bool) -> Any:
    """(batch, time, …) as `over_time` takes it."""
    return ops.unstack(sequence, axis=1) if unrolled else ops.swapaxes(sequence, 0, 1)


def batch_first(sequence: Any) -> Any:
    """(batch, time, …) from what `over_time` gives."""
    return ops.stack(sequence, axis=1) if isinstance(sequence, list) else ops.swapaxes(sequence, 0, 1)


def over_time(
    step: Callable[[Carry, Carry], Carry],
    carry: Carry,
    sequences: Carry,
    *,
    unrolled: bool,
    reverse: bool = False,
) -> tuple[Carry, Carry]:
    """What is carried after the last step, and after each in the order of time.

    `step` makes the carry of a step from the one before and what `sequences` have there, and is of the same structure.
    """
    if not unrolled:
        every = keras.tree.flatten(sequences)
        if every[0].shape[0] is None and len(every) > 1:
            # Keras's scan takes one sequence only of a length that is not known in advance.
            whole, inner = sequences, step
            sequences = ops.arange(ops.shape(every[0])[0])

            def step(carry: Carry, now: Any) -> Carry:
                return inner(carry, keras.tree.map_structure(lambda each: each[now], whole))

        return ops.scan(lambda carry, given: (step(carry, given),) * 2, carry, sequences, reverse=reverse)
    order = range(len(sequences[0]))
    after: list[Carry] = []
    for time in reversed(order) if reverse else order:
        carry = step(carry, tuple(each[time] for each in sequences))
        after.append(carry)
    each = zip(*(after[::-1] if reverse else after), strict=True)
    return carry, tuple(map(list, each))
