"""Stores whose writer made them and did not live to the first commit: readers find nothing, and writers go on."""

import datetime as dt

import numpy as np
import pytest

from flows.settings import Settings
from flows.status import workspace_status
from pipeline.errors import NotFoundError, StoreError
from pipeline.forecasts import archive, layout
from pipeline.grid import Grid
from pipeline.store import reader, repository, schema, state, writer
from pipeline.store.revisions import read_revisions
from pipeline.types import Box
from pipeline.workspace import Workspace

SEA = Grid.regular(Box(latitude=(-60, -50), longitude=(10, 14)), 1)


@pytest.fixture
def unborn(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    repository.create(workspace.cube("small"), splits={"time": schema.MANIFEST_CHUNKS})
    repository.create(workspace.archive("small"), splits={"init_time": layout.MANIFEST_CHUNKS})
    return workspace


def test_a_cube_before_its_first_commit_holds_nothing_and_is_written_to(unborn):
    cube = unborn.cube("small")
    assert not len(state.read_state(cube).days)
    assert state.source_list(cube) == ((), ())
    assert reader.read_source_grid(cube) is None
    for read in (reader.open_region, reader.read_record, read_revisions):
        with pytest.raises(StoreError, match="no region 'sea'; it has none") as told:
            read(cube, "sea")
        assert "ingest" in told.value.remedy
    (found,) = workspace_status(Settings(workspace=unborn.root)).experiments
    assert (found.data.regions, found.places, found.alerts) == ((), (), ())
    assert writer.create_cube(cube, {"sea": SEA}, dt.date(2020, 1, 1))
    assert reader.open_region(cube, "sea").sizes["time"] == 0


def test_an_archive_before_its_first_commit_has_no_forecasts(unborn):
    path = unborn.archive("small")
    assert archive.forecasters(path, "sea") == ()
    assert archive.issued_from(path, "sea", np.datetime64("2020-01-01", "ns")) == {}
    assert archive.newest(path, "sea", "persistence") is None
    with pytest.raises(NotFoundError, match="it has none"):
        archive.read(path, "sea", "persistence")
