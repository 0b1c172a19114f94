"""From decoded frames, one after another, to movies: what cannot be a picture of them is left out and told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pipeline.movies.base import MovieTable
from pipeline.records.base import Exclusion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from pipeline.movies.base import Axis, Picture
    from pipeline.records.base import SourceFile

NO_TIME = np.datetime64("NaT", "ns")


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded frame.

    Parameters
    ----------
    movie
        The movie that it is of.
    values
        float32 (y, x), in the units of the picture; NaN where there is none.
    time
        When it was valid; NaT where time has no meaning.
    file
        That it was read from, for what is told of it.
    source
        The place of that file in `sources`.
    truth
        As `values`, where what is asked for is another picture.
    """

    movie: str
    values: NDArray[np.float32]
    time: np.datetime64 = field(default=NO_TIME)
    file: str = ""
    source: int = 0
    truth: NDArray[np.float32] | None = None


def assemble(
    frames: Iterable[Frame],
    *,
    picture: Picture,
    y: Axis,
    x: Axis,
    sources: Sequence[SourceFile] = (),
    exclusions: Sequence[Exclusion] = (),
) -> MovieTable:
    """Movies of the frames, in their order.

    A frame of another size than the axes, or without any value, is left out, and is among the exclusions. Where one
    is left out, or lacks by the `step` of the picture, a new movie begins, called after the first: `name`, `name-2`.
    """
    kept, left_out = _sound(list(frames), (len(y.values), len(x.values)))
    step = None if picture.step is None else np.timedelta64(picture.step, "s")
    begins = [at for at, each in enumerate(kept) if at == 0 or _breaks(kept[at - 1], each, step)]
    edges = [*begins, len(kept)]
    names: Counter[str] = Counter()
    ids = []
    for first, _ in pairwise(edges):
        name = kept[first][1].movie
        names[name] += 1
        ids.append(name if names[name] == 1 else f"{name}-{names[name]}")
    shape = (len(kept), len(y.values), len(x.values))
    values = np.empty(shape, np.float32)
    asked = kept and kept[0][1].truth is not None
    truth = np.empty(shape, np.float32) if asked else None
    for at, (_, frame) in enumerate(kept):
        values[at] = frame.values
        if truth is not None:
            truth[at] = frame.truth
    return MovieTable(
        ids=tuple(ids),
        offset=np.array(edges if kept else [0], np.int64),
        time=np.array([frame.time for _, frame in kept], "datetime64[ns]"),
        values=values,
        picture=picture,
        y=y,
        x=x,
        source=np.array([frame.source for _, frame in kept], np.int32),
        sources=tuple(sources),
        exclusions=(*exclusions, *left_out),
        truth=truth,
    )


def _sound(frames: list[Frame], shape: tuple[int, int]) -> tuple[list[tuple[int, Frame]], list[Exclusion]]:
    """The frames that can be pictures, with their places among all, and what is told of the others."""
    kept, left_out = [], []
    for at, frame in enumerate(frames):
        complaint = _complaint(frame, shape)
        if complaint is None:
            kept.append((at, frame))
            continue
        check, message = complaint
        name = frame.movie if np.isnat(frame.time) else str(frame.time.astype("datetime64[s]"))
        left_out.append(Exclusion(record=name, check=check, file=frame.file, message=message))
    return kept, left_out


def _complaint(frame: Frame, shape: tuple[int, int]) -> tuple[str, str] | None:
    for values in (frame.values, frame.truth):
        if values is not None and values.shape != shape:
            found = " × ".join(map(str, values.shape))
            return (
                "size",
                f"the frame is of {found} cells, and those of the set are of {shape[0]} × {shape[1]}",
            )
    if not np.isfinite(frame.values).any():
        return "no-values", "the frame has no value in any cell"
    return None


def _breaks(before: tuple[int, Frame], after: tuple[int, Frame], step: np.timedelta64 | None) -> bool:
    """Whether a frame is not the next of the same movie."""
    (place, last), (following, frame) = before, after
    if last.movie != frame.movie or following != place + 1:
        return True
    return step is not None and frame.time - last.time != step
