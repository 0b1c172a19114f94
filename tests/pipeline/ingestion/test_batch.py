"""Many shards in one commit: the same cube, the same findings as one after another, whatever lies on the seams."""

import datetime as dt
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import GridError, MovedError, StoreError
from pipeline.ingestion import IngestJob, batch, batches, ingest, ingest_batch, ingest_shard, plan
from pipeline.quality.base import Limits
from pipeline.quarantine import list_quarantine
from pipeline.regrid import Region, RegridSpec
from pipeline.store import repository, schema, state
from pipeline.types import Box
from tests.pipeline.ingestion.test_ingestion import LAND, REGIONS, Folders, day_of, period, put

DAYS, SHARD = 41, 16


@pytest.fixture(autouse=True, scope="module")
def short_shards():
    """A shard is a chunk, of the fewest days that there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("pipeline.ingestion.plan"), "SHARD_DAYS", SHARD)
        patch.setattr(schema, "chunks", lambda grid: (SHARD, *grid.shape))
        yield


LIMITS = Limits(land_changed=0.04, ocean_present=0.5)
"""A third of a region's cells may change sides, with a warning."""


def job_at(tmp_path, name, remote, kept=None):
    """What is kept goes to `kept`, where that is another place."""
    folder, kept = tmp_path / name, (kept or tmp_path) / name
    return IngestJob(Folders(remote), REGIONS, kept / "cube", folder / "cache", kept / "quarantine", LIMITS)


def in_batches(job, days, **options):
    made = plan(job, period(days))
    total = batch.IngestResult(gaps=made.gaps, problems=made.problems)
    for shards in batches(made.shards, 2):
        total += ingest_batch(job, shards, **options)
    return total


def content(job, snapshot=None):
    """Every array of the cube but the times of ingestion, and every attribute."""
    session = repository.read_session(job.cube, snapshot)
    root = zarr.open_group(session.store, mode="r")
    held = {}
    for name, item in sorted(root.members(max_depth=None)):
        held[name] = dict(item.attrs)
        if isinstance(item, zarr.Array) and not name.endswith("ingested_at"):
            values = np.asarray(item[:])
            held[name] = (
                held[name],
                values.shape,
                values.tolist() if values.dtype.kind in "OT" else values.tobytes(),
            )
    return held


def aside(job):
    """What is in quarantine, but for the time."""
    return [(each.name, each.days, each.findings, each.file) for each in list_quarantine(job.quarantine)]


def same(one, other, first, second):
    """Two ingestions came to the same."""
    assert content(one) == content(other)
    assert aside(one) == aside(other)
    assert first.model_copy(update={"snapshot": None}) == second.model_copy(update={"snapshot": None})


def threads(function, work):
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, work))


def pickled(function, work):
    """As over a wire, both ways, and the last shard first."""
    done = [
        pickle.loads(pickle.dumps(function(pickle.loads(pickle.dumps(each)))))
        for each in reversed(list(work))
    ]
    return done[::-1]


SPREADS = {"map": map, "threads": threads, "pickled": pickled}
NO_SEA = np.where(LAND, 20, np.nan).astype(np.float32)
LESS_SEA = np.where(LAND | np.isin(np.arange(12), (6, 7)), np.nan, 20).astype(np.float32)
FILL = np.full((8, 12), np.nan, np.float32)


@pytest.mark.parametrize("spread", SPREADS)
def test_a_batch_is_one_commit_and_the_cube_that_of_shard_after_shard(tmp_path, place, spread):
    remote = tmp_path / "remote"
    for number in range(DAYS):
        put(remote, "one", number, status="FINAL" if number < DAYS - 9 else "PRELIMINARY")
    one, other = job_at(tmp_path, "one", remote), job_at(tmp_path, "other", remote, place)
    first, second = ingest(one, period(DAYS)), in_batches(other, DAYS, spread=SPREADS[spread], at_once=2)
    same(one, other, first, second)
    assert second.written == DAYS
    made = [commit.message for commit in repository.open_repository(other.cube).ancestry(branch="main")]
    assert len([message for message in made if message.startswith("append")]) == 1
    assert len(plan(other, period(DAYS)).shards) == 0


