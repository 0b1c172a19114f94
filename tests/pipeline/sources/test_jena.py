"""The source jena: which files it names, and how they are fetched from a mirror."""

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError, GranuleError, VanishedError
from pipeline.mirror import Mirror, SimulatedWeather
from pipeline.mirror.jena import station_file
from pipeline.sources import series_source, source
from pipeline.sources.base import Fetched, FetchFailure
from pipeline.sources.fetch import Fetcher
from pipeline.sources.jena import CLASSIC_NAME, Jena, JenaConfig, station_files
from pipeline.types import Status, TimeRange

FIRST, TODAY = dt.date(2016, 10, 1), dt.date(2018, 3, 1)
WEATHER = SimulatedWeather(seed=2, first=FIRST, today=TODAY)
LONG = TimeRange(start=dt.date(2009, 1, 1), end=dt.date(2026, 12, 31))


def unread(url: str) -> bytes:
    raise AssertionError(url)


def jena(**config: Any) -> Jena:
    return Jena(JenaConfig(**config))


def listed(made: Jena, mirror: str, period: TimeRange = LONG) -> list[tuple[str, dt.date, dt.date, Status]]:
    granules = made.list_granules(mirror, period, unread)
    return [(each.url, each.days[0], each.days[-1], each.status) for each in granules]


def test_public_addresses() -> None:
    made = jena(today=dt.date(2025, 3, 5))
    for mirror, base in (
        ("keras", "https://s3.amazonaws.com/keras-datasets"),
        ("tensorflow", "https://storage.googleapis.com/tensorflow/tf-keras-datasets"),
    ):
        assert listed(made, mirror) == [
            (f"{base}/{CLASSIC_NAME}", dt.date(2009, 1, 1), dt.date(2016, 12, 31), Status.FINAL)
        ]
    station = listed(made, "station")
    base = "https://www.bgc-jena.mpg.de/wetter"
    assert station[0] == (
        f"{base}/mpi_roof_2009a.zip",
        dt.date(2009, 1, 1),
        dt.date(2009, 6, 30),
        Status.FINAL,
    )
    assert station[29] == (
        f"{base}/mpi_roof_2023b.zip",
        dt.date(2023, 7, 1),
        dt.date(2023, 12, 31),
        Status.FINAL,
    )
    assert station[30] == (
        f"{base}/mpi_roof_2024.zip",
        dt.date(2024, 1, 1),
        dt.date(2024, 12, 31),
        Status.FINAL,
    )
    assert station[31:] == [
        (f"{base}/mpi_roof_2025.zip", dt.date(2025, 1, 1), dt.date(2025, 3, 5), Status.PRELIMINARY)
    ]


days = st.dates(dt.date(2005, 1, 1), dt.date(2030, 12, 31))


@given(first=days, second=days, today=days)
def test_every_day_is_promised_once_a_mirror(first: dt.date, second: dt.date, today: dt.date) -> None:
    period = TimeRange(start=min(first, second), end=max(first, second))
    made = jena(today=today)
    for mirror, last in (("keras", dt.date(2016, 12, 31)), ("station", dt.date.max)):
        granules = made.list_granules(mirror, period, unread)
        promised = [day for granule in granules for day in granule.days]
        end = min(last, today)
        expected = [day for day in period.days().tolist() if dt.date(2009, 1, 1) <= day <= end]
        assert promised == expected
        for granule in granules:
            assert granule.version == ""
            recent = (today - granule.days[-1]).days <= 7 and granule.days[-1] < period.end
            assert not (recent and granule.status is Status.FINAL)


