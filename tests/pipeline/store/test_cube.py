import datetime as dt
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DiskFullError, NotFoundError, StoreError, WorkspaceError
from pipeline.grid import Grid
from pipeline.location import located
from pipeline.s3_access import Access
from pipeline.store import reader, repository, schema, state, writer
from pipeline.types import Box, Status

START = dt.date(2020, 1, 1)
NORTH = Grid.regular(Box(latitude=(0, 3), longitude=(10, 14)), 1)
SOUTH = Grid.regular(Box(latitude=(-4, -2), longitude=(178, -179)), 1)
REGIONS = {"north": NORTH, "south": SOUTH}


def batch(offsets, *, status=Status.FINAL, sha="a", version="1", regions=REGIONS):
    """Days whose values say which day and which file they are of."""
    days = np.datetime64(START) + np.array(list(offsets), int)
    values = {
        name: np.stack([np.full(grid.shape, ord(sha) + offset / 100, np.float32) for offset in offsets])
        for name, grid in regions.items()
    }
    return writer.DayBatch(
        days,
        np.full(len(days), status, np.int8),
        tuple(sha * 64 for _ in days),
        tuple(f"http://mirror/{day}.nc" for day in days),
        (version,) * len(days),
        values,
    )


@pytest.fixture
def cube(place):
    path = place / "cube"
    writer.create_cube(path, REGIONS, START, attributes={"north": {"regrid_method": "conservative"}})
    return path


def commits(path):
    return [commit.message for commit in repository.open_repository(path).ancestry(branch="main")]


def test_what_is_written_is_read_with_its_provenance(cube):
    snapshot = writer.write(cube, batch(range(5)), now=dt.datetime(2024, 5, 6, tzinfo=dt.UTC))
    data = reader.open_region(cube, "south")
    assert data.attrs["snapshot"] == snapshot
    assert data.sst.dims == ("time", "latitude", "longitude")
    assert data.sst.dtype == np.float32
    assert data.sst.attrs["standard_name"] == "sea_surface_temperature"
    assert data.sst.attrs["units"] == "degree_Celsius"
    assert list(data.time.values.astype("datetime64[D]")) == list(batch(range(5)).days)
    assert set(data.status.values) == {Status.FINAL}
    assert data.status.attrs["flag_meanings"] == "missing preliminary final"
    assert str(data.source_sha256.values[2]) == "a" * 64
    assert str(data.source_url.values[2]) == "http://mirror/2020-01-03.nc"
    assert data.ingested_at.values[0].astype("datetime64[s]") == np.datetime64("2024-05-06T00:00:00")
    np.testing.assert_array_equal(data.longitude, [178.5, 179.5, 180.5])
    np.testing.assert_array_equal(data.sst.values, batch(range(5)).values["south"])
    lazy = reader.open_region(cube, "south", chunks={})
    np.testing.assert_array_equal(lazy.sst.data.compute(scheduler="sync"), data.sst.values)


def test_the_same_again_makes_no_commit(cube):
    writer.write(cube, batch(range(5)))
    before = commits(cube)
    assert writer.write(cube, batch(range(5))) is None
    assert writer.create_cube(cube, REGIONS, START) is None
    assert commits(cube) == before


@settings(max_examples=8)
@given(parts=st.permutations([range(3), range(3, 4), range(6, 9), range(4, 6), range(140, 141)]))
def test_the_order_of_writing_does_not_matter(parts, tmp_path_factory):
    path = tmp_path_factory.mktemp("cube") / "cube"
    writer.create_cube(path, REGIONS, START)
    for part in parts:
        writer.write(path, batch(part))
    record = reader.read_record(path, "north")
    held = np.array([*range(9), 140])
    assert len(record.time) == 141
    assert np.all(np.diff(record.time) == np.timedelta64(1, "D"))
    np.testing.assert_array_equal(np.flatnonzero(record.usable), held)
    np.testing.assert_array_equal(record.values[held], batch(held).values["north"])
    assert np.isnan(np.delete(record.values, held, axis=0)).all()
    summary = state.status_summary(path)
    assert (summary.final, summary.preliminary, summary.missing) == (10, 0, 131)
    assert summary.gaps == (state.Gap(start="2020-01-10", end="2020-05-19", days=131),)


