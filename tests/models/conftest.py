"""A workspace in which one small region went the way from the cube to the archive."""

from dataclasses import dataclass

import pytest

from models.fitting import fit_models
from models.issuing import issue_forecasts
from pipeline.store.readings import CubeReading
from pipeline.workspace import Workspace
from tests.models.bay import GAPPED, SHORT, recipe
from tests.records import write_cube

LADDER = ("persistence", "climatology", "damped-persistence")


@dataclass(frozen=True)
class Made:
    """Where everything is."""

    workspace: Workspace
    snapshot: str
    model_id: str
    archive_snapshot: str

    @property
    def cube(self):
        return self.workspace.cube("trial")

    @property
    def reading(self):
        return CubeReading(path=self.cube, region="bay")

    @property
    def models(self):
        return self.workspace.models("trial", "bay")

    @property
    def archive(self):
        return self.workspace.archive("trial")

    def issue(self, *, archive_path=None, **options):
        return issue_forecasts(
            self.reading,
            recipe(training=SHORT),
            [self.models / self.model_id],
            LADDER,
            archive_path or self.archive,
            snapshot=self.snapshot,
            **options,
        )


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A cube with a gap in its test days, one model, and the archive of its and its ladder's forecasts."""
    workspace = Workspace.open(tmp_path_factory.mktemp("made"))
    snapshot = write_cube(workspace.cube("trial"), GAPPED)
    ids = fit_models(
        CubeReading(path=workspace.cube("trial"), region="bay"),
        [recipe(training=SHORT)],
        workspace.models("trial", "bay"),
        snapshot=snapshot,
    )
    model_id = ids["convlstm"]
    archive_snapshot = Made(workspace, snapshot, model_id, "").issue()
    return Made(workspace, snapshot, model_id, archive_snapshot)
