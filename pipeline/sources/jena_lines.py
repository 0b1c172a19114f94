"""The lines of a table as bytes: its header, its rows' cells counted, its stamps read all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from pipeline.errors import GranuleError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

NEWLINE, COMMA = 0x0A, 0x2C
DIGITS = "YmdHMS"


class Lines:
    """A file's text, header and body apart.

    Parameters
    ----------
    content
        With lines that end in LF or CRLF, in UTF-8 or else in Latin-1.
    """

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        first, newline, body = content.partition(b"\n")
        self.header = [name.strip('"') for name in _text(first).rstrip("\r").split(",")]
        self.body = body.replace(b'"', b"") if b'"' in body else body
        """Every row ends with a newline; blank lines at the end are gone."""
        if newline and self.body:
            end = self.body[-2:]
            stripped = self.body.rstrip(b"\r\n")
            self.whole = end.endswith(b"\n")
            self.body = stripped + b"\n" if stripped else b""
        else:
            self.whole = bool(newline)
        self._bytes = np.frombuffer(self.body, np.uint8)
        self.ends = np.flatnonzero(self._bytes == NEWLINE)
        self.starts = np.concatenate([[0], self.ends[:-1] + 1]) if len(self.ends) else self.ends
        self.number: NDArray[np.int64] = np.arange(2, len(self.ends) + 2, dtype=np.int64)
        """The line of the file that each row is on."""

    def rows(self) -> Iterator[tuple[int, str]]:
        """Line and text of each row."""
        for number, row in enumerate(self.body.split(b"\n")[:-1], start=2):
            yield number, _text(row).rstrip("\r")

    def require_rows(self) -> None:
        """Refuse a table without rows, rows with too few or too many cells, and a last one that is cut off.

        Raises
        ------
        GranuleError
            It is so.
        """
        if not len(self.ends):
            self.refuse("holds a header and no row", line=1)
        commas = np.searchsorted(np.flatnonzero(self._bytes == COMMA), self.ends)
        cells = np.diff(commas, prepend=0) + 1
        odd = np.flatnonzero(cells != len(self.header))
        last = int(self.number[-1])
        if odd.size and (self.whole or odd[0] < len(cells) - 1):
            count = int(cells[odd[0]])
            self.refuse(
                f"has {count} {'cell' if count == 1 else 'cells'} where the header has {len(self.header)}",
                line=int(self.number[odd[0]]),
            )
        if not self.whole:
            self.refuse(
                "is cut off in its last line, which has no end",
                line=last,
                remedy="fetch the file again; if the line is whole, end it with a newline",
            )

    def refuse(
        self,
        complaint: str,
        *,
        line: int | None = None,
        check: str = "structure",
        remedy: str = "fetch the file again, or take it out of the input",
        **fields: Any,
    ) -> NoReturn:
        """Raise what is wrong with the file.

        Raises
        ------
        GranuleError
            Always.
        """
        where = self.path.name if line is None else f"{self.path.name}, line {line}:"
        if line is not None:
            fields["line"] = line
        raise GranuleError(
            f"{where} {complaint}",
            remedy=remedy,
            path=str(self.path),
            check=check,
            found=complaint,
            **fields,
        )

    def stamps(self, width: int, rows: slice = slice(None)) -> NDArray[np.uint8]:
        """The first `width` bytes of rows and the one after, uint8 (width + 1, row)."""
        starts, last = self.starts[rows], len(self._bytes) - 1
        # Past the end stands the last newline, which is neither a digit nor a comma.
        return np.stack([self._bytes[np.minimum(starts + place, last)] for place in range(width + 1)])


@dataclass(frozen=True, slots=True)
class Form:
    """A way of writing a time: letters stand for digits, all else for itself."""

    pattern: str

    @property
    def shown(self) -> str:
        """As people write it."""
        return self.pattern.replace("dd.mm", "DD.MM").replace("mm-dd", "MM-DD")

    def fits(self, stamps: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which rows are written so, bool (row,); they may still be no date."""
        fits = stamps[-1] == COMMA
        for place, letter in enumerate(self.pattern):
            column = stamps[place]
            # Unsigned, what lies below the digit 0 comes out far above 9.
            fits &= (column - np.uint8(ord("0")) < 10) if letter in DIGITS else column == ord(letter)
        return np.asarray(fits)

    def part(self, stamps: NDArray[np.uint8], letter: str) -> NDArray[np.int64]:
        """The number that the places of a letter spell; 0 where there are none."""
        value = np.zeros(stamps.shape[1], np.int64)
        for place, each in enumerate(self.pattern):
            if each == letter:
                value = value * 10 + (stamps[place] - np.uint8(ord("0")))
        return value


FORMS = tuple(
    Form(f"{day}{between}HH:MM{seconds}")
    for seconds in (":SS", "")
    for day in ("dd.mm.YYYY", "YYYY-mm-dd")
    for between in " T"
)


def parse_times(lines: Lines) -> NDArray[np.datetime64]:
    """The stamps of all rows, datetime64[s] (row,), all written in the form of the first.

    Raises
    ------
    GranuleError
        With `line`: a stamp is written in another way, or is no date.
    """
    known = (form for form in FORMS if form.fits(lines.stamps(len(form.pattern), slice(1)))[0])
    form = next(known, None)
    if form is None:
        _refuse_stamp(lines, 0, "is written neither as DD.MM.YYYY HH:MM:SS nor as YYYY-MM-DD HH:MM:SS")
    stamps = lines.stamps(len(form.pattern))
    fits = form.fits(stamps)
    if not fits.all():
        _refuse_stamp(lines, int(np.argmin(fits)), f"is not written as the first, {form.shown}")
    year, month, day = (form.part(stamps, letter) for letter in "Ymd")
    hour, minute, second = (form.part(stamps, letter) for letter in "HMS")
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    possible = (month >= 1) & (month <= 12) & (day >= 1) & (days.astype("datetime64[M]") == months)
    possible &= (hour < 24) & (minute < 60) & (second < 60) & (year > 0)
    if not possible.all():
        _refuse_stamp(lines, int(np.argmin(possible)), f"is no time in the form {form.shown}")
    return np.asarray(days.astype("datetime64[s]") + (hour * 3600 + minute * 60 + second))


def _refuse_stamp(lines: Lines, row: int, complaint: str) -> NoReturn:
    text = _text(lines.body[lines.starts[row] : lines.ends[row]]).split(",")[0].rstrip("\r")
    lines.refuse(f"the time {text[:40]!r} {complaint}", line=int(lines.number[row]))


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
