"""What every source promises, and that the mirrors of one source give one field or one table."""

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import ConfigError, IsothermError
from pipeline.mirror import Mirror, SimulatedOcean, SimulatedWeather
from pipeline.sources import SOURCES, movie_source, record_source, series_source, source
from pipeline.sources.base import Fetched, Granule, SeriesSource, Source
from pipeline.sources.fetch import Fetcher
from pipeline.sources.policy import FetchPolicy
from pipeline.types import Box, Field, Status, TimeRange

PERIOD = TimeRange(start=dt.date(2019, 12, 30), end=dt.date(2020, 1, 6))
BOXES = {
    "tasman": Box(latitude=(-45, -37), longitude=(147, 155)),
    "across 0°": Box(latitude=(30, 46), longitude=(-6, 37)),
    "across 0° from 350": Box(latitude=(30, 46), longitude=(350, 10)),
    "across 180°": Box(latitude=(-10, 10), longitude=(170, -170)),
    "across both": Box(latitude=(-2, 2), longitude=(-20, 200)),
    "between cells": Box(latitude=(-44.9, -37.3), longitude=(147.3, 155.1)),
}
STATIONS = [name for name in SOURCES if hasattr(source(name), "quantities")]
RECORDS = [name for name in SOURCES if hasattr(source(name), "decode_records")]
MOVIES = [name for name in SOURCES if hasattr(source(name), "decode_movies")]
FIELDS = [name for name in SOURCES if name not in (*STATIONS, *RECORDS, *MOVIES)]
LEAST: dict[str, dict[str, Any]] = {
    "knmi-radar": {"addresses": {"web": "http://127.0.0.1:9/radar"}},
    "oisst-sequences": {"seas": {"bengal": {"latitude": (5, 18), "longitude": (83.5, 92.5)}}},
}
"""What sources of movies must be told: where they are, or of which seas."""
LISTED = {
    "moving-squares": set(),
    "knmi-radar": {"web"},
    "oisst-sequences": {"open-data"},
}
"""Mirrors that the granules of the first one of each source of movies are on; it may make its movies itself."""
DAYS = {"start": dt.date(2020, 1, 1), "days": 4, "stretches": 2}
INDEX = b'<a href="RAD_NL25_RAC_MFBS_EM_5min_202001010000_NL.h5">a composite</a>'
YEARS = TimeRange(start=dt.date(2016, 12, 1), end=dt.date(2017, 7, 10))
QUICK = FetchPolicy(attempts=2, backoff=0.001, per_second=1000)


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    ocean = SimulatedOcean(seed=4, first=dt.date(2019, 12, 29), today=dt.date(2020, 1, 18))
    with Mirror(ocean=ocean) as mirror:
        yield mirror


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(params=FIELDS)
def made(request: pytest.FixtureRequest, mirror: Mirror) -> Source:
    return source(request.param, addresses=mirror.addresses_of(request.param))


@pytest.fixture(scope="module")
def stations() -> Iterator[Mirror]:
    weather = SimulatedWeather(seed=4, first=dt.date(2016, 11, 20), today=dt.date(2017, 7, 8))
    with Mirror(weather=weather) as mirror:
        yield mirror


@pytest.fixture(params=STATIONS)
def station(request: pytest.FixtureRequest, stations: Mirror) -> SeriesSource:
    return series_source(request.param, addresses=stations.addresses_of(request.param), today=stations.today)


def everything(made: Source, name: str, box: Box, cache: Path) -> list[tuple[Granule, Field]]:
    with Fetcher(QUICK) as fetcher:
        granules = made.list_granules(name, PERIOD, box, fetcher.read)
        results = list(fetcher.fetch(granules, cache))
    assert all(isinstance(result, Fetched) for result in results), results
    return [
        (each.granule, made.decode(each.path, each.granule, box))
        for each in results
        if isinstance(each, Fetched)
    ]


