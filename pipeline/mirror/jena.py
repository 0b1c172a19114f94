"""The Jena station's files as its mirrors serve them: the classic archive, and those of half a year or a year."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pipeline.errors import ConfigError, NotFoundError
from pipeline.mirror.archive import ONE_DAY, Kept, digest
from pipeline.mirror.pages import Answer
from pipeline.sources.jena import CLASSIC, CLASSIC_NAME, RECORD_START, station_files
from pipeline.sources.jena_columns import COLUMNS, COMMON_VARIABLES
from pipeline.types import TimeRange

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.mirror.weather import SimulatedWeather
    from pipeline.types import Table

PREFIXES = {"keras": "keras", "tensorflow": "tensorflow", "station": "station"}
PATH = re.compile(r"/(keras|tensorflow|station)/([^/]*)")
YEAR = re.compile(r"mpi_roof_(\d{4})[ab]?\.zip")
ZIP, CSV = "application/zip", "text/csv"
ROWS_AT_ONCE = 20_000
PACKED = (1980, 1, 1, 0, 0, 0)


class Station(Protocol):
    """What is behind the prefixes: a simulated station or a folder."""

    today: dt.date

    def answer(self, mirror: str, name: str) -> Answer:
        """The file called `name` on one of the mirrors.

        Raises
        ------
        NotFoundError
            There is none today.
        """
        ...


def answer(station: Station, path: str) -> Answer | None:
    """What the station has at a path; None where the path is not of its mirrors.

    Raises
    ------
    NotFoundError
        The path is of its mirrors, and there is nothing.
    """
    found = PATH.fullmatch(path)
    return station.answer(found[1], found[2]) if found else None


class SimulatedStation:
    """Simulated weather in both formats; the file of the running period grows from day to day."""

    def __init__(self, weather: SimulatedWeather, revision: Callable[[str], int]) -> None:
        self._weather = weather
        self._revision = revision
        self._kept = Kept()
        self.today = weather.today

    def answer(self, mirror: str, name: str) -> Answer:
        """See `Station`."""
        span = _span(mirror, name)
        last = min(span.end, self.today - ONE_DAY)
        if last < max(span.start, self._weather.first):
            raise NotFoundError(f"there is no {name}")
        weather = replace(self._weather, today=self.today)
        revision = self._revision(name)

        def make() -> bytes:
            table = weather.table(span.start, last, revision)
            return classic_file(table) if name == CLASSIC_NAME else station_file(table, name)

        written = dt.datetime.combine(last + ONE_DAY, dt.time(5, 30), dt.UTC) + revision * dt.timedelta(
            hours=1
        )
        body = self._kept.get((name, last, revision), make)
        return Answer(body, ZIP, digest(name, last, revision, weather.first), written)


class RecordedStation:
    """A folder of zip and CSV files, served as they are under every prefix."""

    def __init__(self, folder: Path) -> None:
        self._paths = {
            path.name: path for path in sorted(folder.rglob("*")) if path.suffix in (".zip", ".csv")
        }
        if not self._paths:
            raise ConfigError(
                f"{folder} holds no zip or CSV file",
                remedy=f"name a folder of {CLASSIC_NAME} or mpi_roof_YYYY[a|b].zip files",
                path=str(folder),
            )
        newest = max(path.stat().st_mtime for path in self._paths.values())
        self.today = dt.datetime.fromtimestamp(newest, dt.UTC).date() + ONE_DAY

    def answer(self, mirror: str, name: str) -> Answer:
        """See `Station`."""
        if name not in self._paths:
            raise NotFoundError(f"there is no {name} on {mirror}")
        path = self._paths[name]
        stat = path.stat()
        written = dt.datetime.fromtimestamp(int(stat.st_mtime), dt.UTC)
        kind = ZIP if path.suffix == ".zip" else CSV
        return Answer(path.read_bytes(), kind, digest(name, stat.st_size, stat.st_mtime_ns), written)


def _span(mirror: str, name: str) -> TimeRange:
    """The days that a file is of."""
    if mirror != "station" and name == CLASSIC_NAME:
        return CLASSIC
    found = YEAR.fullmatch(name)
    if mirror == "station" and found and int(found[1]) >= RECORD_START.year:
        whole = TimeRange(start=dt.date(int(found[1]), 1, 1), end=dt.date(int(found[1]), 12, 31))
        for known, span in station_files(whole):
            if known == name:
                return span
    raise NotFoundError(f"there is no {name} on {mirror}")


def classic_file(table: Table) -> bytes:
    """The classic archive: the 14 variables, a quoted header, and what macOS adds."""
    header = ",".join(f'"{column}"' for column in ("Date Time", *list(COLUMNS)[: len(COMMON_VARIABLES)]))
    name = CLASSIC_NAME.removesuffix(".zip")
    junk = {f"__MACOSX/._{name}": b"\0\5\x16\7" + bytes(60)}
    return packed({name: text(table, header, COMMON_VARIABLES).encode("ascii")} | junk)


def station_file(table: Table, name: str) -> bytes:
    """One of the station's archives: all variables, the header in Latin-1."""
    header = ",".join(("Date Time", *COLUMNS))
    content = text(table, header, table.variables).encode("latin-1")
    return packed({name.replace(".zip", ".csv"): content})


def text(table: Table, header: str, variables: tuple[str, ...]) -> str:
    """The table in the institute's way: `dd.mm.YYYY HH:MM:SS`, numbers without needless zeros, CRLF."""
    places = [table.variables.index(name) for name in variables]
    parts = [slice(start, start + ROWS_AT_ONCE) for start in range(0, len(table.time), ROWS_AT_ONCE)]
    rows = (_rows(table.time[part], table.values[part, places]) for part in parts)
    return f"{header}\r\n{''.join(rows)}"


def _rows(time: NDArray[np.datetime64], values: NDArray[np.float64]) -> str:
    hundredths = np.rint(100 * values).astype(np.int64)
    # A number costs far more to spell than to look up, and most come again and again.
    distinct, which = np.unique(hundredths, return_inverse=True)
    spelled = np.array([f"{number / 100:g}" for number in distinct.tolist()], object)
    rows = spelled[which].reshape(hundredths.shape).tolist()
    stamps = np.datetime_as_string(time, unit="s").tolist()
    return "".join(
        f"{stamp[8:10]}.{stamp[5:7]}.{stamp[:4]} {stamp[11:]},{','.join(row)}\r\n"
        for stamp, row in zip(stamps, rows, strict=True)
    )


def packed(members: dict[str, bytes]) -> bytes:
    """A zip archive of `members`, the same bytes every time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, PACKED)
            member.external_attr = 0o644 << 16
            archive.writestr(member, content, zipfile.ZIP_DEFLATED, compresslevel=2)
    return buffer.getvalue()
