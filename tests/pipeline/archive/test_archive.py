"""The forecast archive: upserts keep order, commits are whole, snapshots stay."""

import datetime as dt
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import DiskFullError, NotFoundError, StoreError, WorkspaceError
from pipeline.forecasts import archive, layout
from pipeline.store import repository
from tests.records import FIELD

DAY = np.timedelta64(1, "D").astype("timedelta64[ns]")
START = np.datetime64("2012-01-01", "ns")


def forecasts(days, *, leads=3, shape=(4, 5), value=0.0):
    """Values that tell their init day, lead and cell, so that a misplaced one is seen."""
    days = np.asarray(days)
    coords = {
        "init_time": START + days * DAY,
        "lead_time": np.arange(1, leads + 1) * DAY,
        "latitude": np.linspace(-45, -37, shape[0]),
        "longitude": np.linspace(147, 155, shape[1]),
    }
    cells = np.arange(leads * shape[0] * shape[1]).reshape(leads, *shape) / 1000
    values = (days[:, None, None, None] + cells + value).astype(np.float32)
    values[:, :, 0, 0] = np.nan
    return xr.Dataset({"sst": (tuple(coords), values, FIELD)}, coords)


def origin(model="m1", cube="c1", hour=0):
    issued = dt.datetime(2012, 6, 1, hour, tzinfo=dt.UTC)
    return archive.Provenance(cube, issued, dict.fromkeys(("net", "persistence"), model))


def put(path, days, *, provenance=None, **options):
    given = {"net": forecasts(days, **options)}
    return archive.write(path, given, region="tasman", message="add", provenance=provenance or origin())


def days_of(dataset):
    return ((dataset.init_time.values - START) / DAY).astype(int).tolist()


def commits(path):
    return len(list(repository.open_repository(path).ancestry(branch="main")))


def assert_consistent(dataset):
    expected = forecasts(days_of(dataset))
    np.testing.assert_array_equal(dataset.sst.values, expected.sst.values)
    for name in ("lead_time", "latitude", "longitude"):
        np.testing.assert_array_equal(dataset[name].values, expected[name].values)


def test_what_is_written_is_read_back_with_its_metadata(tmp_path):
    snapshot = put(tmp_path / "a", [0, 1, 2])
    back = archive.read(tmp_path / "a", "tasman", "net")
    assert_consistent(back)
    assert back.attrs["snapshot"] == snapshot
    assert back.sst.dims == ("init_time", "lead_time", "latitude", "longitude")
    assert back.sst.dtype == np.float32
    assert back.sst.attrs["standard_name"] == "sea_surface_temperature"
    assert back.init_time.attrs["standard_name"] == "forecast_reference_time"
    assert back.lead_time.attrs["standard_name"] == "forecast_period"
    assert back.model_id.values.tolist() == ["m1"] * 3
    assert back.cube_snapshot.values.tolist() == ["c1"] * 3
    assert (back.issued_at.values == np.datetime64("2012-06-01")).all()
    valid = archive.valid_time(back)
    assert valid.dims == ("init_time", "lead_time")
    assert valid.values[1, 2] == np.datetime64("2012-01-05")


@given(batches=st.lists(st.sets(st.integers(0, 40), min_size=1), min_size=1, max_size=5))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_batches_gives_one_ordered_archive(tmp_path_factory, batches):
    path = tmp_path_factory.mktemp("archive") / "a"
    for batch in batches:
        put(path, sorted(batch))
        assert_consistent(archive.read(path, "tasman", "net"))
    assert days_of(archive.read(path, "tasman", "net")) == sorted(set().union(*batches))


def test_the_same_again_is_no_commit_even_if_issued_later(tmp_path):
    first = put(tmp_path / "a", range(40))
    before = commits(tmp_path / "a")
    assert put(tmp_path / "a", [3, 4, 39], provenance=origin(hour=5)) == first
    assert commits(tmp_path / "a") == before


