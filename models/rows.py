"""Rows of the time axis: in a store, and the stretches of them that are held in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Index = NDArray[np.int64]

READ_BYTES = 2**25
"""Of one reading of a store: what a read and its encoding take above the rows that are kept."""


class Rows(Protocol):
    """Values along time (time, …), float32, read by contiguous slices: NumPy's and Zarr's arrays are such."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Time first."""
        ...

    def __getitem__(self, rows: slice, /) -> Any:
        """The values of these rows, as an array."""
        ...


@dataclass(frozen=True, slots=True)
class Columns:
    """Stored arrays (time,) of one chunking, side by side and encoded as they are read: (time, `width`).

    Parameters
    ----------
    encode
        From values float32 (row, array) and the positions of these rows on the time axis to (row, width).
    """

    arrays: Sequence[Any]
    width: int
    encode: Callable[[NDArray[np.float32], slice], NDArray[np.float32]] = lambda values, _rows: values

    @property
    def shape(self) -> tuple[int, ...]:
        """(time, width)."""
        return (self.arrays[0].shape[0], self.width)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Those of the first array."""
        return (chunk_rows(self.arrays[0]), self.width)

    def __getitem__(self, rows: slice) -> NDArray[np.float32]:
        first, last, _ = rows.indices(self.shape[0])
        values = np.empty((max(last - first, 0), len(self.arrays)), np.float32)
        for column, array in enumerate(self.arrays):
            values[:, column] = array[first:last]
        return self.encode(values, slice(first, last))


def chunk_rows(array: Rows) -> int:
    """Rows of a stored chunk; one where the array has none."""
    chunks: tuple[int, ...] = getattr(array, "chunks", None) or (1,)
    return chunks[0]


def row_bytes(arrays: Sequence[Rows]) -> int:
    """Of one row of all arrays."""
    return sum(4 * int(np.prod(array.shape[1:])) for array in arrays)


def runs(first: Index, span: int, *, block: int) -> Index:
    """int64 (run, 2): from which row to before which the windows with these first rows reach.

    Parameters
    ----------
    span
        Rows of a window from its first to its last.
    block
        Windows that begin in one block of so many rows, or in two next to each other, are of one run.
    """
    ordered = np.sort(first)
    apart = (np.diff(ordered // block) > 1) & (np.diff(ordered) >= span)
    edges = np.concatenate([[0], np.flatnonzero(apart) + 1, [len(ordered)]])
    return np.stack([ordered[edges[:-1]], ordered[edges[1:] - 1] + span], axis=1)


@dataclass(frozen=True, slots=True)
class Block:
    """Runs of rows in memory, laid out so that the samples of a history lie next to each other.

    Where a window takes every n-th row, a run holds the rows 0, n, 2n, … first, then 1, n + 1, …: a history is
    then read as one piece, about ten times as fast.

    Parameters
    ----------
    arrays
        Each (row, …).
    first
        int64 (run,): the position on the time axis of each run's first row, ascending.
    offset
        int64 (run,): where each run begins in `arrays`.
    length
        int64 (run,): rows of each of a run's parts.
    sampling
        Parts of a run.
    """

    arrays: tuple[NDArray[np.float32], ...]
    first: Index
    offset: Index
    length: Index
    sampling: int

    @classmethod
    def over(cls, arrays: Sequence[NDArray[np.float32]]) -> Block:
        """All rows of arrays that lie in memory already, as they lie."""
        zero = np.zeros(1, np.int64)
        return cls(tuple(arrays), first=zero, offset=zero, length=zero + len(arrays[0]), sampling=1)

    @classmethod
    def read(cls, arrays: Sequence[Rows], bounds: Index, sampling: int) -> Block:
        """Read the runs with these `bounds` (run, 2)."""
        length = -(-(bounds[:, 1] - bounds[:, 0]) // sampling)
        ends = np.cumsum(length * sampling)
        offset = ends - length * sampling
        held = []
        for array in arrays:
            out = np.empty((int(ends[-1]), *array.shape[1:]), np.float32)
            for (start, stop), at, rows in zip(
                bounds.tolist(), offset.tolist(), length.tolist(), strict=True
            ):
                parts = out[at : at + rows * sampling].reshape(sampling, rows, *array.shape[1:])
                _fill(parts, array, start, stop)
            held.append(out)
        return cls(tuple(held), bounds[:, 0], offset, length, sampling)

    def history(self, array: int, init: Index, samples: int) -> NDArray[np.float32]:
        """(sample, history, …) of one array: of each init the last `samples` up to and including it."""
        held = self.arrays[array]
        every = np.lib.stride_tricks.sliding_window_view(held, samples, axis=0)
        return np.moveaxis(every, -1, 1)[self._place(init) - (samples - 1)]

    def at(self, array: int, position: Index) -> NDArray[np.float32]:
        """The rows at these positions of the time axis, in the shape of `position`."""
        return self.arrays[array][self._place(position)]

    def _place(self, position: Index) -> Index:
        run = np.searchsorted(self.first, position, side="right") - 1
        row = position - self.first[run]
        part, place = row % self.sampling, row // self.sampling
        return np.asarray(self.offset[run] + part * self.length[run] + place)


def _fill(parts: NDArray[np.float32], array: Rows, start: int, stop: int) -> None:
    """Read rows `start` to before `stop` into `parts` (part, row, …), in pieces that end where chunks do."""
    chunk = chunk_rows(array)
    piece = max(READ_BYTES // max(row_bytes([array]), 1) // chunk, 1) * chunk
    at = start
    while at < stop:
        until = min((at // piece + 1) * piece, stop)
        rows = np.asarray(array[at:until])
        for part in range(len(parts)):
            skipped = (part - (at - start)) % len(parts)
            taken = rows[skipped :: len(parts)]
            row = (at - start + skipped) // len(parts)
            parts[part, row : row + len(taken)] = taken
        at = until