@pytest.mark.parametrize("box", BOXES.values(), ids=list(BOXES))
def test_all_mirrors_give_the_same_field(made: Source, box: Box, cache: Path) -> None:
    first: dict[np.datetime64, tuple[bytes, Status]] = {}
    grid: tuple[list[float], list[float]] | None = None
    for name in made.mirrors:
        days = {}
        for granule, field in everything(made, name, box, cache):
            assert field.time.tolist() == list(granule.days)
            assert field.values.dtype == np.float32
            assert field.values.shape == (len(field.time), len(field.latitude), len(field.longitude))
            assert np.all(np.diff(field.latitude) > 0)
            assert np.all(np.diff(field.longitude) > 0)
            assert (
                box.longitude[0] <= field.longitude[0] <= field.longitude[-1] <= box.longitude[0] + box.width
            )
            assert field.units == "degree_Celsius"
            grid = grid or (field.latitude.tolist(), field.longitude.tolist())
            assert grid == (field.latitude.tolist(), field.longitude.tolist())
            for number, day in enumerate(field.time):
                days[day] = (field.values[number].tobytes(), field.status)
        assert list(days) == list(PERIOD.days())
        first = first or days
        assert days == first, name


def test_all_mirrors_give_the_same_rows(station: SeriesSource, stations: Mirror, cache: Path) -> None:
    rows: dict[tuple[np.datetime64, str], float] = {}
    promised: set[dt.date] = set()
    with Fetcher(QUICK) as fetcher:
        for name in station.mirrors:
            granules = station.list_granules(name, YEARS, fetcher.read)
            assert [granule.days[0] for granule in granules] == sorted(each.days[0] for each in granules)
            for result in fetcher.fetch(granules, cache, complaint=station.content_complaint):
                assert isinstance(result, Fetched), result
                table = station.decode(result.path, result.granule)
                assert table.values.shape == (len(table.time), len(table.variables))
                assert station.quantities.keys() >= set(table.variables)
                assert np.all(np.diff(table.line) > 0)
                days = set((table.time - np.timedelta64(1, "s")).astype("datetime64[D]").tolist())
                assert days <= set(result.granule.days) <= set(YEARS.days().tolist())
                promised |= days
                stamps, first = np.unique(table.time, return_index=True)
                for variable, column in zip(table.variables, table.values.T, strict=True):
                    for stamp, value in zip(stamps[::97], column[first[::97]], strict=True):
                        assert rows.setdefault((stamp, variable), value) == value
    assert promised == {day for day in YEARS.days().tolist() if day < stations.today}


@pytest.mark.parametrize("name", SOURCES)
def test_names_are_those_of_the_registry(name: str) -> None:
    made = source(name)
    assert made.name == name
    assert made.mirrors
    assert len(set(made.mirrors)) == len(made.mirrors)


def test_a_source_of_fields_is_none_of_a_station() -> None:
    with pytest.raises(ConfigError, match="no source of a station's table"):
        series_source(FIELDS[0])


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_is_asked_for_records_where_it_has_them(name: str) -> None:
    if name in RECORDS:
        made = record_source(name)
        listed = made.list_granules(made.mirrors[0], lambda _: b"")
        assert {granule.mirror for granule in listed} == {made.mirrors[0]}
        assert len({each.name for each in made.parameters}) == len(made.parameters)
        with pytest.raises(IsothermError, match="no mirror 'nowhere'"):
            made.list_granules("nowhere", lambda _: b"")
    else:
        with pytest.raises(ConfigError, match="no source of labelled records"):
            record_source(name)


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_is_asked_for_movies_where_it_has_them(name: str, mirror: Mirror) -> None:
    if name in MOVIES:
        made = movie_source(name, **LEAST.get(name, {}))
        if name == "oisst-sequences":
            made = movie_source(name, **LEAST[name], **DAYS, addresses=mirror.addresses_of(name))
        with Fetcher(QUICK) as fetcher:
            read = fetcher.read if name == "oisst-sequences" else lambda _: INDEX
            listed = made.list_granules(made.mirrors[0], read)
        assert {granule.mirror for granule in listed} == LISTED[name]
        with pytest.raises(IsothermError, match="no mirror 'nowhere'"):
            made.list_granules("nowhere", lambda _: b"")
    else:
        with pytest.raises(ConfigError, match="no source of movies"):
            movie_source(name)


def test_an_unknown_mirror_is_refused(made: Source, station: SeriesSource) -> None:
    with pytest.raises(IsothermError, match="no mirror 'nowhere'"):
        made.list_granules("nowhere", PERIOD, BOXES["tasman"], lambda _: b"")
    with pytest.raises(IsothermError, match="no mirror 'nowhere'"):
        station.list_granules("nowhere", PERIOD, lambda _: b"")


def test_the_registry_imports_nothing_heavy() -> None:
    code = (
        "import sys, pipeline.sources; print(sorted({'httpx', 'h5py', 'scipy', 'xarray'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