def test_other_values_or_another_model_replace_and_another_cube_alone_does_not(tmp_path):
    path = tmp_path / "a"
    first = put(path, range(5))
    put(path, [2], value=0.5, provenance=origin(hour=2))
    put(path, [3], provenance=origin(model="m2"))
    put(path, [4], provenance=origin(cube="c2"))
    back = archive.read(path, "tasman", "net")
    assert days_of(back) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(back.sst[2], forecasts([2], value=0.5).sst[0])
    assert back.model_id.values.tolist() == ["m1", "m1", "m1", "m2", "m1"]
    assert back.cube_snapshot.values.tolist() == ["c1"] * 5
    assert back.issued_at.dt.hour.values.tolist() == [0, 0, 2, 0, 0]
    pinned = archive.read(path, "tasman", "net", snapshot=first)
    assert_consistent(pinned)


def test_late_older_forecasts_carry_the_provenance_of_the_rest_along(tmp_path):
    path = tmp_path / "a"
    put(path, [10, 12], provenance=origin(model="old"))
    put(path, [5, 11, 13], provenance=origin(model="new"))
    back = archive.read(path, "tasman", "net")
    assert_consistent(back)
    assert back.model_id.values.tolist() == ["new", "old", "new", "old", "new"]


def test_several_forecasters_and_regions_share_commits_not_groups(tmp_path):
    path = tmp_path / "a"
    both = {"net": forecasts([0, 1]), "persistence": forecasts([0, 1])}
    archive.write(path, both, region="tasman", message="both", provenance=origin())
    assert commits(path) == 2  # the empty repository, and one for both
    archive.write(
        path, {"net": forecasts([7], shape=(2, 2))}, region="bengal", message="x", provenance=origin()
    )
    assert archive.forecasters(path, "tasman") == ("net", "persistence")
    assert archive.forecasters(path, "bengal") == ("net",)
    assert archive.forecasters(path, "nowhere") == ()
    assert days_of(archive.read(path, "tasman", "net")) == [0, 1]


def test_a_write_that_fails_midway_leaves_nothing(tmp_path):
    path = tmp_path / "a"
    put(path, [0, 1])
    bad = {"net": forecasts([2]), "persistence": forecasts([2])}
    incomplete = archive.Provenance("c1", dt.datetime(2012, 6, 1, tzinfo=dt.UTC), {"net": "m1"})
    with pytest.raises(KeyError):
        archive.write(path, bad, region="tasman", message="x", provenance=incomplete)
    assert days_of(archive.read(path, "tasman", "net")) == [0, 1]
    assert archive.forecasters(path, "tasman") == ("net",)


def test_a_full_disk_leaves_the_archive_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "a"
    put(path, [0, 1])

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_make_room", full)
    with pytest.raises(DiskFullError):
        put(path, [2])
    monkeypatch.undo()
    assert days_of(archive.read(path, "tasman", "net")) == [0, 1]
    put(path, [2])
    assert days_of(archive.read(path, "tasman", "net")) == [0, 1, 2]


KILLED_WHILE_WRITING = """
import datetime as dt, os, signal, sys
from pathlib import Path
from pipeline.forecasts import archive
path, day = Path(sys.argv[1]), sys.argv[2]
given = archive.read(path, "tasman", "net").isel(init_time=[0]).load()
given["init_time"] = [day]
given = given.assign_coords(init_time=given.init_time.astype("datetime64[ns]"))
def kill(place):
    os.kill(os.getpid(), signal.SIGKILL)
archive._runs = kill
origin = archive.Provenance("c1", dt.datetime.now(dt.UTC), {"net": "m1"})
archive.write(path, {"net": given}, region="tasman", message="x", provenance=origin)
"""


@pytest.mark.parametrize("day", ["2011-12-31", "2012-01-09"], ids=["insert", "append"])
def test_a_kill_in_the_middle_of_writing_loses_and_doubles_nothing(tmp_path, day):
    path = tmp_path / "a"
    put(path, [0, 1, 2])
    command = [sys.executable, "-c", KILLED_WHILE_WRITING, str(path), day]
    assert subprocess.run(command, cwd=Path(__file__).parents[3], check=False).returncode == -signal.SIGKILL
    assert_consistent(archive.read(path, "tasman", "net"))
    assert days_of(archive.read(path, "tasman", "net")) == [0, 1, 2]
    put(path, [3])
    assert days_of(archive.read(path, "tasman", "net")) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("options", "axis"),
    [({"leads": 4}, "lead_time"), ({"shape": (3, 5)}, "latitude"), ({"shape": (4, 6)}, "longitude")],
)
def test_another_grid_or_horizon_is_refused(tmp_path, options, axis):
    put(tmp_path / "a", [0])
    with pytest.raises(StoreError, match=axis):
        put(tmp_path / "a", [1], **options)


