"""Sequences of grids as numbered tables: `features/N.csv` and `targets/N.csv`, a row a day and a column a cell.

A row is a grid of the movie, row after row. Row `t` of the targets is the grid one step after row `t` of the features,
so that both together are one movie of a picture more than either has rows. The program that made the layout known
passes over the first line of each file, so one is written; a file without it is read as well.
"""

from __future__ import annotations

import math
import os
import re
import shutil
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.errors import StoreError
from pipeline.movies.numbers import numbers

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.movies.base import MovieSet

FEATURES, TARGETS = "features", "targets"
_NAME = re.compile(r"0*([1-9]\d*)\.csv", re.IGNORECASE)
_MISSING = {"", "na", "nan", "null", "none", "-"}
_FIRST_LINES = 1


class UnusableError(Exception):
    """A file of a sequence cannot be taken: `check` says what is wrong in a word, `line` where, from 1."""

    def __init__(self, check: str, line: int, message: str) -> None:
        super().__init__(message)
        self.check, self.line, self.message = check, line, message


class Place(NamedTuple):
    """What the path of a file says: `features` or `targets`, and of which number."""

    part: str
    number: int


def place_of(name: str) -> Place | None:
    """What a path says, in an archive or on disk; None where it is no file of the layout."""
    path = PurePosixPath(name.replace("\\", "/"))
    match = _NAME.fullmatch(path.name)
    part = path.parent.name.lower()
    return Place(part, int(match[1])) if match and part in (FEATURES, TARGETS) else None


def read(
    content: bytes, cells: int, *, low: float = -math.inf, high: float = math.inf
) -> NDArray[np.float32]:
    """float32 (row, cell): the table that a file holds, whose values lie within `low` and `high`.

    Raises
    ------
    UnusableError
        `check` is `text`, `empty`, `columns`, `ragged` (beyond the first row), `number`, `missing` or `range`.
    """
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UnusableError("text", 1, f"it is not UTF-8: {error.reason} at byte {error.start}") from error
    while lines and not lines[-1].strip():
        lines.pop()
    first = _FIRST_LINES if lines and _is_heading(lines[0]) else 0
    if len(lines) <= first:
        raise UnusableError("empty", 1, "it holds no row")
    rows: list[list[float]] = []
    for number, line in enumerate(lines[first:], first + 1):
        row = _row(line, number, cells, ragged=bool(rows))
        outside = next((at for at, value in enumerate(row, 1) if not low <= value <= high), None)
        if outside is not None:
            said = f"column {outside} holds {row[outside - 1]:g}, beyond {low:g} to {high:g}"
            raise UnusableError("range", number, said)
        rows.append(row)
    return np.array(rows, np.float32)


def join(features: NDArray[np.float32], targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 (row + 1, cell): the movie that features and targets are of.

    Raises
    ------
    UnusableError
        They differ in length, or the targets are not the features one step later.
    """
    if len(features) != len(targets):
        raise UnusableError(
            "length", 1, f"there are {len(features)} rows of features and {len(targets)} of targets"
        )
    other = np.flatnonzero((features[1:] != targets[:-1]).any(axis=1))
    if len(other):
        at = int(other[0]) + 1
        raise UnusableError(
            "targets", at, f"row {at} of the targets is not row {at + 1} of the features, one step later"
        )
    return np.concatenate([features, targets[-1:]])


def write(folder: Path, number: int, movie: NDArray[np.float32], *, heading: bool = True) -> None:
    """Write a movie (picture, y, x) of two pictures or more as sequence `number` below `folder`.

    Every value is written with the fewest digits that lead back to it.
    """
    rows = movie.reshape(len(movie), -1)
    lines = [",".join(row) for row in rows.astype(str)]
    first = [",".join(f"cell_{at}" for at in range(1, rows.shape[1] + 1))] if heading else []
    for part, some in ((FEATURES, lines[:-1]), (TARGETS, lines[1:])):
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / f"{number}.csv").write_text("\n".join([*first, *some, ""]), encoding="utf-8")


def write_all(folder: Path, movies: MovieSet, *, heading: bool = True) -> int:
    """Write every movie as a sequence of a new `folder`; how many.

    Each is written by its number, or by its place, where not every one has a number of its own.

    Raises
    ------
    StoreError
        The folder is there already, a movie has a single picture, a cell without a value, or another truth than what is
        given: a table has no room for it. Nothing is left half written.
    """
    if movies.truth is not None:
        raise StoreError(
            "what is asked of the movies is not what is given, and numbered tables have room for one of the two",
            remedy="ingest the movies without noise, or open the store with xarray or Zarr",
        )
    if folder.exists():
        raise StoreError(f"{folder} is there already", remedy="name a new folder", path=str(folder))
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        _write_each(draft, movies, heading=heading)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return len(movies)


def _write_each(folder: Path, movies: MovieSet, *, heading: bool) -> None:
    edges = zip(movies.offset[:-1], movies.offset[1:], strict=True)
    known = numbers(movies.ids).tolist()
    if len(set(known)) < len(known):
        known = range(1, len(known) + 1)
    for name, number, (begin, end) in zip(movies.ids, known, edges, strict=True):
        values = movies.values[begin:end]
        lacks = int(np.isnan(values).sum())
        if len(values) < 2 or lacks:
            raise StoreError(
                f"the movie {name!r} has {f'{lacks} cells without a value' if lacks else 'a single picture'}, which "
                "numbered tables have no room for",
                remedy="export movies whose cells all have values, or open the store with xarray or Zarr",
                movie=name,
            )
        write(folder, number, values, heading=heading)


def _is_heading(line: str) -> bool:
    """Whether a first line names columns: by text alone, or by counting them from 0 or 1."""
    cells = [cell.strip().strip("\"'") for cell in line.split(",")]
    if all(cell and cell.lower() not in _MISSING and _number(cell) is None for cell in cells):
        return True
    counted = [str(at) for at in range(len(cells) + 1)]
    return len(cells) > 1 and (cells == counted[:-1] or cells == counted[1:])


def _row(line: str, number: int, cells: int, *, ragged: bool) -> list[float]:
    columns = line.split(",")
    if len(columns) != cells:
        raise UnusableError(
            "ragged" if ragged else "columns",
            number,
            f"it has {len(columns) if line.strip() else 0} columns, and {cells} are expected",
        )
    values = []
    for at, text in enumerate(columns, 1):
        value = _number(text)
        if value is None or not math.isfinite(value):
            lacks = text.strip().lower() in _MISSING or value is not None
            told = f"column {at} holds {text.strip()!r}"
            raise UnusableError(
                "missing" if lacks else "number",
                number,
                f"{told}, which is no value" if lacks else f"{told}, which is no number",
            )
        values.append(value)
    return values


def _number(text: str) -> float | None:
    if "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None
