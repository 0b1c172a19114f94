"""A year of daily runs of a small sea and of a station: bytes that are needed over bytes that are stored.

Of the sea each day a preliminary day is appended, the final of a fortnight ago replaces its preliminary, and one
forecast of each of six forecasters enters the archive; of the station the file of the running year grows by a day,
and hourly forecasts enter. The forecasts of the test windows are there before. Once a month a model is trained,
whose card names its snapshot; every fourth becomes champion, and its test windows are forecast and scored anew.
Retention runs once a week. Stored is every byte of a store's folder; "kept" the part of it that the policy keeps,
which is the newest snapshot, the pinned ones, and those of the last days; "needed" what the newest and the pinned
alone hold. Target: at least 0.8 of the stored bytes are needed. Last is a catalog that lists a forecast of every
day, each of which pins two snapshots for ever. "Read" is the time to read a year of all values.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from pipeline.forecasts import archive
from pipeline.grid import Grid
from pipeline.mirror.weather import SimulatedWeather
from pipeline.sources.base import Granule
from pipeline.sources.jena_columns import QUANTITIES
from pipeline.store import reader, repository, retention, series_reader, series_writer, writer
from pipeline.store.series_schema import Station, day_of
from pipeline.types import Box, Status, Table

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST = np.datetime64("2010-01-01", "D")
GRID = Grid.regular(Box(latitude=(-40, -32), longitude=(150, 158)), 0.25)
ROOF = Station(name="roof", latitude=50.9, longitude=11.6)
FORECASTERS = ("convlstm", "persistence", "climatology", "damped-persistence", "eof-ridge", "blend")
FORTNIGHT, WEEK, MONTH = 14, 7, 30
REIGN = 4 * MONTH
USUAL = 30


def field(day: int, *, final: bool) -> np.ndarray:
    """Hundredths of a degree: a season, an eddy that drifts, and what the final corrects."""
    rows, columns = np.meshgrid(np.arange(GRID.shape[0]), np.arange(GRID.shape[1]), indexing="ij")
    season = 4 * np.cos(2 * np.pi * day / 365.25)
    noise = np.random.default_rng(day).normal(0, 0.3, GRID.shape)
    revised = np.random.default_rng(-day % 2**32).normal(0, 0.05, GRID.shape) if not final else 0
    values = 16 + season + np.sin((rows + columns) / 5 + day / 9) + noise + revised
    return np.where(columns < rows // 4, np.nan, np.round(values, 2)).astype(np.float32)


class _Place(ABC):
    """A record and its forecast archive, in a folder; days count from FIRST."""

    record: str
    leads: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    values: Callable[[int], np.ndarray]

    def __init__(self, folder: Path) -> None:
        self.paths = {self.record: folder / self.record, "archive": folder / "archive"}

    @abstractmethod
    def begin(self, before: int) -> None:
        """The record before the first day."""

    @abstractmethod
    def ingest(self, day: int) -> str:
        """What a day brings; the snapshot."""

    @abstractmethod
    def read_record(self) -> None:
        """Its last year."""

    def forecast(self, days: range, snapshot: str, model: str, names: tuple[str, ...] = FORECASTERS) -> str:
        about = {"standard_name": "", "long_name": "temperature", "units": "degree_Celsius"}
        shape = (len(days), len(self.leads), len(self.latitude), len(self.longitude))
        values = np.stack([self.values(day) for day in days]).reshape(shape)
        dims = ("init_time", "lead_time", "latitude", "longitude")
        coords = {
            "init_time": (FIRST + np.array(days)).astype("datetime64[ns]"),
            "lead_time": self.leads.astype("timedelta64[ns]"),
            "latitude": self.latitude,
            "longitude": self.longitude,
        }
        shift = 0.1 * int(model.rpartition("-")[2])
        made = {
            name: xr.Dataset({"t": (dims, values + np.float32(0.01 * number + shift), about)}, coords)
            for number, name in enumerate(names)
        }
        provenance = archive.Provenance(snapshot, dt.datetime.now(dt.UTC), dict.fromkeys(names, model))
        said = f"forecast {FIRST + days[-1]}"
        return archive.write(self.paths["archive"], made, region="place", message=said, provenance=provenance)

    def read_archive(self) -> None:
        for name in FORECASTERS:
            archive.read(self.paths["archive"], "place", name).isel(init_time=slice(-365, None)).load()


class _Sea(_Place):
    """32 × 32 cells, seven days ahead."""

    record = "cube"
    leads = np.arange(1, 8).astype("timedelta64[D]")
    latitude, longitude = GRID.latitude, GRID.longitude

    def begin(self, before: int) -> None:
        writer.create_cube(self.paths["cube"], {"place": GRID}, FIRST.item())
        for start in range(0, before, 128):
            self._write([(day, Status.FINAL) for day in range(start, min(start + 128, before))])
        self.first = before

    def ingest(self, day: int) -> str:
        finals = [day - FORTNIGHT] if day - FORTNIGHT >= self.first else []
        return self._write([*((each, Status.FINAL) for each in finals), (day, Status.PRELIMINARY)])

    def values(self, day: int) -> np.ndarray:
        return np.stack([field(day + lead, final=True) for lead in range(1, 8)])

    def read_record(self) -> None:
        data = reader.open_region(self.paths["cube"], "place")
        data.sst.isel(time=slice(-365, None)).load()

    def _write(self, some: list[tuple[int, Status]]) -> str:
        told = [f"{day:05d}{state.name}" for day, state in some]
        batch = writer.DayBatch(
            FIRST + np.array([day for day, _ in some]),
            np.array([state for _, state in some], np.int8),
            tuple(each.ljust(64, "0") for each in told),
            tuple(f"https://example.org/oisst/{each}.nc" for each in told),
            ("1",) * len(some),
            {"place": np.stack([field(day, final=state == Status.FINAL) for day, state in some])},
        )
        return writer.write(self.paths["cube"], batch) or ""


class _Roof(_Place):
    """21 variables every ten minutes, 24 hours ahead."""

    record = "series"
    leads = np.arange(1, 25).astype("timedelta64[h]")
    latitude, longitude = np.array([ROOF.latitude]), np.array([ROOF.longitude])
    weather = SimulatedWeather(first=FIRST.item(), today=dt.date(2100, 1, 1))

    def begin(self, before: int) -> None:
        last = (FIRST + before - 1).item()
        for number in range(FIRST.item().year, last.year + 1):
            self._write(number, min(last, dt.date(number, 12, 31)), Status.FINAL)

    def ingest(self, day: int) -> str:
        date = (FIRST + day).item()
        if (date.month, date.day) == (1, WEEK):
            self._write(date.year - 1, dt.date(date.year - 1, 12, 31), Status.FINAL)
        return self._write(date.year, date, Status.PRELIMINARY)

    def values(self, day: int) -> np.ndarray:
        return np.random.default_rng(day).normal(10, 3, (24, 1, 1)).astype(np.float32)

    def read_record(self) -> None:
        data = series_reader.open_series(self.paths["series"], ROOF.name)
        data.isel(time=slice(-365 * 144, None)).load()

    def _write(self, year: int, last: dt.date, status: Status) -> str:
        whole = self._year(year)
        count = int(np.searchsorted(whole.time, np.datetime64(last, "s") + np.timedelta64(1, "D"), "right"))
        table = Table(whole.time[:count], whole.values[:count], whole.variables, whole.line[:count])
        days = tuple(np.unique(day_of(table.time)).tolist())
        granule = Granule("mirror", f"http://mirror/roof_{year}.zip", days, status, f"{last}{status}")
        rows = series_writer.FileRows(granule, f"{last}{status}".ljust(64, "0"), table)
        return series_writer.write(self.paths["series"], ROOF, rows, QUANTITIES).snapshot or ""

    def _year(self, year: int) -> Table:
        """Its rows whose stamps ascend, as no file may repeat too many."""
        return self.weather.table(dt.date(year, 1, 1), dt.date(year, 12, 31))


PLACES = {"sea": _Sea, "station": _Roof}


def stored(path: Path) -> int:
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


def left(path: Path, pins: set[str], folder: Path, older_than: dt.datetime) -> int:
    """Bytes of a copy where only the newest, the pinned, and the snapshots since `older_than` are."""
    copy = folder / "copy" / path.name
    shutil.copytree(path, copy)
    late = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    retention.retain(copy, pins, older_than=older_than, now=late, safety=dt.timedelta(hours=1))
    count = stored(copy)
    shutil.rmtree(copy)
    return count


def milliseconds(read: Callable[[], None]) -> float:
    took = []
    for _ in range(3):
        mark = time.perf_counter()
        read()
        took.append(time.perf_counter() - mark)
    return min(took) * 1e3


def year(place: _Place, folder: Path, options: argparse.Namespace, retain_days: int, *, listed: bool) -> None:
    """Run it, and print the sizes; a day of the simulation is as long as its cycle takes."""
    before, days = options.before, options.days
    record, store = place.record, "archive"
    place.begin(before)
    tested = range(max(0, before - options.tested), before)
    first = repository.newest(place.paths[record])
    if tested:
        place.forecast(tested, first, "model-0")
    began: dict[int, dt.datetime] = {}
    pins: dict[str, set[str]] = {record: {first}, store: set()}
    scored = {record: first, store: repository.newest(place.paths[store]) if tested else ""}
    cpu = spent = 0.0
    for day in range(before, before + days):
        number = day - before
        began[day] = dt.datetime.now(dt.UTC)
        mark = time.process_time()
        snapshot = place.ingest(day)
        model = f"model-{number // REIGN}"
        if tested and number and number % REIGN == 0:
            scored = {record: snapshot, store: place.forecast(tested, snapshot, model, FORECASTERS[:1])}
        archived = place.forecast(range(day, day + 1), snapshot, model)
        cpu += time.process_time() - mark
        newest = {record: snapshot, store: archived}
        for name, pinned in pins.items():
            if listed or (name == record and number % MONTH == 0):
                pinned.add(newest[name])
        if number % WEEK == WEEK - 1:
            mark = time.process_time()
            old = began[max(before, day - retain_days)]
            for name, path in place.paths.items():
                kept = pins[name] | {newest[name], scored[name]}
                retention.retain(path, kept, older_than=old, now=began[day], safety=dt.timedelta(0))
            spent += time.process_time() - mark
    late = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    since = began[max(before, before + days - 1 - retain_days)]
    reads = {record: place.read_record, store: place.read_archive}
    for name, path in place.paths.items():
        kept = pins[name] | {newest[name], scored[name]}
        held = stored(path)
        policy, needed = (left(path, kept, folder, cut) for cut in (since, late))
        snapshots = sum(1 for _ in repository.open_repository(path).ancestry(branch=repository.BRANCH))
        sizes = f"{held / 2**20:8.1f} MiB {needed / 2**20:8.1f} MiB {policy / held:6.2f} {needed / held:7.2f}"
        counts = f"{len(kept):6d} {snapshots:9d} {milliseconds(reads[name]):6.0f} ms"
        print(f"{retain_days:4d} days  {name:8} {sizes} {counts}", flush=True)
    a_week = spent / max(1, days // WEEK)
    print(
        f"           a day's writing {cpu / days * 1e3:.0f} ms, a retention {a_week * 1e3:.0f} ms of processor"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365, help="days of cycles")
    parser.add_argument("--before", type=int, default=3652, help="days of the record before them")
    parser.add_argument("--tested", type=int, default=365, help="test windows in the archive before them")
    parser.add_argument("--retain", type=int, nargs="*", default=[USUAL], help="days that snapshots are kept")
    parser.add_argument("--place", choices=PLACES, nargs="*", default=list(PLACES))
    parser.add_argument("--listed", type=int, nargs="*", default=[0, 1], help="1 where each day is listed")
    options = parser.parse_args()
    for listed in map(bool, options.listed):
        what = "a forecast listed every day" if listed else "models and the newest scores pinned"
        for kind in options.place:
            print(f"{kind}: {options.days} daily runs after {options.before} days, {what}")
            columns = f"{'kept':>6} {'needed':>7} {'pins':>6} {'snapshots':>9} {'read':>9}"
            print(f"{'retention':10} {'store':8} {'stored':>12} {'needed':>12} {columns}")
            for retain_days in options.retain:
                with tempfile.TemporaryDirectory() as name:
                    year(PLACES[kind](Path(name)), Path(name), options, retain_days, listed=listed)


if __name__ == "__main__":
    main()
