"""What is pinned, new or newest is never touched; what nothing reaches goes; a dry run changes nothing."""

import datetime as dt
import hashlib

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import NotFoundError
from pipeline.store import repository, retention
from pipeline.store.retention import Collected

LENGTH = 6
SOON = dt.timedelta(hours=1)


def commit(path, number, at):
    """One chunk is replaced, another has been there from the start; what the whole then holds."""

    def change(session):
        group = zarr.open_group(session.store, mode="a")
        if "x" not in group:
            group.create_array("x", shape=(LENGTH, 4000), chunks=(1, 4000), dtype="f8")
        group["x"][at] = np.random.default_rng(number).random(4000)
        return f"commit {number}", {}

    return repository.commit(path, change)


def content(path, snapshot=None):
    group = zarr.open_group(repository.read_session(path, snapshot).store, mode="r")
    return hashlib.sha256(np.asarray(group["x"][:]).tobytes()).hexdigest()


def files(path):
    """Every file below a folder and its digest."""
    return {
        str(each.relative_to(path)): hashlib.sha256(each.read_bytes()).hexdigest()
        for each in sorted(path.rglob("*"))
        if each.is_file()
    }


def stored(path):
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


def history(path, places):
    """Snapshots by age, oldest first, and what each holds."""
    repository.create(path, splits={"time": 64})
    return {commit(path, number, at): content(path) for number, at in enumerate(places)}


def written(path):
    """When each snapshot was written."""
    ancestry = repository.open_repository(path).ancestry(branch=repository.BRANCH)
    return {snapshot.id: snapshot.written_at for snapshot in ancestry}


def later():
    return dt.datetime.now(dt.UTC) + SOON


def readable(path, snapshot):
    try:
        return content(path, snapshot)
    except NotFoundError:
        return None


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_what_is_kept_is_readable_after_any_retention_and_the_rest_is_not(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("store") / "cube"
    held = history(path, data.draw(st.lists(st.integers(0, LENGTH - 1), min_size=1, max_size=9)))
    ids = list(held)
    alive = dict(held)
    for _ in range(data.draw(st.integers(1, 3))):
        pins = set(data.draw(st.lists(st.sampled_from(ids), max_size=3)))
        cut = data.draw(st.integers(0, len(ids)))
        at = written(path)
        in_line = [each for each in ids if each in at]
        older_than = later() if cut >= len(in_line) else at[in_line[cut]]
        result = retention.retain(path, [*pins, "0" * 20], older_than=older_than, now=later(), safety=SOON)
        pinned = pins & set(alive)
        young = [each for each in in_line if at[each] >= older_than]
        edge = [each for each in in_line if at[each] < older_than][-1:]
        kept = pinned | set(young) | set(edge) | {in_line[-1]}
        for snapshot, digest in held.items():
            expected = digest if snapshot in kept else None
            assert readable(path, snapshot) == expected
        assert retention.pinned(path) >= pinned
        assert result.pinned >= len(pinned)
        alive = {snapshot: held[snapshot] for snapshot in kept}
        if data.draw(st.booleans()):
            number = len(ids)
            fresh = commit(path, number, number % LENGTH)
            held[fresh] = alive[fresh] = content(path)
            ids.append(fresh)


def test_nothing_that_nobody_reaches_is_left_and_a_second_time_finds_nothing(place):
    path = place / "cube"
    ids = list(history(path, [0, 0, 0, 1, 0]))
    before = stored(path)
    result = retention.retain(path, [ids[1]], older_than=later(), now=later(), safety=SOON)
    assert result.snapshots == 3
    assert before - stored(path) > 0.9 * 2 * 4000 * 8
    assert retention.pinned(path) == {ids[1], ids[-1]}
    again = retention.retain(path, [ids[1]], older_than=later(), now=later(), safety=SOON)
    assert (again.snapshots, again.objects, again.bytes) == (0, 0, 0)
    reached = repository.open_repository(path).chunk_storage_stats().native_bytes
    chunks = stored(path / "chunks")
    assert chunks == reached


def test_a_pin_that_is_let_go_can_come_back(place):
    path = place / "cube"
    ids = list(history(path, [0, 1, 2]))
    young = dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
    for pins in ([ids[0]], [], [ids[0]], [ids[0], ids[1]]):
        retention.retain(path, pins, older_than=young)
        assert retention.pinned(path) == set(pins)


def test_objects_that_are_young_are_left_for_those_who_still_write(place):
    path = place / "cube"
    history(path, [0, 0, 0])
    session = repository.open_repository(path).writable_session(repository.BRANCH)
    zarr.open_group(session.store, mode="a")["x"][5] = 1.0
    retention.retain(path, [], older_than=later())
    session.commit("late")
    assert np.all(zarr.open_group(repository.read_session(path).store, mode="r")["x"][5] == 1.0)


def test_a_dry_run_tells_what_would_go_and_changes_nothing(place):
    path = place / "cube"
    ids = list(history(path, [0, 1, 0, 2, 0, 0]))
    before = files(place)
    options = {"older_than": later(), "now": later(), "safety": SOON}
    told = retention.retain(path, [ids[2]], dry_run=True, **options)
    after = files(place)
    after.pop(".cube.lock", None)
    before.pop(".cube.lock", None)
    assert after == before
    assert retention.pinned(path) == set()
    assert told.bytes > 0
    assert retention.retain(path, [ids[2]], dry_run=True, older_than=later()).objects == 0
    assert retention.retain(path, [ids[2]], **options) == told


@pytest.mark.parametrize("step", ["create_tag", "expire_snapshots", "garbage_collect", "delete_tag"])
def test_ended_anywhere_it_leaves_all_readable_and_goes_on(tmp_path, monkeypatch, step):
    path = tmp_path / "cube"
    held = history(path, [0, 1, 0, 2, 0])
    ids = list(held)
    options = {"older_than": later(), "now": later(), "safety": SOON}
    young = dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
    retention.retain(path, [ids[1]], older_than=young)
    opened = repository.open_repository

    class Ends:
        def __init__(self, real):
            self.real = real

        def __getattr__(self, name):
            if name == step:
                raise KeyboardInterrupt
            return getattr(self.real, name)

    monkeypatch.setattr(repository, "open_repository", lambda at: Ends(opened(at)))
    with pytest.raises(KeyboardInterrupt):
        retention.retain(path, [ids[2]], **options)
    monkeypatch.undo()
    for snapshot in (ids[2], ids[-1]):
        assert content(path, snapshot) == held[snapshot]
    retention.retain(path, [ids[2]], **options)
    assert {each: readable(path, each) for each in ids} == {
        each: held[each] if each in (ids[2], ids[-1]) else None for each in ids
    }


def test_collections_add_up():
    one = Collected(snapshots=1, pinned=2, objects=3, bytes=4)
    assert one + one == Collected(snapshots=2, pinned=4, objects=6, bytes=8)
