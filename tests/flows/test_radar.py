"""The whole way of radar: composites on the mirror, one of them spoilt, a small network, its verdict and report."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flows.cycle import Cycle, cycle
from flows.ingest import ingest
from pipeline.errors import ConfigError, WindowError
from pipeline.evaluation.movies import MoviesStanding
from pipeline.evaluation.versions import read_scores
from pipeline.mirror import Mirror
from pipeline.workspace import Workspace
from tests.experiment_files import replaced, require_refused
from tests.pages import Page
from tests.radar import FIRST, MISSING, SHAPE, STEP, drifting, write_composite, write_composites
from tests.shown import told_of

EXPERIMENT = """
title = "Drifting showers"
ladder = ["persistence", "optical-flow"]

[source]
name = "knmi-radar"
factor = 2

[movies]
name = "rain"
windows = { history = 3, horizon = 2, parted_by = "picture", guard = 2, scaling = "decibel" }

[splits]
train = 0.5
validation = 0.2
test = 0.3

[model]
name = "encoder_forecaster"
filters = [2]
patch = 2

[training]
epochs = 2
batch_size = 4

[evaluation]
resamples = 40
block_length = 3
measures = ["events", "fractions"]
"""


@pytest.fixture
def experiment(written: Callable[[str, str], Path]) -> Path:
    return written("showers", EXPERIMENT)


def composites(folder: Path) -> list[Path]:
    paths = write_composites(folder, drifting(60))
    write_composite(paths[5], np.full(SHAPE, MISSING, np.uint16), FIRST + 5 * STEP)
    return paths


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('["events", "fractions"]', '["evnts"]', "(?s)of movies 'evnts'.*did you mean 'events'"),
        ("resamples = 40", "areas.west = { latitude = [50, 51], longitude = [3, 4] }", "areas are of fields"),
    ],
)
def test_what_cannot_be_measured_is_told_before_anything_is_done(
    experiment: Path, old: str, new: str, said: str
) -> None:
    require_refused(experiment, replaced(EXPERIMENT, old, new), said)


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_server")
def test_from_the_mirror_to_the_report(experiment: Path, tmp_path: Path) -> None:
    composites(tmp_path / "knmi")
    with Mirror(radar_folder=tmp_path / "knmi") as mirror:
        done: Cycle = cycle("showers", workspace=tmp_path / "ws", mirror=mirror.url)
    assert done.ingested.excluded == {"no-values": 1}
    workspace = Workspace(tmp_path / "ws")
    folder = workspace.scores("showers", "rain")
    standing = MoviesStanding.read(folder)
    assert standing.ladder == ("persistence", "optical-flow")
    assert standing.verdict.best_rung == "optical-flow"
    scores = read_scores(folder, standing.scores_version)
    assert {"csi", "pod", "far", "fss", "rmse"} <= set(scores)
    assert scores.csi.dims == ("forecaster", "lead_time", "threshold")
    assert scores.fss.dims == ("forecaster", "lead_time", "threshold", "scale")
    by_name = scores.csi_pooled.sel(threshold=0.5)
    assert float(by_name.sel(forecaster="optical-flow")) > float(by_name.sel(forecaster="persistence"))
    page = Page.parse(workspace.report("showers").read_text(encoding="utf-8"))
    assert "Critical success index" in page.text
    assert "Forecast: Optical flow" in page.text
    assert "Forecast: Persistence" in page.text
    assert "RAD_NL25_RAP_5min_201008260025.h5" in page.text
    assert "no-values" in page.text


@pytest.mark.usefixtures("prefect_server")
def test_what_is_left_out_is_seen_in_the_status(experiment: Path, tmp_path: Path) -> None:
    composites(tmp_path / "knmi")
    told = ingest("showers", workspace=tmp_path / "ws", from_files=(str(tmp_path / "knmi" / "*.h5"),))
    assert (told.movies, told.pictures) == (2, 59)
    assert "RAD_NL25_RAP_5min_201008260025.h5: the frame has no value" in told_of(tmp_path / "ws")


def test_a_rung_of_another_kind_is_refused(experiment: Path, tmp_path: Path) -> None:
    experiment.write_text(EXPERIMENT.replace("optical-flow", "optical-flwo"))
    with pytest.raises(ConfigError, match="optical-flow"):
        ingest("showers", workspace=tmp_path / "ws", from_files=("*.h5",))


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_server")
def test_history_and_horizon_longer_than_any_stretch_are_told(experiment: Path, tmp_path: Path) -> None:
    experiment.write_text(EXPERIMENT.replace("history = 3", "history = 50"))
    composites(tmp_path / "knmi")
    with pytest.raises(WindowError, match="the longest has"):
        cycle("showers", workspace=tmp_path / "ws", from_files=(str(tmp_path / "knmi" / "*.h5"),))
