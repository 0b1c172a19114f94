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
    order = shuffled(count, seed=seed, number=number)
    whole = min(count // batch_size, steps or count)
    return order[: whole * batch_size] if whole else order


def shuffled(count: int, *, seed: int, number: int) -> Index:
    """All of `count` samples in the order of epoch `number`."""
    return _rng(seed, number).permutation(np.arange(count, dtype=np.min_scalar_type(count)))


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


@dataclass(frozen=True)
class Buckets:
    """Of a split whose samples are sequences of several lengths.

    Parameters
    ----------
    lengths
        int64 (sample,).
    bounds
        int64, ascending: the lengths that sequences are padded to.
    """

    lengths: Index
    bounds: Index
    exact: bool = False
    """Whether only sequences of one bound meet in a batch, which may then be small."""

    @classmethod
    def within(cls, lengths: Index, padding: float) -> Buckets:
        """As few bounds as may be with at most this share of padding."""
        return cls(lengths, bucket_bounds(lengths, padding))

    @classmethod
    def of_equal(cls, lengths: Index) -> Buckets:
        """Each length by itself, without any padding."""
        return cls(lengths, np.unique(lengths), exact=True)

    def batches(self, order: Index, batch_size: int) -> list[Batch]:
        """See `bucketed`."""
        return bucketed(order, self.lengths, self.bounds, batch_size, exact=self.exact)

    def padded(self, chosen: Index) -> int:
        """The length that a batch of these samples is padded to."""
        longest = self.lengths[chosen].max()
        return int(self.bounds[np.searchsorted(self.bounds, longest)])

    def padding(self, batch_size: int) -> float:
        """Share of the steps of all batches that is padding."""
        batches = self.batches(np.arange(len(self.lengths)), batch_size)
        computed = sum(self.padded(samples) * len(samples) for batch in batches for _, samples in batch)
        return 1 - float(self.lengths.sum()) / computed


def bucketed(
    order: Index, lengths: Index, bounds: Index, batch_size: int, *, exact: bool = False
) -> list[Batch]:
    """Batches of `order`, each of sequences that are padded to one of `bounds`, in the order of their first samples.

    Batches are whole: what is left of the sequences of one bound goes to the next longer one, and what is left of the
    longest is one batch more.

    Parameters
    ----------
    lengths
        Of every sample of the split (sample,).
    bounds
        Ascending; see `bucket_bounds`.
    exact
        Whether what is left of the sequences of a bound is a batch by itself.
    """
    bucket = np.searchsorted(bounds, lengths[order])
    found: list[Index] = []
    left = order[:0]
    for number in range(len(bounds)):
        # In the order of drawing, so that those that were left over do not always meet.
        members = order[(bucket == number) | np.isin(order, left)]
        whole = len(members) // batch_size * batch_size
        found += [members[at : at + batch_size] for at in range(0, whole, batch_size)]
        left = members[whole:]
        if len(left) and (exact or number == len(bounds) - 1):
            found.append(left)
            left = left[:0]
    place = {int(sample): at for at, sample in enumerate(order)}
    found.sort(key=lambda batch: place[int(batch[0])])
    return [((0, np.sort(batch)),) for batch in found]


def bucket_bounds(lengths: Index, padding: float) -> Index:
    """The fewest lengths, about, to which sequences may be padded so that padding is at most that share of the steps.

    Beginning with the longest alone, the length is added, again and again, that saves the most padding.
    """
    distinct, many = np.unique(lengths, return_counts=True)
    below = np.concatenate([[0], np.cumsum(many)])
    chosen = [len(distinct) - 1]
    real = int(distinct @ many)
    while True:
        edges = np.array([-1, *chosen])
        computed = int(sum(distinct[b] * (below[b + 1] - below[a + 1]) for a, b in pairwise(edges)))
        if computed - real <= padding * computed:
            return np.asarray(distinct[chosen])
        saved = np.zeros(len(distinct))
        for a, b in pairwise(edges):
            between = np.arange(a + 1, b)
            saved[between] = (distinct[b] - distinct[between]) * (below[between + 1] - below[a + 1])
        chosen = sorted({*chosen, int(saved.argmax())})


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
