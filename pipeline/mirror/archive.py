"""What a mirror holds on its `today`: which days, in which state, and the files made of them."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pipeline.errors import ConfigError, NotFoundError
from pipeline.mirror import erddap, ncei, psl
from pipeline.mirror.ocean import FILL, SimulatedOcean
from pipeline.sources.base import Granule
from pipeline.sources.oisst_decode import decode
from pipeline.sources.oisst_files import named_day
from pipeline.types import Box, Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

PRELIMINARY_DAYS = 14
ONE_DAY = dt.timedelta(days=1)
ONE_HOUR = dt.timedelta(hours=1)
WORLD = Box(latitude=(-90, 90), longitude=(0, 360))
CACHE_BYTES = 256e6


@dataclass(frozen=True, slots=True)
class Day:
    """One daily file."""

    name: str
    day: dt.date
    status: Status
    written: dt.datetime
    etag: str
    revision: int


class Archive(Protocol):
    """The days of a simulated ocean or of a folder."""

    today: dt.date

    def days(self) -> list[tuple[dt.date, Status, str]]:
        """Day, status and name of each daily file, ascending."""
        ...

    def hundredths(self, day: dt.date, status: Status, revision: int) -> NDArray[np.int16]:
        """int16 (720, 1440), 0.01 degree_Celsius, −999 on land."""
        ...

    def daily_file(self, day: Day) -> bytes:
        """In NCEI's format."""
        ...


class SimulatedArchive:
    """A simulated ocean as NCEI would serve it on `today`: the last 14 days are preliminary."""

    def __init__(self, ocean: SimulatedOcean) -> None:
        self._ocean = ocean
        self.today = ocean.today
        self._listed: tuple[dt.date | None, list[tuple[dt.date, Status, str]]] = (None, [])

    def days(self) -> list[tuple[dt.date, Status, str]]:
        """See `Archive`."""
        today, listed = self._listed
        if today != self.today:
            today, listed = self.today, []
            for number in range((today - self._ocean.first).days):
                day = self._ocean.first + number * ONE_DAY
                recent = (today - day).days <= PRELIMINARY_DAYS
                status = Status.PRELIMINARY if recent else Status.FINAL
                listed.append((day, status, ncei.file_name(day, status)))
            self._listed = today, listed
        return listed

    def hundredths(self, day: dt.date, status: Status, revision: int) -> NDArray[np.int16]:
        """See `Archive`."""
        return self._ocean.hundredths(day, status, revision)

    def daily_file(self, day: Day) -> bytes:
        """See `Archive`."""
        sst = self.hundredths(day.day, day.status, day.revision)
        # A degree wide: nobody reads it, and it costs a quarter to deflate.
        coarse = np.rint(self._ocean.anomaly(day.day)[:, ::4]).astype(np.int16).repeat(4, axis=1)
        anomaly = np.where(sst == FILL, np.int16(FILL), coarse)
        return ncei.daily_file(day.day, day.status, sst, anomaly, day.written)


class RecordedArchive:
    """A folder of files named as NCEI names them, served as they are."""

    def __init__(self, folder: Path) -> None:
        self._paths: dict[str, Path] = {}
        for path in sorted(folder.rglob("*.nc")):
            if named_day(path.name):
                self._paths[path.name] = path
        if not self._paths:
            raise ConfigError(
                f"{folder} holds no file named as NCEI names them",
                remedy="name a folder of oisst-avhrr-v02r01.YYYYMMDD.nc files",
                path=str(folder),
            )
        self.today = max(told[0] for name in self._paths if (told := named_day(name))) + ONE_DAY

    def days(self) -> list[tuple[dt.date, Status, str]]:
        """See `Archive`."""
        told = [(named_day(name), name) for name in self._paths]
        return sorted((each[0], each[1], name) for each, name in told if each is not None)

    def hundredths(self, day: dt.date, status: Status, revision: int) -> NDArray[np.int16]:
        """See `Archive`."""
        name = next(name for when, kind, name in self.days() if (when, kind) == (day, status))
        granule = Granule("files", str(self._paths[name]), (day,), status)
        values = decode(self._paths[name], granule, WORLD).values[0]
        known = np.isfinite(values)
        packed: NDArray[np.int16] = np.where(known, np.rint(values * 100 + revision), FILL).astype(np.int16)
        return packed

    def daily_file(self, day: Day) -> bytes:
        """See `Archive`."""
        return self._paths[day.name].read_bytes()


