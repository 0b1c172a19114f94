"""The sea-temperature hybrid the whole way: from OISST on a mirror, from numbered tables, and out as tables again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.cycle import Cycle, cycle
from flows.ingest import ingest
from flows.loading import load_experiment
from flows.settings import Settings
from flows.status import workspace_status
from pipeline.errors import GranuleError
from pipeline.evaluation.movies import MoviesStanding
from pipeline.evaluation.versions import read_scores
from pipeline.store.movies_reader import read_movie_table
from pipeline.workspace import Workspace
from tests.experiment_files import replaced, require_refused
from tests.pages import Page

EXPERIMENT = """
title = "Two small seas"

[source]
name = "oisst-sequences"
mirrors = ["ncei"]
days = 4
start = 2020-01-01
stretches = 8

[source.seas.bengal]
latitude = [5.0, 18.0]
longitude = [83.5, 92.5]

[source.seas.okhotsk]
latitude = [46.0, 59.0]
longitude = [144.25, 155.25]

[simulation]
seed = 4
first_day = 2020-01-01
today = 2020-03-01

[movies]
name = "seas"
title = "The seas"
windows = { history = 4, horizon = 1, learn = "next", judged = "each-step" }

[splits]
train = [1, 10]
test = [11, 15]

[model]
name = "conv_lstm_hybrid"
units = 6

[training]
optimizer = "adagrad"
clip_value = 10.0
learning_rate = 0.05
schedule = "constant"
averaged = false
epochs = 2
batch_size = 4
precision = "float32"

[evaluation]
resamples = 40
block_length = 2
measures = ["regression"]
"""


@pytest.fixture
def experiment(written: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "300")
    return written("two-seas", EXPERIMENT)


def command(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


@pytest.mark.usefixtures("prefect_server", "experiment")
def test_the_whole_way_from_a_mirror_and_from_its_own_tables(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    done = cycle("two-seas", workspace=first)
    assert isinstance(done, Cycle)
    folder = Workspace(first).scores("two-seas", "seas")
    standing = MoviesStanding.read(folder)
    scores = read_scores(folder, standing.scores_version)
    assert scores.forecaster.values.tolist() == ["conv_lstm_hybrid", "persistence"]
    assert scores.cell_mse.shape == (2, 1, 13, 4)
    assert standing.verdict.windows == 5

    table = read_movie_table(Workspace(first).cube("two-seas"), "seas")
    assert len(table.ids) == 16
    # Of sequences 11 to 15, days 2 to 5, by persistence.
    movies = table.values.reshape(16, 5, 13, 4)[10:15].astype(np.float64)
    error = movies[:, 1:] - movies[:, :-1]
    by_hand = scores.sel(forecaster="persistence").squeeze("lead_time")
    np.testing.assert_allclose(by_hand.cell_mse, (error**2).mean(axis=(0, 1)), rtol=1e-6)
    assert float(by_hand.rmse_pooled) == pytest.approx(np.sqrt((error**2).mean()))

    Page.whole(done.report.read_text(encoding="utf-8"), "Cell by cell", "R²")

    out = tmp_path / "sea_temp"
    assert "wrote 16 sequences" in command("export", "two-seas", out, "--workspace", first)
    again = cycle("two-seas", workspace=second, from_files=(str(out),))
    assert isinstance(again, Cycle)
    back = read_movie_table(Workspace(second).cube("two-seas"), "seas")
    assert back.ids == tuple(str(number) for number in range(1, 17))
    np.testing.assert_array_equal(back.values, table.values)
    other = MoviesStanding.read(Workspace(second).scores("two-seas", "seas"))
    assert other.verdict.best_rmse == standing.verdict.best_rmse


@pytest.mark.usefixtures("prefect_server", "experiment")
def test_what_is_wrong_with_tables_is_seen_in_status(tmp_path: Path) -> None:
    one, sea = tmp_path / "one", tmp_path / "sea"
    ingest("two-seas", workspace=one)
    command("export", "two-seas", sea, "--workspace", one)
    (sea / "targets" / "3.csv").unlink()
    lines = (sea / "features" / "6.csv").read_text(encoding="utf-8").splitlines()
    lines[2] += ",9.5"
    (sea / "features" / "6.csv").write_text("\n".join(lines), encoding="utf-8")
    place = tmp_path / "two"
    told = ingest("two-seas", workspace=place, from_files=(str(sea),))
    assert "ingested 14 movies (70 pictures), 2 left out" in told.lines[0]
    # Lines are broken to the width of the terminal, within long paths too.
    shown = "".join(command("status", "--workspace", place).split())
    for said in (
        "features/6.csv line 3: it has 53 columns, and 52 are expected",
        "sequence 3 has features and no targets",
    ):
        assert said.replace(" ", "") in shown
    assert workspace_status(Settings.load(workspace=place)).healthy
    # Nothing that can be used is an error, which says so.
    shutil.rmtree(sea / "targets")
    with pytest.raises(GranuleError, match="no movie could be used; 16 were left out"):
        ingest("two-seas", workspace=tmp_path / "three", from_files=(str(sea),))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('judged = "each-step"', 'judged = "each"', "each-step"),
        ("horizon = 1", "horizon = 2", "each-step"),
        ("stretches = 8", "stretchs = 8", r"(?s)'stretchs'.*did you mean 'stretches'"),
        (
            "[source.seas.bengal]\nlatitude = [5.0, 18.0]",
            "[source.seas.bengal]\nlatitude = [18.0, 5.0]",
            "south",
        ),
        ("units = 6", 'units = 6\nbase = "lst"', "'mean' or 'last', got 'lst'"),
        (
            '["regression"]',
            '["events"]',
            "'events' are of pictures in mm h-1, and these are in 'degree_Celsius'",
        ),
        ('"each-step" }', '"each-step", scaling = "decibel" }', "'decibel' is for rain in mm h-1"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_name(experiment: Path, old: str, new: str, said: str) -> None:
    require_refused(experiment, replaced(EXPERIMENT, old, new), said)


@pytest.mark.parametrize("name", ["sst-hybrid", "sst-hybrid-tasman"])
def test_the_experiments_are_as_published(name: str) -> None:
    found = load_experiment(name, Settings().experiments).sourced()
    published = found.candidates["as-published"]
    assert published.config.model_dump() == {
        "filters": 7, "kernel": 2, "stride": 2, "units": 200, "base": "mean",
    }  # fmt: skip
    training = published.training
    assert (training.optimizer, training.clip_value, training.epochs, training.batch_size) == (
        "adagrad", 10, 25, 32,
    )  # fmt: skip
    assert training.patience >= training.epochs
    assert found.movies is not None
    assert (found.movies.windows.history, found.movies.windows.horizon) == (50, 1)
    if name == "sst-hybrid":
        assert found.splits.parts["test"] == (1937, 2089)  # type: ignore[union-attr]
        assert list(found.source["seas"]) == [
            "bengal", "korean", "black", "mediterranean", "arabian", "japan", "bohai", "okhotsk",
        ]  # fmt: skip
