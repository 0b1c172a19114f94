"""Reading the records and outcomes of the PhysioNet/CinC Challenge 2012; what is wrong is named by file and line."""

from __future__ import annotations

import csv
import math
import re
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.errors import GranuleError
from pipeline.naming import counted
from pipeline.records.base import Exclusion, RecordTable, sources_of
from pipeline.sources.archives import is_gzip, is_zip, read_members
from pipeline.sources.physionet2012_parameters import IDENTIFIER, LAST_MINUTE, PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.sources.base import Fetched

HEADER = "Time,Parameter,Value"
OUTCOMES_HEADER = ("RecordID", "In-hospital_death")
_TIME = re.compile(r"(\d{2,3}):([0-5]\d)")
_PLACES = {each.name: at for at, each in enumerate(PARAMETERS)}
_AT_ADMISSION = "Weight"
"""A series that is noted with the descriptors too, and says nothing then of how the stay went."""


class Outcome(NamedTuple):
    """What became of a patient, and the line that says so."""

    label: int
    line: int


class _Rows(NamedTuple):
    parameter: list[int]
    time: list[int]
    value: list[float]


class _UnusableError(Exception):
    """A record cannot be taken; where, and why."""

    def __init__(self, check: str, line: int, message: str) -> None:
        super().__init__(message)
        self.check, self.line, self.message = check, line, message


def content_complaint(head: bytes) -> str:
    """What is wrong with a file that begins so; empty where it may be an archive of records or the outcomes."""
    if is_archive(head) or head.removeprefix(b"\xef\xbb\xbf").startswith(b"RecordID,"):
        return ""
    if head.lstrip()[:1] == b"<":
        return "is a page of HTML or XML"
    return "is neither an archive of records nor a list of outcomes"


def is_archive(head: bytes) -> bool:
    """Whether a file that begins so says that it is a zip or gzip archive."""
    return is_zip(head) or is_gzip(head)


def decode(files: Sequence[Fetched]) -> RecordTable:
    """The records of all archives among `files` with the outcomes of the other files.

    A record that cannot be used, a record without an outcome and an outcome without a record become `exclusions`.

    Raises
    ------
    GranuleError
        A file cannot be read, an outcome is not to be understood or told twice, or a record is there twice; `path`,
        and `line` where one is to blame, say where.
    """
    archives = [each for each in files if is_archive(_head(each.path))]
    lists = [each for each in files if each not in archives]
    outcomes: dict[str, Outcome] = {}
    told_in: dict[str, str] = {}
    for each in lists:
        name = each.path.name
        for record, outcome in read_outcomes(each.path).items():
            if record in outcomes:
                raise _refused(name, outcome.line, f"record {record} has an outcome in {told_in[record]} too")
            outcomes[record], told_in[record] = outcome, name
    return _Gathered(outcomes, told_in).table(archives, lists)


def read_outcomes(path: Path) -> dict[str, Outcome]:
    """Whether each patient died in hospital, by record, in the order of the file.

    Raises
    ------
    GranuleError
        It lacks a column, or a line cannot be understood.
    """
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise _refused(path.name, 1, f"it is not UTF-8: {error.reason} at byte {error.start}") from error
    columns = [name.strip() for name in lines[0].split(",")] if lines else []
    absent = [name for name in OUTCOMES_HEADER if name not in columns]
    if absent:
        raise _refused(path.name, 1, f"it has no column {' and '.join(absent)}")
    record_at, label_at = (columns.index(name) for name in OUTCOMES_HEADER)
    found: dict[str, Outcome] = {}
    for number, row in enumerate(csv.reader(lines[1:]), 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(columns):
            raise _refused(path.name, number, f"{len(row)} values stand below {len(columns)} columns")
        record, label = row[record_at].strip(), row[label_at].strip()
        if not _is_number(record):
            raise _refused(path.name, number, f"{record!r} is no record's number")
        if label not in ("0", "1"):
            raise _refused(
                path.name, number, f"the outcome of record {record} is {label!r}, and must be 0 or 1"
            )
        if record in found:
            raise _refused(path.name, number, f"record {record} stands in line {found[record].line} already")
        found[record] = Outcome(int(label), number)
    return found


class _Gathered:
    """Records that are read one after another."""

    def __init__(self, outcomes: Mapping[str, Outcome], told_in: Mapping[str, str]) -> None:
        self._outcomes, self._told_in = outcomes, told_in
        self._rows: list[_Rows] = []
        self._ids: list[str] = []
        self._files: list[str] = []
        self._source: list[int] = []
        self._seen: dict[str, str] = {}
        self._excluded: list[Exclusion] = []

    def table(self, archives: Sequence[Fetched], lists: Sequence[Fetched]) -> RecordTable:
        """All of them."""
        sources, places = sources_of((*archives, *lists))
        for number, archive in zip(places, archives, strict=False):
            for name, content in read_members(archive.path, suffix=".txt"):
                self._add(number, archive.path.name, name, content)
        self._add_lonely_outcomes()
        lengths = [len(rows.value) for rows in self._rows]
        return RecordTable(
            ids=tuple(self._ids),
            labels=np.array([self._outcomes[each].label for each in self._ids], np.int8),
            files=tuple(self._files),
            source=np.array(self._source, np.int16),
            offset=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64),
            parameter=_joined([rows.parameter for rows in self._rows], np.int16),
            time=_joined([rows.time for rows in self._rows], np.int32),
            value=_joined([rows.value for rows in self._rows], np.float32),
            parameters=PARAMETERS,
            sources=sources,
            exclusions=tuple(self._excluded),
        )

    def _add(self, source: int, archive: str, name: str, content: bytes) -> None:
        record, file = PurePosixPath(name).stem, f"{archive}/{name}"
        if record in self._seen:
            raise _refused(file, 1, f"record {record} is in {self._seen[record]} already")
        self._seen[record] = file
        try:
            rows = _read_record(content, record)
        except _UnusableError as error:
            self._excluded.append(_excluded(record, error.check, file, error.line, error.message))
            return
        if record not in self._outcomes:
            self._excluded.append(_excluded(record, "outcome", file, 1, f"record {record} has no outcome"))
            return
        self._ids.append(record)
        self._files.append(name)
        self._source.append(source)
        self._rows.append(rows)

    def _add_lonely_outcomes(self) -> None:
        for record, outcome in self._outcomes.items():
            if record not in self._seen:
                said = f"the outcome of {record} has no record"
                file = self._told_in[record]
                self._excluded.append(_excluded(record, "record", file, outcome.line, said))


