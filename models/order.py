"""In which order the samples of an epoch come, and which of them are read together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    Index = NDArray[np.int64]

BLOCKS, FEWEST = 8, 4
"""Blocks of a group: as many distant stretches of the record meet in one batch; fewer where a block had one chunk."""

Batch = tuple[tuple[int, "Index"], ...]
"""The samples of a batch by the group that they are read with; two groups meet where one ends."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """How the time axis is cut into blocks, and how many of them are held at a time.

    Parameters
    ----------
    rows
        Of a block; a block begins where a chunk of the store does.
    blocks
        Of a group.
    """

    rows: int
    blocks: int

    @classmethod
    def within(cls, rows: int, *, chunk: int, span: int) -> Grouping:
        """Groups of at most `rows` rows, of blocks of whole chunks where a chunk is no longer than that.

        Parameters
        ----------
        span
            Rows of a window, which a block is read with in excess of its own.
        """
        fair = max(rows // BLOCKS, min(2 * chunk, rows // FEWEST), 1)
        block = max(fair // chunk * chunk, min(chunk, max(rows - span, 1)))
        return cls(block, max(rows // (block + span), 1))

    def groups(self, first: Index, shuffle: tuple[int, int] | None) -> Index:
        """Of each sample (sample,) with its first row there, ascending, the group in which it comes.

        Parameters
        ----------
        shuffle
            Seed and number of the epoch, which alone decide the order of the blocks; None keeps that of time.
        """
        block = first // self.rows
        held = np.unique(block)
        rank = np.arange(len(held)) if shuffle is None else _rng(*shuffle, 1).permutation(len(held))
        group = rank // self.blocks
        return group.astype(np.min_scalar_type(len(held)))[np.searchsorted(held, block)]


def draw(count: int, batch_size: int, *, seed: int, number: int, steps: int | None = None) -> Index:
    """The samples of epoch `number` among `count`, shuffled: whole batches, at most `steps` of them.

    Which they are is the same however they are read. Fewer than a batch are one batch.
    """
    order = _rng(seed, number).permutation(np.arange(count, dtype=np.min_scalar_type(count)))
    whole = min(count // batch_size, steps or count)
    return order[: whole * batch_size] if whole else order


def cut(order: Index, batch_size: int, group: Index | None = None) -> list[Batch]:
    """Batches of `order`, group after group, the samples of a batch in the order of time within each group.

    Parameters
    ----------
    group
        Of every sample of the split (sample,); all are of one where None.
    """
    if group is not None:
        order = order[np.argsort(group[order], kind="stable")]
    pieces = (order[first : first + batch_size] for first in range(0, len(order), batch_size))
    if group is None:
        return [((0, np.sort(piece)),) for piece in pieces]
    return [tuple(_parts(piece, group[piece])) for piece in pieces]


def by_group(batches: Iterable[Batch]) -> Iterator[tuple[int, Index]]:
    """Each group in turn, and the samples that these batches ask of it."""
    parts = chain.from_iterable(batches)
    for group, pieces in groupby(parts, key=itemgetter(0)):
        yield group, np.concatenate([samples for _, samples in pieces])


def _parts(piece: Index, group: Index) -> list[tuple[int, Index]]:
    edges = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(piece)]
    return [(int(group[a]), np.sort(piece[a:b])) for a, b in pairwise(edges)]


def _rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)