def test_the_stations_files_join() -> None:
    spans = [span for _, span in station_files(LONG)]
    for before, after in pairwise(spans):
        assert after.start - before.end == dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"mirrors": ("kears",)}, "did you mean 'keras'"),
        ({"mirror": ("keras",)}, "did you mean 'mirrors'"),
        ({"mirrors": ()}, "mirrors is empty"),
        ({"mirrors": ("files",)}, "needs `files`"),
        ({"addresses": {"stations": "http://x"}}, "did you mean 'station'"),
    ],
)
def test_a_typo_is_named(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        source("jena", **config)
    assert words in str(caught.value)


@pytest.fixture(scope="module")
def shared() -> Iterator[Mirror]:
    with Mirror(weather=WEATHER) as mirror:
        yield mirror


@pytest.fixture
def mirror(shared: Mirror) -> Iterator[Mirror]:
    shared.requests.clear()
    yield shared
    shared.faults.clear()


@pytest.fixture
def made(mirror: Mirror) -> Jena:
    return jena(addresses=mirror.addresses_of("jena"), today=TODAY)


def fetched(fetcher: Fetcher, made: Jena, mirror: str, cache: Path) -> list[Fetched | FetchFailure]:
    granules = made.list_granules(mirror, LONG, fetcher.read)
    return list(fetcher.fetch(granules, cache, complaint=made.content_complaint))


def test_classic_and_later_files_join_to_one_record(made: Jena, fetcher: Fetcher, tmp_path: Path) -> None:
    (classic,) = fetched(fetcher, made, "keras", tmp_path)
    assert isinstance(classic, Fetched)
    station = [got for got in fetched(fetcher, made, "station", tmp_path) if isinstance(got, Fetched)]
    assert [got.granule.name for got in station] == [
        "mpi_roof_2016b.zip",
        "mpi_roof_2017a.zip",
        "mpi_roof_2017b.zip",
        "mpi_roof_2018a.zip",
    ]
    tables = [made.decode(got.path, got.granule) for got in (classic, *station[1:])]
    for before, after in pairwise(tables):
        assert (after.time[0] - before.time[-1]).astype(int) == 600
        assert before.variables[:14] == after.variables[:14]
    assert str(tables[0].time[-1]) == "2017-01-01T00:00:00"


def test_a_file_that_is_not_there_yet_is_normal(made: Jena, fetcher: Fetcher, tmp_path: Path) -> None:
    failures = [got for got in fetched(fetcher, made, "station", tmp_path) if isinstance(got, FetchFailure)]
    assert len(failures) == 15
    assert all(isinstance(failure.error, VanishedError) for failure in failures)


def test_closed_files_are_asked_by_etag_and_the_running_one_grows(
    mirror: Mirror, made: Jena, fetcher: Fetcher, tmp_path: Path
) -> None:
    period = TimeRange(start=dt.date(2017, 7, 1), end=dt.date(2018, 6, 30))

    def once() -> list[int]:
        mirror.requests.clear()
        granules = made.list_granules("station", period, fetcher.read)
        assert [granule.status for granule in granules] == [Status.FINAL, Status.PRELIMINARY]
        for got in fetcher.fetch(granules, tmp_path, complaint=made.content_complaint):
            assert isinstance(got, Fetched)
        return [status for _, _, status in sorted(mirror.requests, key=lambda request: request[1])]

    assert once() == [200, 200]
    assert once() == [304, 304]
    mirror.advance(1)
    try:
        assert once() == [304, 200]
    finally:
        mirror.advance(-1)


@pytest.mark.parametrize("fault", ["truncate*1", "503*1"])
def test_a_broken_transfer_is_mended(
    mirror: Mirror, made: Jena, fetcher: Fetcher, tmp_path: Path, fault: str
) -> None:
    mirror.faults.add(f"{fault}:/keras/*")
    (got,) = fetched(fetcher, made, "keras", tmp_path)
    assert isinstance(got, Fetched)
    assert len(made.decode(got.path, got.granule).time) > 13_000


def test_a_page_is_refused_and_not_kept(mirror: Mirror, made: Jena, fetcher: Fetcher, tmp_path: Path) -> None:
    mirror.faults.add("html:/keras/*")
    (got,) = fetched(fetcher, made, "keras", tmp_path)
    assert isinstance(got, FetchFailure)
    assert isinstance(got.error, GranuleError)
    assert "page of HTML" in got.error.message
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    (other,) = fetched(fetcher, made, "tensorflow", tmp_path)
    assert isinstance(other, Fetched)


def test_local_files_are_listed_by_what_they_hold(fetcher: Fetcher, tmp_path: Path) -> None:
    for name, start, end in (
        ("late.zip", dt.date(2017, 2, 1), dt.date(2017, 2, 3)),
        ("early.zip", dt.date(2016, 12, 30), dt.date(2017, 2, 1)),
    ):
        (tmp_path / name).write_bytes(station_file(WEATHER.table(start, end), "a.zip"))
    local = series_source("jena", files=(f"{tmp_path}/*.zip",))
    assert local.mirrors == ("files",)
    period = TimeRange(start=dt.date(2017, 1, 31), end=dt.date(2017, 2, 2))
    early, late = local.list_granules("files", period, unread)
    assert (early.name, early.days) == ("early.zip", (dt.date(2017, 1, 31), dt.date(2017, 2, 1)))
    assert (late.name, late.days) == ("late.zip", (dt.date(2017, 2, 1), dt.date(2017, 2, 2)))
    assert early.version
    assert early.status is Status.FINAL
    (got, _) = fetcher.fetch([early, late], tmp_path / "cache", complaint=local.content_complaint)
    assert isinstance(got, Fetched)
    assert len(np.unique(local.decode(got.path, got.granule).time)) == 288
    outside = TimeRange(start=dt.date(2020, 1, 1), end=dt.date(2020, 1, 2))
    assert not local.list_granules("files", outside, unread)


def test_local_files_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no file matches"):
        jena(files=(f"{tmp_path}/*.csv",)).list_granules("files", LONG, unread)
    (tmp_path / "a.csv").write_text("Date Time,p (mbar)\nx,y\n")
    with pytest.raises(GranuleError, match=r"a\.csv, line 1: lacks the columns 'T \(degC\)'"):
        jena(files=(f"{tmp_path}/*.csv",)).list_granules("files", LONG, unread)
