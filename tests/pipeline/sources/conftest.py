"""A mirror of a short simulated ocean, and a policy that does not wait."""

import datetime as dt
from collections.abc import Iterator

import pytest

from pipeline.mirror import Mirror, SimulatedOcean
from pipeline.sources import source
from pipeline.sources.fetch import Fetcher
from pipeline.sources.oisst import Oisst
from pipeline.sources.policy import FetchPolicy
from pipeline.types import Box

OCEAN = SimulatedOcean(seed=5, first=dt.date(2019, 12, 20), today=dt.date(2020, 1, 20))


@pytest.fixture
def tasman() -> Box:
    return Box(latitude=(-45, -37), longitude=(147, 155))


@pytest.fixture
def hasty() -> FetchPolicy:
    return FetchPolicy(
        attempts=3, backoff=0.001, longest_backoff=0.002, per_second=1000, connect_timeout=5, read_timeout=5
    )


@pytest.fixture(scope="module")
def shared_mirror() -> Iterator[Mirror]:
    with Mirror(ocean=OCEAN) as mirror:
        yield mirror


@pytest.fixture
def mirror(shared_mirror: Mirror) -> Iterator[Mirror]:
    """Without faults and at its first day, whatever the test before did."""
    shared_mirror.shelf.archive.today = OCEAN.today
    shared_mirror.requests.clear()
    yield shared_mirror
    shared_mirror.faults.clear()


@pytest.fixture
def oisst(mirror: Mirror) -> Oisst:
    made = source("oisst", addresses=mirror.addresses)
    assert isinstance(made, Oisst)
    return made


@pytest.fixture
def fetcher(hasty: FetchPolicy) -> Iterator[Fetcher]:
    with Fetcher(hasty) as fetcher:
        yield fetcher
