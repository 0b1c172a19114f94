"""The short form of `benchmarks/bench_survival.py`: what was killed, full, doubled, old or badly served ends right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import httpx
import pytest

from benchmarks.survival.commands import Commands
from benchmarks.survival.formats import formats
from benchmarks.survival.full_disk import full_disk
from benchmarks.survival.kills import Trial, kill_at_moments, prepared
from benchmarks.survival.mirror_days import sixty_days
from benchmarks.survival.together import together
from benchmarks.survival.troubles import Trouble, at, stalled
from flows.ingest import ingest
from pipeline.errors import FetchError
from pipeline.mirror import Mirror, SimulatedOcean

pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.slow]

DAYS = (
    Trouble("a late file, by two days", 1, 2, at("late"), about=(0,)),
    Trouble("a corrupt file, mended two days later", 2, 2, at("corrupt"), about=(0,)),
    Trouble("stalled once", 4, 1, stalled),
    Trouble("a reissued final", 4, 0, at("changed", back=20, mark=".nc")),
    Trouble("an outage of all mirrors", 5, 1, lambda _: ["503:*"], outage=True),
    Trouble("a preliminary that vanishes after its listing", 6, 1, at("vanish"), about=(0,)),
)


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory, prefect_server: str) -> Iterator[tuple[Trial, Commands]]:
    """Undisturbed runs of `isotherm run` and `isotherm daily`, and where more of them are started."""
    with prepared(tmp_path_factory.mktemp("survival"), epochs=2) as made:
        yield made


def test_a_week_of_a_bad_mirror(tmp_path, prefect_server):
    found = sixty_days(tmp_path, runs=7, troubles=DAYS, reported=lambda _: False, say=lambda _: None)
    assert found.equal_days == 128
    assert (found.runs, found.cards, found.gaps_seen) == (7, 7, 6)
    assert found.alerts["gap"] == 1
    assert found.answers[503] > 0


def test_killed_at_some_moments(tried):
    found = kill_at_moments(*tried, 2, say=lambda _: None)
    assert found.equal == 2
    assert found.things > 70
    assert found.looks > 5


def test_two_daily_runs_and_two_ingestions_at_once(tried):
    found = together(*tried, rounds=1, readers=3, say=lambda _: None)
    assert (found.ingests, found.dailies) == (2, 2)
    assert found.looks > 10


def test_a_full_disk(tried):
    found = full_disk(*tried, names=("daily",), writes=2, sizes=0, say=lambda _: None)
    assert found.equal == found.injected["daily"] == 2


def test_a_workspace_of_the_previous_format(tried):
    found = formats(*tried)
    assert found.equal > 50


def test_a_fetch_policy_is_that_of_the_experiment(experiments, tmp_path):
    path = experiments / "small.toml"
    path.write_text(path.read_text() + "\n[fetch]\nattempts = 2\nbackoff = 0.0\n")
    ocean = SimulatedOcean(first=dt.date(2019, 1, 1), today=dt.date(2019, 1, 5))
    with Mirror(ocean=ocean, faults=["503:*"]) as mirror:
        with pytest.raises(FetchError, match="no mirror can be listed"):
            ingest("small", mirror=mirror.url)
        asked = [path for _, path, _ in mirror.requests]
        assert asked
        assert {asked.count(path) for path in asked} == {2}
        assert httpx.get(mirror.url, trust_env=False, verify=False).status_code == 503