SEAMS = {
    "a jump over the seam": {SHARD: {"add": 5.0}},
    "a jump onto the last day and back": {SHARD - 1: {"add": 5.0}},
    "the last day is bad": {SHARD - 1: {"units": "kelvin"}},
    "the first day is bad": {SHARD: {"units": "kelvin"}},
    "the first day is all fill": {SHARD: {"sst": FILL}},
    "the first day has lost its sea": {SHARD: {"sst": NO_SEA}},
    "the first day has less sea": {SHARD: {"sst": LESS_SEA}},
    "the last day has less sea": {SHARD - 1: {"sst": LESS_SEA}},
    "all of the second shard has less sea": {number: {"sst": LESS_SEA} for number in range(SHARD, 2 * SHARD)},
    "the last days of all are bad": {number: {"units": "kelvin"} for number in range(DAYS - 3, DAYS)},
    "the first shard is bad": {number: {"units": "kelvin"} for number in range(SHARD)},
    "another grid from the second shard on": {
        number: {"latitude": np.arange(-3.25, 4.5)} for number in range(SHARD, DAYS)
    },
    "the first file has another grid": {0: {"latitude": np.arange(-3.25, 4.5)}},
    "a shard that jumps where its mirror has nothing": {SHARD: {"units": "kelvin"}, SHARD + 1: {"add": 5.0}},
}


MENDED = ("a jump over the seam", "the first day is bad", "the first day has lost its sea")


@pytest.mark.parametrize(
    ("fault", "second_mirror"), [*((fault, False) for fault in SEAMS), *((fault, True) for fault in MENDED)]
)
def test_what_lies_on_a_seam_is_found_alike(tmp_path, fault, second_mirror):
    remote = tmp_path / "remote"
    faults = SEAMS[fault]
    for number in range(DAYS):
        put(remote, "one", number, **faults.get(number, {}))
        if second_mirror and number in faults:
            put(remote, "two", number, add=3.0)
    one, other = job_at(tmp_path, "one", remote), job_at(tmp_path, "other", remote)
    first, second = ingest(one, period(DAYS)), in_batches(other, DAYS, spread=pickled, at_once=2)
    assert first.refused or first.warnings
    same(one, other, first, second)


def test_late_reissued_and_preliminary_days_are_written_alike(tmp_path):
    remote = tmp_path / "remote"
    jobs = [job_at(tmp_path, name, remote) for name in ("one", "other")]
    late = {5, SHARD - 1, SHARD, SHARD + 1}
    for number in range(DAYS - 20):
        if number not in late:
            put(remote, "one", number, status="PRELIMINARY" if number % 10 == 8 else "FINAL")
    for job in jobs:
        ingest(job, period(DAYS))
    for number in range(DAYS):
        if number in late or number >= DAYS - 20:
            put(remote, "one", number, add=0.3)
        elif number % 10 == 8:
            put(remote, "one", number, add=0.2)
    first, second = ingest(jobs[0], period(DAYS)), in_batches(jobs[1], DAYS, spread=pickled, at_once=2)
    assert second.written == len(late) + 20 + len(range(8, DAYS - 20, 10))
    same(*jobs, first, second)
    group = zarr.open_group(repository.read_session(jobs[1].cube).store, mode="r")["sea"]
    revised = np.flatnonzero(np.isfinite(schema.array(group, schema.REVISION[0])[:]))
    assert revised.tolist() == list(range(8, DAYS - 20, 10))


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.one_of(st.integers(SHARD - 3, SHARD + 3), st.integers(0, DAYS - 1)),
        st.sampled_from(["lacking", "kelvin", "fill", "less sea", "jump", "on the other mirror"]),
        max_size=8,
    ),
    st.sets(st.integers(0, DAYS - 1), max_size=30),
)
def test_batches_equal_shards_whatever_the_faults(tmp_path_factory, faults, held):
    tmp_path = tmp_path_factory.mktemp("faults")
    remote = tmp_path / "remote"
    one, other = job_at(tmp_path, "one", remote), job_at(tmp_path, "other", remote)
    changes = {
        "kelvin": {"units": "kelvin"},
        "fill": {"sst": FILL},
        "less sea": {"sst": LESS_SEA},
        "jump": {"add": 4.0},
    }
    if held:
        for number in sorted({0, *held}):
            put(remote, "one", number)
        for job in (one, other):
            ingest(job, period(DAYS))
    for number in range(DAYS):
        fault = faults.get(number)
        if number in held or (held and number == 0) or fault == "lacking":
            continue
        put(remote, "two" if fault == "on the other mirror" else "one", number, **changes.get(fault, {}))
    outcomes = []
    for run in (
        lambda: ingest(one, period(DAYS)),
        lambda: in_batches(other, DAYS, spread=pickled, at_once=2),
    ):
        try:
            outcomes.append(run())
        except GridError as error:
            outcomes.append(error)
    if isinstance(outcomes[0], GridError):
        assert str(outcomes[0]) == str(outcomes[1])
    else:
        same(one, other, *outcomes)


