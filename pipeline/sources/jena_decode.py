"""Jena's tables decoded: both dialects, packed or plain, to one `Table` in Isotherm's names and units.

A stamp ends the ten minutes that its row is of, and is local standard time (UTC+1) all year: the day of a row is
that in which its ten minutes lie, so that midnight belongs to the day that ends.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from pipeline.errors import GranuleError
from pipeline.sources import jena_columns as columns
from pipeline.sources.archives import EMPTY_ZIP_MAGIC, LIMIT_BYTES, is_zip, read_member
from pipeline.sources.jena_lines import Lines, parse_times
from pipeline.types import Table

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.sources.base import Granule

QUANTITIES = columns.QUANTITIES
COMMON_VARIABLES = columns.COMMON_VARIABLES
BOM = b"\xef\xbb\xbf"
MISSING_TEXTS = ("", "NaN", "nan", "NA")
ONE_SECOND = np.timedelta64(1, "s")


def decode(path: Path, granule: Granule) -> Table:
    """The rows of `path` that lie in the granule's days, as published: sentinels, order and repetition kept.

    Returns
    -------
    Table
        All variables that the file has, those of the classic file first and in its order; an empty cell is NaN.

    Raises
    ------
    GranuleError
        `check == "structure"`, with `path` and, where one is to blame, `line`: it is empty or a header alone, a
        page of HTML, an archive that `read_member` refuses; a column that every file has is missing (with
        `missing`), as in another station's file; a number or a date cannot be read, a row has too few or too
        many cells, or the last row is cut off.
    """
    table = decode_all(path)
    kept = in_days(table.time, granule.days)
    if kept.all():
        return table
    return Table(table.time[kept], table.values[kept], table.variables, table.line[kept])


def decode_all(path: Path) -> Table:
    """`decode`, of whatever days the file holds."""
    lines = _opened(path)
    found = _columns(lines)
    time = parse_times(lines)
    variables = [name for name in QUANTITIES if name in found]
    places = [found[name] for name in variables]
    return Table(time, _values(lines, places), tuple(variables), lines.number)


def read_days(path: Path) -> tuple[dt.date, ...]:
    """The days that a file holds rows of, ascending.

    Raises
    ------
    GranuleError
        As `decode`.
    """
    lines = _opened(path)
    _columns(lines)
    return tuple(np.unique(day_of(parse_times(lines))).tolist())


def day_of(time: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """The day, datetime64[D], in which the interval lies that a stamp ends."""
    return (time - ONE_SECOND).astype("datetime64[D]")


def in_days(time: NDArray[np.datetime64], days: Collection[dt.date]) -> NDArray[np.bool_]:
    """Which rows lie in `days`."""
    wanted = np.array(sorted(days), "datetime64[D]")
    return np.isin(day_of(time), wanted)


def content_complaint(head: bytes) -> str:
    """What is wrong with a file that begins so; empty where it may be one of the station's."""
    if not head:
        return "is empty"
    if head.startswith(EMPTY_ZIP_MAGIC):
        return "is an archive of nothing"
    if is_zip(head):
        return ""
    text = head.removeprefix(BOM).lstrip()
    if text[:1] == b"<":
        return "is a page of HTML or XML, not a table"
    first = text.split(b",")[0].split(b"\n")[0]
    if len(first) < len(text) and columns.is_time(first.decode("latin-1").strip(' "\r')):
        return ""
    return f"begins neither as a zip archive does nor with the column 'Date Time', but with {head[:16]!r}"


def _opened(path: Path) -> Lines:
    try:
        with path.open("rb") as file:
            head = file.read(64)
            complaint = content_complaint(head)
            content = b"" if complaint or is_zip(head) else head + file.read(LIMIT_BYTES)
    except OSError as error:
        raise GranuleError(
            f"{path.name} cannot be opened: {error.strerror or error}", path=str(path), check="structure"
        ) from error
    if complaint:
        lines = Lines(path, b"\n")
        lines.refuse(complaint, line=1)
    if is_zip(head):
        content = read_member(path)
        complaint = content_complaint(content[:64])
    lines = Lines(path, content.removeprefix(BOM))
    if complaint:
        lines.refuse(f"holds a table that {complaint}", line=1)
    return lines


def _columns(lines: Lines) -> dict[str, int]:
    """Variable → place of its column, of a table that has rows."""
    header = [name.strip() for name in lines.header]
    found: dict[str, int] = {}
    unknown = []
    for place, column in enumerate(header[1:], start=1):
        variable = columns.variable_of(column)
        if variable is None:
            unknown.append(column)
        elif variable in found:
            lines.refuse(f"has two columns {columns.published(variable)!r}", line=1)
        else:
            found[variable] = place
    missing = [name for name in COMMON_VARIABLES if name not in found]
    if missing:
        lines.refuse(
            columns.missing_complaint(header, missing, unknown),
            line=1,
            remedy="give files of the roof station that have all its columns (mpi_roof_…, or the classic "
            "jena_climate_2009_2016)",
            missing=tuple(columns.published(name) for name in missing),
        )
    lines.require_rows()
    return found


def _values(lines: Lines, places: Sequence[int]) -> NDArray[np.float64]:
    import pandas as pd

    width = len(lines.header)
    try:
        frame = pd.read_csv(
            io.BytesIO(lines.body),
            header=None,
            names=list(range(width)),
            usecols=list(places),
            dtype=np.float64,
            na_values=list(MISSING_TEXTS),
            keep_default_na=False,
            skip_blank_lines=False,
            low_memory=False,
            encoding_errors="replace",
        )
    except (ValueError, pd.errors.ParserError):
        _refuse_text(lines, places)
    values = frame[list(places)].to_numpy()
    if len(values) != len(lines.number) or np.isinf(values).any():
        _refuse_text(lines, places)
    return np.ascontiguousarray(values)


def _refuse_text(lines: Lines, places: Sequence[int]) -> NoReturn:
    """Name the first cell that is no number: the quick reader says only that there is one."""
    for number, row in lines.rows():
        cells = row.split(",")
        for place in places:
            text = cells[place].strip()
            if text not in MISSING_TEXTS and not _is_number(text):
                lines.refuse(
                    f"has {text[:40]!r} where a number of {lines.header[place].strip()!r} is expected",
                    line=number,
                )
    lines.refuse("cannot be read as a table")


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text))) and "_" not in text
    except ValueError:
        return False