def test_a_cell_with_a_value_on_a_few_days_alone_is_land(cube):
    days = batch(range(6))
    days.values["north"][:5, 0, 0] = np.nan
    days.values["north"][5, 1, 1] = np.nan
    writer.write(cube, days)
    record = reader.read_record(cube, "north")
    np.testing.assert_array_equal(np.argwhere(~record.ocean), [[0, 0]])
    assert np.isnan(record.values[:, 0, 0]).all()
    assert record.usable.tolist() == [True] * 5 + [False]


def test_a_message_says_what_changed_and_a_final_day_wins(cube):
    writer.write(cube, batch(range(4)))
    writer.write(cube, batch([4, 5], status=Status.PRELIMINARY, sha="p"))
    assert writer.write(cube, batch([3], status=Status.PRELIMINARY, sha="p")) is None
    writer.write(cube, batch([4, 8], sha="f"))
    writer.write(cube, batch([1], sha="r"))
    writer.write(cube, batch([1], sha="r", version="2"))
    writer.write(cube, batch([7], status=Status.PRELIMINARY))
    assert commits(cube)[:6] == [
        "fill 2020-01-08 (1 preliminary)",
        "relabel 2020-01-02 (1 final)",
        "reissue 2020-01-02 (1 final)",
        "append 2020-01-09 (1 final); replace 2020-01-05 (1 final)",
        "append 2020-01-05…2020-01-06 (2 preliminary)",
        "append 2020-01-01…2020-01-04 (4 final)",
    ]
    values = reader.read_record(cube, "north").values[:, 0, 0]
    expected = [ord(sha) + i / 100 for i, sha in enumerate("araafp")]
    np.testing.assert_allclose(values[:6], expected, rtol=1e-6)
    summary = state.status_summary(cube)
    assert (summary.last_final, summary.last_day) == ("2020-01-09", "2020-01-09")
    assert (summary.final, summary.preliminary, summary.missing) == (6, 2, 1)
    assert state.read_state(cube).at(dt.date(2020, 1, 2)) == (
        Status.FINAL,
        "http://mirror/2020-01-02.nc",
        "2",
    )
    assert state.read_state(cube).at(dt.date(2030, 1, 1)) == (Status.MISSING, "", "")


def test_a_snapshot_stays_what_it_was(cube):
    first = writer.write(cube, batch(range(3), sha="a"))
    writer.write(cube, batch(range(3), sha="b"))
    assert reader.read_record(cube, "north", snapshot=first).values[0, 0, 0] == ord("a")
    assert reader.read_record(cube, "north").values[0, 0, 0] == ord("b")
    with pytest.raises(NotFoundError, match="no snapshot"):
        reader.read_record(cube, "north", snapshot="0" * 20)


def test_a_region_added_later_lacks_all_days_until_they_come(cube):
    writer.write(cube, batch(range(3)))
    more = REGIONS | {"west": Grid.regular(Box(latitude=(0, 2), longitude=(-20, -18)), 1)}
    writer.create_cube(cube, more, START)
    assert set(state.read_state(cube).status) == {Status.MISSING}
    writer.write(cube, batch(range(3), regions=more))
    assert set(state.read_state(cube).status) == {Status.FINAL}


def test_the_last_day_before_another(cube):
    assert reader.last_day_before(cube, np.datetime64("2020-01-05")) == (None, {})
    writer.write(cube, batch([0, 1, 4]))
    day, values = reader.last_day_before(cube, np.datetime64("2020-01-05"))
    assert day == np.datetime64("2020-01-02")
    np.testing.assert_array_equal(values["south"], batch([1]).values["south"][0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: writer.create_cube(path, REGIONS, dt.date(2019, 1, 1)), "begins on 2020-01-01"),
        (lambda path: writer.create_cube(path, {"north": SOUTH}, START), "something else is asked for"),
        (
            lambda path: writer.create_cube(
                path, {"north": NORTH}, START, attributes={"north": {"regrid_method": "nearest"}}
            ),
            "conservative",
        ),
        (lambda path: writer.write(path, batch([0], regions={"north": NORTH})), "every region"),
        (lambda path: writer.write(path, batch([1, 0])), "in order"),
        (lambda path: writer.write(path, batch([-1])), "before the cube's first day"),
        (lambda path: writer.write(path, batch([0], regions={"north": SOUTH, "south": SOUTH})), "shape"),
        (lambda path: reader.read_record(path, "east"), "no region 'east'; it has north, south"),
    ],
)
def test_what_does_not_fit_the_cube_is_refused_and_changes_nothing(cube, change, said):
    before = commits(cube)
    with pytest.raises(StoreError, match=said) as caught:
        change(cube)
    assert commits(cube) == before
    assert pickle.loads(pickle.dumps(caught.value)).message == caught.value.message


