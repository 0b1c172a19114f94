"""What every source promises, and that the mirrors of one source give one field."""

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import IsothermError
from pipeline.mirror import Mirror, SimulatedOcean
from pipeline.sources import SOURCES, source
from pipeline.sources.base import Fetched, Granule, Source
from pipeline.sources.fetch import Fetcher
from pipeline.sources.http import FetchPolicy
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
QUICK = FetchPolicy(attempts=2, backoff=0.001, per_second=1000)


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    ocean = SimulatedOcean(seed=4, first=dt.date(2019, 12, 29), today=dt.date(2020, 1, 18))
    with Mirror(ocean=ocean) as mirror:
        yield mirror


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(params=SOURCES)
def made(request: pytest.FixtureRequest, mirror: Mirror) -> Source:
    return source(request.param, addresses=mirror.addresses)


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


def test_names_are_those_of_the_registry(made: Source) -> None:
    assert SOURCES.keys() >= {made.name}
    assert made.mirrors
    assert len(set(made.mirrors)) == len(made.mirrors)


def test_an_unknown_mirror_is_refused(made: Source) -> None:
    with pytest.raises(IsothermError, match="no mirror 'nowhere'"):
        made.list_granules("nowhere", PERIOD, BOXES["tasman"], lambda _: b"")


def test_the_registry_imports_nothing_heavy() -> None:
    code = (
        "import sys, pipeline.sources; print(sorted({'httpx', 'h5py', 'scipy', 'xarray'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
