"""Windows to tf.data, from memory or streamed from a store: the one place that knows TensorFlow.

An epoch is shuffled at two levels where its rows exceed the memory budget: blocks of the time axis are drawn into
groups, and the samples of a group are shuffled. A group is read while the one before is used. Which samples make
up an epoch, and in which batch each comes, is decided by the seed, the number of the epoch and the grouping alone.
"""

from __future__ import annotations

import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from models.order import Batch, Grouping, by_group, cut, draw, shuffled
from models.rows import Block, row_bytes
from models.samples import (
    INTEGERS,
    FieldSamples,
    Samples,
    SeriesSamples,
    chunk,
    first_rows,
    needed,
    size,
    span,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MEMORY_BUDGET", "FieldSamples", "Samples", "SeriesSamples", "epoch", "grouping", "ordered"]

MEMORY_BUDGET = 2**30
"""Bytes of rows to hold in memory, the group in use and the one read ahead together."""
PREFETCH = 4


def epoch(
    samples: Samples,
    *,
    batch_size: int,
    seed: int,
    number: int,
    steps: int | None = None,
    skip: int = 0,
    budget: int = MEMORY_BUDGET,
) -> tf.data.Dataset:
    """The batches of training epoch `number`: an order that only `seed`, `number` and the budget decide.

    Every batch is whole, so that the compiled step is one; what is left over comes in other epochs. The samples of
    an epoch are the same whether its rows fit the budget or not. Of sequences of several lengths an epoch has all,
    those of a length in batches together, see `models.order.bucketed`.

    Parameters
    ----------
    steps
        At most so many batches.
    skip
        Batches at the beginning to leave out, which are not read: the rest of an epoch that broke off.
    budget
        Bytes of rows to hold in memory.
    """
    if samples.buckets is not None:
        order = shuffled(len(samples.windows), seed=seed, number=number)
        return _dataset(samples, samples.buckets.batches(order, batch_size)[:steps][skip:], None)
    groups = grouping(samples, budget)
    order = draw(len(samples.windows), batch_size, seed=seed, number=number, steps=steps)
    group = groups.groups(first_rows(samples), (seed, number)) if groups else None
    return _dataset(samples, cut(order, min(batch_size, len(order)), group)[skip:], groups)


def ordered(samples: Samples, *, batch_size: int, budget: int = MEMORY_BUDGET) -> tf.data.Dataset:
    """All samples once, in the order of time, or of sequences of several lengths in that of their batches.

    Parameters
    ----------
    budget
        Bytes of rows to hold in memory.
    """
    if samples.buckets is not None:
        return _dataset(samples, samples.buckets.batches(np.arange(len(samples.windows)), batch_size), None)
    groups = grouping(samples, budget)
    group = groups.groups(first_rows(samples), None) if groups else None
    return _dataset(samples, cut(np.arange(len(samples.windows)), batch_size, group), groups)


def grouping(samples: Samples, budget: int) -> Grouping | None:
    """How the samples are read a part at a time; None where all their rows fit the budget."""
    if size(samples) <= budget:
        return None
    rows = budget // 2 // row_bytes(samples.rows)
    return Grouping.within(rows, chunk=chunk(samples), span=span(samples))


def _dataset(samples: Samples, batches: list[Batch], groups: Grouping | None) -> tf.data.Dataset:
    inputs, target = samples.signature
    shapes = (*inputs.values(), target)
    dtypes = [tf.int32 if name in INTEGERS else tf.float32 for name in (*inputs, "target")]
    reader = _Reader(samples, batches, groups)
    # TensorFlow keeps every such function for as long as the process lives: it may not keep the rows alive.
    held = weakref.ref(reader)

    def read(number: NDArray[np.int64]) -> tuple[NDArray[np.float32], ...]:
        return held().batch(int(number))

    def named(number: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        arrays = tf.numpy_function(read, [number], dtypes)
        *given, aim = (
            tf.ensure_shape(array, (None, *shape)) for array, shape in zip(arrays, shapes, strict=True)
        )
        return dict(zip(inputs, given, strict=True)), aim

    dataset = tf.data.Dataset.range(len(batches)).map(named, num_parallel_calls=1)
    dataset.reader = reader
    return dataset.prefetch(PREFETCH)


class _Reader:
    """Batches by their number, of the rows of one group at a time, while a thread reads those of the next."""

    def __init__(self, samples: Samples, batches: list[Batch], groups: Grouping | None) -> None:
        self._samples = samples
        self._batches = batches
        self._bounds = (
            {group: needed(samples, chosen, groups.rows) for group, chosen in by_group(batches)}
            if groups
            else {}
        )
        self._following = dict(pairwise(self._bounds))
        self._held: dict[int, Future[Block]] = {}
        self._thread = ThreadPoolExecutor(1)

    def batch(self, number: int) -> tuple[NDArray[np.float32], ...]:
        """Of the two groups that meet in a batch, one after the other."""
        parts = [self._samples.batch(chosen, self._block(group)) for group, chosen in self._batches[number]]
        return parts[0] if len(parts) == 1 else tuple(map(np.concatenate, zip(*parts, strict=True)))

    def _block(self, group: int) -> Block:
        """The rows of `group`; those before are let go, and the next ones are begun."""
        if not self._bounds:
            return self._samples.whole
        kept = [each for each in (group, self._following.get(group)) if each is not None]
        self._held = {each: self._held[each] for each in kept if each in self._held}
        for each in kept:
            if each not in self._held:
                self._held[each] = self._thread.submit(
                    Block.read, self._samples.rows, self._bounds[each], self._samples.windows.spec.sampling
                )
        return self._held[group].result()