def test_no_cube_is_said_so(tmp_path):
    for read in (state.read_state, state.status_summary, lambda path: reader.read_record(path, "x")):
        with pytest.raises(NotFoundError, match="ingest the experiment first"):
            read(tmp_path / "none")


def test_a_cube_of_a_newer_version_is_refused_with_a_remedy(cube):
    session = repository.open_repository(cube).writable_session("main")
    import zarr

    zarr.open_group(session.store, mode="a").attrs["new"] = 1
    session.commit("from the future", metadata={repository.FORMAT_KEY: repository.FORMAT + 1})
    for use in (state.status_summary, lambda path: writer.write(path, batch([0]))):
        with pytest.raises(WorkspaceError, match="upgrade Isotherm"):
            use(cube)


def test_a_writer_that_comes_second_writes_onto_the_first(cube, monkeypatch):
    describe = writer.describe
    came = []

    def meanwhile(root):
        if not came:
            came.append(True)
            session = repository.open_repository(cube).writable_session("main")
            import zarr

            zarr.open_group(session.store, mode="a").attrs["other"] = 1
            session.commit("another writer's")
        return describe(root)

    monkeypatch.setattr(writer, "describe", meanwhile)
    writer.write(cube, batch(range(3)))
    assert commits(cube)[:2] == ["append 2020-01-01…2020-01-03 (3 final)", "another writer's"]
    assert reader.read_record(cube, "south").usable.all()


@pytest.mark.parametrize("place", ["disk"], indirect=True)
def test_a_second_process_waits_for_the_lock_and_says_so(cube):
    with repository.writing(cube), pytest.raises(StoreError, match="another process"):
        repository.commit(cube, lambda session: None, wait=0.05)
    assert writer.write(cube, batch([0])) is not None


def run_python(code, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join((str(Path(__file__).parent), str(Path(__file__).parents[3])))},
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def test_a_kill_while_writing_leaves_the_last_commit(cube):
    """The writer is killed at many moments; each time the cube holds whole commits only, and takes the next."""
    code = """
        import sys
        from test_cube import at, batch, writer
        print("ready", flush=True)
        for number in range(1000):
            writer.write(at(sys.argv[1]), batch(range(4 * number, 4 * number + 4)))
            print(number, flush=True)
    """
    for wait in (0.03, 0.1):
        length = len(state.read_state(cube).days)
        process = run_python(code, cube)
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.2 + wait)
        process.send_signal(signal.SIGKILL)
        told = process.communicate()[0].split()
        found = state.read_state(cube)
        assert len(found.days) % 4 == 0
        assert len(found.days) >= max(length, 4 * len(told))
        assert set(found.status) <= {Status.FINAL}
        for region in REGIONS:
            values = reader.read_record(cube, region).values
            expected = [ord("a") + offset / 100 for offset in range(len(found.days))]
            np.testing.assert_allclose(values[:, 0, 0], expected, rtol=1e-6)
    writer.write(cube, batch(range(len(found.days), len(found.days) + 3)))
    assert reader.read_record(cube, "north").usable.all()


@pytest.mark.parametrize("place", ["disk"], indirect=True)
def test_no_space_left_is_said_so_and_the_cube_is_as_it_was(cube):
    """A limit on the size of files makes the system refuse as a full disk does."""
    writer.write(cube, batch(range(3)))
    before = commits(cube)
    code = """
        import resource, signal, sys
        from pathlib import Path
        from test_cube import batch, writer
        from pipeline.errors import DiskFullError
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        try:
            writer.write(Path(sys.argv[1]), batch(range(3, 6)))
        except DiskFullError as error:
            print(error.remedy)
    """
    process = run_python(code, cube)
    assert "what was committed is kept" in process.communicate()[0]
    assert commits(cube) == before
    assert len(reader.read_record(cube, "north").time) == 3


def at(address):
    """The path in another process, where S3 is reached as the environment says."""
    return located(address, Access(endpoint=os.environ.get("AWS_ENDPOINT_URL")))


