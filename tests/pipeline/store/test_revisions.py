"""What finals changed in preliminary days, and cubes from before that was kept."""

import datetime as dt

import numpy as np
import pytest
import xarray as xr
import zarr

from pipeline.grid import Grid
from pipeline.store import reader, repository, schema, state, writer
from pipeline.store.revisions import read_revisions
from pipeline.types import Box, Status

START = dt.date(2020, 1, 1)
SEA = Grid.regular(Box(latitude=(-60, -50), longitude=(10, 14)), 1)


def batch(values, status, sha, first=0):
    days = np.datetime64(START) + np.arange(first, first + len(values))
    told = tuple(f"{sha}{day}" for day in days)
    return writer.DayBatch(
        days, np.full(len(days), status, np.int8), told, told, ("",) * len(days), {"sea": values}
    )


@pytest.fixture
def cube(tmp_path):
    path = tmp_path / "cube"
    writer.create_cube(path, {"sea": SEA}, START)
    return path


@pytest.fixture
def fields():
    """Four preliminary days and their finals, of which each lacks a cell that the other has."""
    rng = np.random.default_rng(3)
    early = rng.normal(8, 1, (4, *SEA.shape)).astype(np.float32)
    late = early + rng.normal(0.1, 0.2, early.shape).astype(np.float32)
    early[:, 0, 0] = np.nan
    late[:, 1, 1] = np.nan
    return early, late


def test_a_revision_is_the_weighted_difference_that_xarray_finds(cube, fields):
    early, late = fields
    writer.write(cube, batch(early, Status.PRELIMINARY, "p"))
    assert read_revisions(cube, "sea") is None
    writer.write(cube, batch(late[:3], Status.FINAL, "f"))
    change = xr.DataArray(
        (late - early)[:3].astype(float),
        dims=("time", "latitude", "longitude"),
        coords={"latitude": SEA.latitude},
    )
    weighted = [
        field.weighted(np.cos(np.radians(change.latitude))).mean(("latitude", "longitude"))
        for field in (change, change**2)
    ]
    data = reader.open_region(cube, "sea")
    np.testing.assert_allclose(data.revision_bias[:3], weighted[0], rtol=1e-5)
    np.testing.assert_allclose(data.revision_rmse[:3], np.sqrt(weighted[1]), rtol=1e-5)
    assert np.isnan(data.revision_rmse[3])
    found = read_revisions(cube, "sea")
    assert (found.days, found.first, found.last) == (3, "2020-01-01", "2020-01-03")
    np.testing.assert_allclose(found.rmse, np.sqrt(float(weighted[1].mean())), rtol=1e-5)
    np.testing.assert_allclose(found.bias, float(weighted[0].mean()), rtol=1e-5)


def test_only_preliminary_days_are_revised(cube, fields):
    early, late = fields
    writer.write(cube, batch(early, Status.FINAL, "f"))
    writer.write(cube, batch(late, Status.FINAL, "reissued"))
    assert read_revisions(cube, "sea") is None


def test_a_cube_of_the_format_before_is_read_and_upgraded_by_the_next_commit(cube, fields):
    early, late = fields
    writer.write(cube, batch(early, Status.PRELIMINARY, "p"))
    session = repository.open_repository(cube).writable_session("main")
    group = zarr.open_group(session.store, mode="a")["sea"]
    for name in schema.REVISION:
        del group[name]
    summary = state.status_summary(cube)
    told = {name: getattr(summary, name) for name in ("preliminary", "final", "missing")}
    session.commit("as format 1 was", metadata={repository.FORMAT_KEY: 1} | told)

    before = reader.read_record(cube, "sea")
    assert read_revisions(cube, "sea") is None
    assert state.read_state(cube).status.tolist() == [Status.PRELIMINARY] * 4
    writer.write(cube, batch(late[:1], Status.FINAL, "f"))
    after = reader.read_record(cube, "sea")
    np.testing.assert_array_equal(after.values[1:], before.values[1:])
    assert read_revisions(cube, "sea").days == 1
    head = repository.head(repository.open_repository(cube))
    assert head.metadata[repository.FORMAT_KEY] == repository.FORMAT == 2


def test_what_is_kept_grows_with_the_cube(cube, fields):
    early, late = fields
    writer.write(cube, batch(early, Status.PRELIMINARY, "p"))
    writer.write(cube, batch(late, Status.FINAL, "f", first=40))
    assert reader.open_region(cube, "sea").sizes["time"] == 44
