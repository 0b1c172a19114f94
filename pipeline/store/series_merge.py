"""One series of the rows of several files: each step from the file of the highest rank that has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.base import Finding
from pipeline.quality.series import SHOWN, STEP, cleaned, inspect_table
from pipeline.store.series_schema import NO_GRANULE, day_of
from pipeline.types import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.store.series_files import Entry
    from pipeline.types import Table


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps of a series, one after another.

    Parameters
    ----------
    time
        datetime64[s] (time,), every step.
    values
        float32 (time, variable), NaN where missing.
    status
        int8 (time,), of `Status`.
    granule
        int16 (time,): place of the file in the table of files, or −1.
    """

    time: NDArray[np.datetime64]
    values: NDArray[np.float32]
    status: NDArray[np.int8]
    granule: NDArray[np.int16]

    @classmethod
    def missing(cls, first: np.datetime64, count: int, variables: int) -> Steps:
        """`count` steps from `first` that hold nothing."""
        return cls(
            first.astype("datetime64[s]") + np.arange(count) * STEP,
            np.full((count, variables), np.nan, np.float32),
            np.full(count, Status.MISSING, np.int8),
            np.full(count, NO_GRANULE, np.int16),
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """A file among others: its place in the table of files, and its rows as published."""

    number: int
    entry: Entry
    table: Table


def clean_rows(table: Table, path: str) -> tuple[Table, list[Finding]]:
    """The rows that the checks leave, each stamp once, ascending, with a value at least; and what was found.

    Raises
    ------
    GranuleError
        The stamps descend.
    """
    settled, findings = inspect_table(table, path)
    clean, found = cleaned(settled)
    held = np.isfinite(clean.values).any(axis=1)
    if not held.all():
        clean = type(clean)(clean.time[held], clean.values[held], clean.variables, clean.line[held])
    return clean, findings + found


def merge(
    pieces: Sequence[Piece], first: np.datetime64, count: int, variables: Sequence[str]
) -> tuple[Steps, list[Finding]]:
    """The `count` steps from `first`, and where files that hold the same step differ in it.

    A step is taken whole from one file, so that what it is does not depend on the order in which files came.
    """
    steps = Steps.missing(first, count, len(variables))
    place_of = {name: place for place, name in enumerate(variables)}
    names: dict[int, str] = {}
    findings = []
    for piece in sorted(pieces, key=lambda piece: piece.entry.rank):
        table, _ = clean_rows(piece.table, piece.entry.url)
        position = (table.time - steps.time[0]) // STEP
        inside = (position >= 0) & (position < count)
        at = position[inside]
        rows = np.full((len(at), len(variables)), np.nan, np.float32)
        rows[:, [place_of[name] for name in table.variables]] = table.values[inside]
        names[piece.number] = piece.entry.url.rpartition("/")[2]
        findings += _conflicts(steps, at, rows, names, piece.number, variables)
        steps.values[at] = rows
        steps.status[at] = piece.entry.status
        steps.granule[at] = piece.number
    return steps, findings


def _conflicts(
    steps: Steps,
    at: NDArray[np.int64],
    rows: NDArray[np.float32],
    names: dict[int, str],
    number: int,
    variables: Sequence[str],
) -> list[Finding]:
    held = steps.values[at]
    differ = np.isfinite(held) & np.isfinite(rows) & (held != rows)
    findings = []
    conflicting = differ.any(axis=1)
    for other in np.unique(steps.granule[at][conflicting]).tolist():
        which = conflicting & (steps.granule[at] == other)
        stamps = steps.time[at[which]]
        shown = ", ".join(str(stamp).replace("T", " ") for stamp in stamps[:SHOWN])
        columns = [name for name, some in zip(variables, differ[which].any(axis=0), strict=True) if some]
        count = "1 stamp" if len(stamps) == 1 else f"{len(stamps)} stamps"
        message = (
            f"{names[other]} and {names[number]} differ at {count} in {', '.join(columns)}, and "
            f"{names[number]} is taken: {shown}{'…' if len(stamps) > SHOWN else ''}"
        )
        findings.append(Finding("overlap", "warn", day_of(stamps[:1])[0].item(), message))
    return findings