class Kept:
    """What was made, while there is room; made by one thread at a time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...], make: Callable[[], bytes]) -> bytes:
        """What was made for `key`, or is made now."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            self._kept.move_to_end(key)
            made = self._kept[key]
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > CACHE_BYTES:
                self._kept.popitem(last=False)
            return made


class Shelf:
    """An archive's files by address, made when asked for and kept while there is room."""

    def __init__(
        self, archive: Archive, revision: Callable[[str], int], late: Callable[[str], bool] = lambda _: False
    ) -> None:
        self.archive = archive
        self._revision = revision
        self._late = late
        self._keep = Kept().get

    def days(self) -> list[Day]:
        """The daily files there are today."""
        return [self._day(*each) for each in self.archive.days() if not self._late(each[2])]

    def _day(self, day: dt.date, status: Status, name: str) -> Day:
        revision = self._revision(name)
        delay = 1 if status is Status.PRELIMINARY else PRELIMINARY_DAYS + 1
        written = dt.datetime.combine(day + delay * ONE_DAY, dt.time(9, 12), dt.UTC) + revision * ONE_HOUR
        return Day(name, day, status, written, digest(name, revision, written), revision)

    def find(self, name: str) -> Day:
        """The daily file called `name`.

        Raises
        ------
        NotFoundError
            It is not there today.
        """
        for day, status, known in self.archive.days():
            if known == name and not self._late(name):
                return self._day(day, status, known)
        raise NotFoundError(f"there is no {name}")

    def daily(self, day: Day) -> bytes:
        """Its bytes."""
        return self._keep((day,), lambda: self.archive.daily_file(day))

    def years(self) -> dict[int, list[Day]]:
        """The days of each year."""
        years: dict[int, list[Day]] = {}
        for day in self.days():
            years.setdefault(day.day.year, []).append(day)
        return years

    def year(self, year: int) -> tuple[bytes, str, dt.datetime]:
        """A yearly file, its ETag, and when it was written."""
        days = self.years().get(year)
        if not days:
            raise NotFoundError(f"there is no year {year}")
        made = self._keep(
            ("psl", *days), lambda: psl.yearly_file((day.day, self._field(day)) for day in days)
        )
        return made, year_etag(days), year_written(days)

    def last(self, status: Status) -> dt.date:
        """The last day of a status."""
        days = [day.day for day in self.days() if day.status is status]
        if not days:
            raise NotFoundError(f"there is no {status.name.lower()} day")
        return days[-1]

    def subset(self, name: str, query: str) -> bytes:
        """ERDDAP's answer.

        Raises
        ------
        NotFoundError
            The data set does not hold all days of the query.
        ValueError
            The query cannot be read.
        """
        asked = erddap.parse(query, west=-180.0 if name.endswith("_LonPM180") else 0.0)
        status = Status.PRELIMINARY if "Nrt" in name else Status.FINAL
        days = [day for day in self.days() if day.status is status and asked.start <= day.day <= asked.end]
        if len(days) != (asked.end - asked.start).days + 1:
            raise NotFoundError(f"{name} does not hold {asked.start}…{asked.end}")

        def make() -> bytes:
            fields = (self._field(day) for day in days)
            return erddap.subset_file(asked, [day.day for day in days], fields, status, name)

        return self._keep((name, query, *days), make)

    def _field(self, day: Day) -> NDArray[np.int16]:
        return self.archive.hundredths(day.day, day.status, day.revision)


def digest(*facts: object) -> str:
    """An ETag that changes with any of `facts`."""
    return hashlib.md5(repr(facts).encode(), usedforsecurity=False).hexdigest()


def year_etag(days: list[Day]) -> str:
    """Changes with any of its days."""
    return digest(*(day.etag for day in days))


def year_written(days: list[Day]) -> dt.datetime:
    """The day after its last, or 15 days after the year's end."""
    return max(day.written for day in days)