def test_unordered_init_times_are_refused(tmp_path):
    with pytest.raises(StoreError, match="in order"):
        put(tmp_path / "a", [1, 0])


def test_another_variable_is_refused(tmp_path):
    put(tmp_path / "a", [0, 1])
    other = {"net": forecasts([2]).rename(sst="air_density")}
    with pytest.raises(StoreError, match="of another variable than air_density") as caught:
        archive.write(tmp_path / "a", other, region="tasman", message="add", provenance=origin())
    assert "another name" in caught.value.remedy


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(NotFoundError, match="no forecast archive"):
        archive.read(tmp_path / "a", "tasman", "net")
    put(tmp_path / "a", [0])
    with pytest.raises(NotFoundError, match=r"'lstm'.*it has net"):
        archive.read(tmp_path / "a", "tasman", "lstm")
    with pytest.raises(NotFoundError, match="no snapshot"):
        archive.read(tmp_path / "a", "tasman", "net", snapshot="0000000000000000000G")


def test_an_archive_of_a_newer_version_is_refused(tmp_path, monkeypatch):
    with monkeypatch.context() as newer:
        newer.setattr(repository, "FORMAT", 99)
        put(tmp_path / "a", [0])
    with pytest.raises(WorkspaceError, match="99"):
        archive.read(tmp_path / "a", "tasman", "net")
    with pytest.raises(WorkspaceError, match="99"):
        put(tmp_path / "a", [1])


@given(st.integers(1, 60), st.integers(1, 721), st.integers(1, 1441))
def test_chunks_are_bounded_and_hold_all_leads(leads, rows, columns):
    inits, chunk_leads, height, width = layout.chunks(leads, rows, columns)
    assert chunk_leads == leads
    assert 1 <= inits <= layout.MOST_INIT_TIMES
    assert height <= min(rows, layout.TILE)
    assert width <= min(columns, layout.TILE)
    assert inits == 1 or inits * leads * height * width <= 1.5 * layout.CHUNK_VALUES


def chunks_of(path):
    group = repository.read_root(repository.read_session(path))["tasman/net"]
    return group["sst"].chunks


def test_an_archive_in_larger_chunks_is_cut_anew_by_its_next_forecast(tmp_path, monkeypatch):
    path, days = tmp_path / "a", range(20)
    with monkeypatch.context() as older:
        older.setattr(layout, "chunks", lambda *sizes: (64, *sizes))
        former = put(path, days)
    assert chunks_of(path) == (64, 3, 4, 5)
    about = archive.read(path, "tasman", "net").sst.attrs
    assert put(path, days) == former
    assert chunks_of(path) == (64, 3, 4, 5)
    put(path, [7, 20, 21])
    assert chunks_of(path) == layout.chunks(3, 4, 5)
    now, before = archive.read(path, "tasman", "net"), archive.read(path, "tasman", "net", snapshot=former)
    assert_consistent(now)
    assert_consistent(before)
    assert (days_of(before), days_of(now)) == ([*days], [*range(22)])
    assert now.sst.attrs == about
    assert now.model_id.values.tolist() == ["m1"] * 22


def chunk_bytes(path):
    return sum(each.stat().st_size for each in (path / "chunks").rglob("*") if each.is_file())


def test_a_forecast_more_costs_no_more_than_itself_and_a_few_before(tmp_path):
    """Each snapshot that is kept keeps the newest chunk as it was then."""
    path = tmp_path / "a"
    noise = np.random.default_rng(0).normal(size=(41, 7, 24, 24)).astype(np.float32)
    given = forecasts(range(41), leads=7, shape=(24, 24))
    given["sst"] = given.sst.dims, noise, given.sst.attrs
    sizes = []
    for number in range(1, 42):
        some = {"net": given.isel(init_time=slice(number - 1, number))}
        archive.write(path, some, region="tasman", message="add", provenance=origin())
        sizes.append(chunk_bytes(path))
    assert sizes[-1] <= 2.5 * 41 * sizes[0]