def test_a_writer_that_came_between_is_kept_and_the_batch_done_again(tmp_path):
    remote = tmp_path / "remote"
    for number in range(DAYS):
        put(remote, "one", number)
    one, other = job_at(tmp_path, "one", remote), job_at(tmp_path, "other", remote)
    ingest(one, period(DAYS))
    rival = plan(other, period(3)).shards[0]
    calls = []

    def interfered(function, work):
        done = pickled(function, list(work))
        if not calls:
            ingest_shard(other, rival)
        calls.append(len(done))
        return done

    result = in_batches(other, DAYS, spread=interfered, at_once=2)
    assert calls == [3, 3]
    assert result.written == DAYS
    assert content(other) == content(one)


def test_a_writer_that_always_comes_between_is_told_of(tmp_path, monkeypatch):
    remote = tmp_path / "remote"
    for number in range(SHARD + 9):
        put(remote, "one", number)
    job = job_at(tmp_path, "one", remote)
    made = plan(job, period(SHARD + 9))

    def moved(*_, **__):
        raise MovedError("another writer came between")

    monkeypatch.setattr(batch.cooperative, "commit", moved)
    with pytest.raises(StoreError, match="another writer came first"):
        ingest_batch(job, made.shards)
    assert not len(state.read_state(job.cube).days)


def test_a_cube_of_other_chunks_is_not_written_by_several(tmp_path, monkeypatch):
    remote = tmp_path / "remote"
    for number in range(DAYS):
        put(remote, "one", number)
    job = job_at(tmp_path, "one", remote)
    monkeypatch.setattr(schema, "chunks", lambda grid: (2 * SHARD, *grid.shape))
    plan(job, period(1))
    monkeypatch.undo()
    before = repository.newest(job.cube)
    with pytest.raises(StoreError, match="one chunk of 32 days") as caught:
        in_batches(job, DAYS, spread=pickled, at_once=2)
    assert "ISOTHERM_WORKERS=1" in caught.value.remedy
    assert repository.newest(job.cube) == before


def test_a_worker_that_ends_in_an_error_leaves_the_cube_as_it_was(tmp_path):
    remote = tmp_path / "remote"
    for number in range(DAYS):
        put(remote, "one", number)
    job = job_at(tmp_path, "one", remote)
    made = plan(job, period(DAYS))
    before = repository.newest(job.cube)

    def fails(function, work):
        first, *_ = work
        function(first)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ingest_batch(job, made.shards, spread=fails)
    assert repository.newest(job.cube) == before
    assert in_batches(job, DAYS).written == DAYS


def test_a_region_without_ocean_is_refused_by_name(tmp_path):
    remote = tmp_path / "remote"
    for number in range(DAYS):
        put(remote, "one", number)
    desert = Region(box=Box(latitude=(-2, 2), longitude=(10, 12)), regrid=RegridSpec(resolution=1))
    job = replace(job_at(tmp_path, "one", remote), regions=REGIONS | {"desert": desert})
    with pytest.raises(GridError, match="'desert' holds no ocean"):
        in_batches(job, DAYS, spread=pickled, at_once=2)
    assert not len(state.read_state(job.cube).days)


@given(st.integers(1, 200), st.integers(1, 40), st.sampled_from([64, 128]))
def test_a_batch_is_a_year_at_least_and_leaves_no_worker_idle(number, at_once, length):
    from pipeline.ingestion.plan import Shard
    from pipeline.types import TimeRange

    shards = []
    for place in range(number):
        start = day_of(place * length)
        span = TimeRange(start=start, end=start + dt.timedelta(length - 1))
        shards.append(Shard(span, (), (), ()))
    made = batches(shards, at_once)
    assert [shard for each in made for shard in each] == shards
    for each in made[:-1]:
        assert len(each) * length >= 366
        assert len(each) % at_once == 0
    assert batches([], at_once) == []


def test_what_a_host_may_be_asked_is_shared(tmp_path):
    from pipeline.sources.policy import FetchPolicy

    policy = FetchPolicy(concurrency=6, per_second=24)
    assert policy.shared_by(4) == FetchPolicy(concurrency=1, per_second=6)
    remote = tmp_path / "remote"
    for number in range(DAYS):
        put(remote, "one", number)
    job = replace(job_at(tmp_path, "one", remote), policy=policy)
    seen = []

    def watched(function, work):
        work = list(work)
        seen.extend(each.job.policy for each in work)
        return map(function, work)

    in_batches(job, DAYS, spread=watched, at_once=8)
    assert seen == [policy.shared_by(3)] * 3
