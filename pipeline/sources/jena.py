"""The weather station on the roof of the Max Planck Institute for Biogeochemistry in Jena, every ten minutes.

The classic file of 2009–2016 is what textbooks use; the station's own files, of half a year to 2023 and of a year
from 2024 on, go on from there in the same quantities, and hold those years too. Reference: Kolle, O.,
documentation of the Jena weather data, https://www.bgc-jena.mpg.de/wetter/.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from pipeline.errors import ConfigError
from pipeline.sources import jena_decode, local
from pipeline.sources.base import Granule
from pipeline.sources.jena_columns import QUANTITIES
from pipeline.sources.mirrors import Mirrors
from pipeline.types import Status, TimeRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pipeline.types import Quantity, Table

Mirror = Literal["keras", "tensorflow", "station", "files"]

ADDRESSES: dict[str, str] = {
    "keras": "https://s3.amazonaws.com/keras-datasets",
    "tensorflow": "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
    "station": "https://www.bgc-jena.mpg.de/wetter",
}
ONE_DAY = dt.timedelta(days=1)
RECORD_START = dt.date(2009, 1, 1)
CLASSIC_NAME = "jena_climate_2009_2016.csv.zip"
CLASSIC = TimeRange(start=RECORD_START, end=dt.date(2016, 12, 31))
LAST_HALVED_YEAR = 2023
SETTLED = dt.timedelta(days=7)
"""After the end of its period a file still gets its last rows, and corrections."""


class JenaConfig(Mirrors[Mirror]):
    """Where the Jena record is taken from."""

    public = ADDRESSES

    mirrors: tuple[Mirror, ...] = ("keras", "tensorflow", "station")
    """In order of preference; the first two have the classic file alone."""
    today: dt.date | None = None
    """The day of listing, which says what there can be yet and which file still grows; None for the present."""


class Jena:
    """The source `jena`; see `pipeline.sources.base.SeriesSource`."""

    name = "jena"
    Config: ClassVar = JenaConfig
    quantities: Mapping[str, Quantity] = QUANTITIES
    latitude, longitude = 50.9097, 11.5669

    def __init__(self, config: JenaConfig | None = None) -> None:
        self.config = config or JenaConfig()
        self.mirrors: tuple[str, ...] = self.config.mirrors

    def list_granules(
        self, mirror: str, period: TimeRange, read: Callable[[str], bytes]
    ) -> Sequence[Granule]:
        """The files of `mirror` that promise days of `period`, by their first day.

        No mirror has an index: the addresses follow from the period, and that of a running period may answer
        404, as may one that the station has renamed. They have no version, so that fetching asks by ETag. Local
        files that overlap share days.

        Raises
        ------
        ConfigError
            An unknown mirror, or a glob of local files that matches none.
        GranuleError
            A local file's times cannot be read.
        """
        del read
        match mirror:
            case "files":
                return list_files(self.config.files, period)
            case "keras" | "tensorflow":
                return self._listed(mirror, [(CLASSIC_NAME, CLASSIC)], period)
            case "station":
                return self._listed(mirror, station_files(period), period)
            case _:
                known = ", ".join(get_args(Mirror))
                raise ConfigError(f"jena has no mirror {mirror!r}", remedy=f"known: {known}", given=mirror)

    def decode(self, path: Path, granule: Granule) -> Table:
        """See `pipeline.sources.jena_decode.decode`."""
        return jena_decode.decode(path, granule)

    def content_complaint(self, head: bytes) -> str:
        """See `pipeline.sources.jena_decode.content_complaint`."""
        return jena_decode.content_complaint(head)

    def _listed(
        self, mirror: Mirror, files: Iterable[tuple[str, TimeRange]], period: TimeRange
    ) -> list[Granule]:
        today = self.config.today or dt.datetime.now(dt.UTC).date()
        found = []
        for name, span in files:
            first, last = max(span.start, period.start), min(span.end, period.end, today)
            if first <= last:
                days = tuple(first + number * ONE_DAY for number in range((last - first).days + 1))
                closed = span.end + SETTLED < today
                status = Status.FINAL if closed else Status.PRELIMINARY
                found.append(Granule(mirror, f"{self.config.address(mirror)}/{name}", days, status))
        return found


def station_files(period: TimeRange) -> Iterator[tuple[str, TimeRange]]:
    """Name and days of each of the station's files that touch `period`, ascending."""
    for year in range(max(period.start, RECORD_START).year, period.end.year + 1):
        new_year, middle, end = dt.date(year, 1, 1), dt.date(year, 6, 30), dt.date(year, 12, 31)
        if year > LAST_HALVED_YEAR:
            parts = [(f"mpi_roof_{year}.zip", new_year, end)]
        else:
            parts = [
                (f"mpi_roof_{year}a.zip", new_year, middle),
                (f"mpi_roof_{year}b.zip", middle + ONE_DAY, end),
            ]
        for name, first, last in parts:
            if first <= period.end and last >= period.start:
                yield name, TimeRange(start=first, end=last)


def list_files(globs: Iterable[str], period: TimeRange) -> list[Granule]:
    """Local files, each with the days of `period` that it holds rows of, whatever it is called.

    Raises
    ------
    ConfigError
        A glob matches no file.
    GranuleError
        A file's times cannot be read.
    """
    found = []
    for path in local.matching(globs):
        days = tuple(day for day in _days_of(path, local.version(path)) if day in period)
        if days:
            found.append(local.granule(path, days))
    return sorted(found, key=lambda granule: granule.days[0])


@lru_cache(maxsize=256)
def _days_of(path: str, version: str) -> tuple[dt.date, ...]:
    del version
    return jena_decode.read_days(Path(path))