def _read_record(content: bytes, record: str) -> _Rows:
    lines = _lines(content)
    if not _is_number(record):
        raise _UnusableError("identity", 1, f"its name {record!r} is no record's number")
    rows, before, named = _Rows([], [], []), 0, False
    for number, row in enumerate(lines[1:], 2):
        if not row.strip():
            continue
        minute, name, value = _parsed(row, number)
        if minute < before:
            said = f"{_clock(minute)} stands after {_clock(before)}: times are out of order"
            raise _UnusableError("order", number, said)
        before = minute
        if name == IDENTIFIER:
            if value != float(record):
                raise _UnusableError("identity", number, f"it says that it is record {value:.0f}")
            named = True
            continue
        rows.parameter.append(_place(name, number))
        rows.time.append(minute)
        rows.value.append(value)
    if not named:
        raise _UnusableError("identity", 1, f"it has no {IDENTIFIER}")
    _require_series(rows, len(lines))
    return rows


def _require_series(rows: _Rows, line: int) -> None:
    """Refuse a record of which nothing is left to readers, who miss values that cannot be."""
    series = [
        parameter.low <= value <= parameter.high
        for parameter, minute, value in zip((PARAMETERS[at] for at in rows.parameter), *rows[1:], strict=True)
        if not parameter.static and (minute > 0 or parameter.name != _AT_ADMISSION)
    ]
    if not any(series):
        none = f"none of its {counted(len(series), 'measurement')} of series can be"
        raise _UnusableError("no-series", line, none if series else "it has descriptors and no series")


def _lines(content: bytes) -> list[str]:
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _UnusableError("encoding", line, f"it is not UTF-8: {error.reason}") from error
    if not lines or lines[0].strip() != HEADER:
        raise _UnusableError("structure", 1, f"it does not begin with {HEADER}")
    return lines


def _is_number(record: str) -> bool:
    return record.isascii() and record.isdigit()


def _parsed(line: str, number: int) -> tuple[int, str, float]:
    cells = line.split(",")
    if len(cells) != 3:
        raise _UnusableError("structure", number, f"{len(cells)} values stand below {HEADER}")
    time, name, text = [cell.strip() for cell in cells]
    clock = _TIME.fullmatch(time)
    if clock is None:
        raise _UnusableError("time", number, f"{time!r} is no time HH:MM")
    minute = 60 * int(clock[1]) + int(clock[2])
    if minute > LAST_MINUTE:
        raise _UnusableError("time", number, f"{time} lies beyond {_clock(LAST_MINUTE)}")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _UnusableError("value", number, f"{text!r} is no number")
    return minute, name, value


def _place(name: str, number: int) -> int:
    if name not in _PLACES:
        near = get_close_matches(name, _PLACES, n=1, cutoff=0.5)
        meant = f"; did it mean {near[0]}?" if near else ""
        raise _UnusableError("parameter", number, f"there is no parameter {name!r}{meant}")
    return _PLACES[name]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _excluded(record: str, check: str, file: str, line: int, message: str) -> Exclusion:
    return Exclusion(record=record, check=check, file=file, line=line, message=message)


def _joined(lists: Sequence[Sequence[float]], dtype: type) -> np.ndarray:
    return np.concatenate([np.array(each, dtype) for each in lists] or [np.empty(0, dtype)])


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


def _refused(file: str, line: int, complaint: str) -> GranuleError:
    return GranuleError(
        f"{file} line {line}: {complaint}",
        remedy="correct the file, or fetch it again",
        path=file,
        line=line,
        check="structure",
        found=complaint,
    )