def started(code, cube):
    """Two processes that run `code`, one as 0 and one as 1, from the same moment on."""
    both = [run_python(code, cube, which, stdin=subprocess.PIPE) for which in (0, 1)]
    for each in both:
        assert each.stdout.readline() == "ready\n"
    for each in both:
        each.stdin.write("go\n")
        each.stdin.flush()
    return both


def ended(both):
    for each in both:
        each.communicate()
    return [each.returncode for each in both]


def test_two_processes_write_at_once_and_a_reader_sees_whole_commits(cube):
    code = """
        import sys
        from test_cube import at, batch, writer
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(int(sys.argv[2]), 12, 2):
            writer.write(at(sys.argv[1]), batch(range(4 * number, 4 * number + 4)))
    """
    both = started(code, cube)
    while any(each.poll() is None for each in both):
        status = state.read_state(cube).status
        blocks = status.reshape(-1, 4)
        assert (blocks == blocks[:, :1]).all()
        values = reader.read_record(cube, "south").values
        held = np.flatnonzero(np.isfinite(values[:, 0, 0]))
        if len(held):
            np.testing.assert_array_equal(values[held], batch(held).values["south"])
    assert ended(both) == [0, 0]
    assert len(commits(cube)) == 2 + 12
    record = reader.read_record(cube, "north")
    np.testing.assert_array_equal(record.values, batch(range(48)).values["north"])


def test_two_processes_make_one_cube(place):
    code = """
        import sys
        from test_cube import REGIONS, START, at, batch, writer
        print("ready", flush=True)
        sys.stdin.readline()
        writer.create_cube(at(sys.argv[1]), REGIONS, START)
        writer.write(at(sys.argv[1]), batch([int(sys.argv[2])]))
    """
    assert ended(started(code, place / "cube")) == [0, 0]
    record = reader.read_record(place / "cube", "north")
    np.testing.assert_array_equal(record.values, batch(range(2)).values["north"])


def test_the_systems_word_for_a_full_disk_is_understood(tmp_path):
    with pytest.raises(DiskFullError), repository.translated(tmp_path):
        raise OSError(28, "No space left on device")
    for number, words in ((13, "Permission denied"), (30, "Read-only file system")):
        with pytest.raises(WorkspaceError, match=words) as told, repository.translated(tmp_path):
            raise OSError(number, words)
        assert "--workspace" in told.value.remedy
    with pytest.raises(StoreError), repository.translated(tmp_path):
        raise OSError(5, "Input/output error")


@given(st.integers(1, 720), st.integers(1, 1440))
def test_chunks_fit_the_grid(rows, columns):
    grid = (
        Grid(np.linspace(-80, 80, rows), np.arange(columns) * 360 / columns) if rows > 1 < columns else NORTH
    )
    days, height, width = schema.chunks(grid)
    assert 16 <= days <= schema.MOST_DAYS
    assert height <= min(schema.TILE, grid.shape[0])
    assert width <= min(schema.TILE, grid.shape[1])


def test_the_status_of_a_cube_needs_no_heavy_library():
    code = """
        import sys
        import pipeline.store.state
        heavy = {"xarray", "dask", "pandas", "scipy", "httpx", "netCDF4", "h5py"}
        print(sorted(heavy & set(sys.modules)))
    """
    assert run_python(code).communicate()[0].strip() == "[]"


@given(st.lists(st.sampled_from([None, Status.PRELIMINARY, Status.FINAL]), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_days_that_are_not_final_can_be_left_out(tmp_path_factory, statuses):
    path = tmp_path_factory.mktemp("cube") / "cube"
    writer.create_cube(path, REGIONS, START)
    for offset, status in enumerate(statuses):
        if status is not None:
            writer.write(path, batch([offset], status=status))
    final = [offset for offset, status in enumerate(statuses) if status == Status.FINAL]
    held = [offset for offset, status in enumerate(statuses) if status is not None]
    whole, strict = (reader.read_record(path, "north", final_only=only) for only in (False, True))
    np.testing.assert_array_equal(strict.ocean, whole.ocean)
    assert np.flatnonzero(np.isfinite(strict.values).any(axis=(1, 2))).tolist() == final
    np.testing.assert_array_equal(strict.values[final], whole.values[final])
    for least, days in ((Status.FINAL, final), (Status.PRELIMINARY, held)):
        if days:
            assert state.last_day(path, least=least) == START + dt.timedelta(days[-1])
        else:
            with pytest.raises(NotFoundError, match=f"no {least.name.lower()} day yet"):
                state.last_day(path, least=least)
