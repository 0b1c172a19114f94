"""The whole way of a station: simulated weather on the embedded mirror, several models, one forecast."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from flows.cycle import Cycle, cycle
from flows.daily import daily
from flows.loading import load_experiment
from flows.settings import Settings
from flows.status import workspace_status
from models.champions import champion_models
from pipeline.errors import ConfigError, NotFoundError, WindowError
from pipeline.evaluation.standing import Standing
from pipeline.evaluation.versions import read_scores
from pipeline.forecasts import archive
from pipeline.store.readings import SeriesReading
from pipeline.store.state import status_summary
from pipeline.workspace import Workspace

EXPERIMENT = """
title = "A simulated station, six hours ahead"

[source]
name = "jena"
mirrors = ["station"]

[simulation]
first_day = 2020-01-01
today = 2020-04-01

[period]
start = 2020-01-01

[station]
name = "roof"
target = "air_temperature"

[splits]
train = 0.5
validation = 0.25
test = 0.25

[windows]
history = 24
horizon = 6
sampling = 6
stride = 6

[climatology]
harmonics = 0
daily_harmonics = 2

[models.small]
name = "dense"
units = 8

[models.lstm]
units = 4
training = { epochs = 2 }

[training]
epochs = 1
batch_size = 64
loss = "mae"

[evaluation]
block_length = 48
"""


@pytest.fixture
def experiment(written: Callable[[str, str], Path]) -> Path:
    return written("weather", EXPERIMENT)


@pytest.mark.usefixtures("prefect_server")
def test_the_whole_way_twice_and_the_day_after(
    experiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = cycle("weather", workspace=tmp_path / "w")
    assert isinstance(done, Cycle)
    workspace = Workspace(tmp_path / "w")
    store = workspace.cube("weather")
    summary = status_summary(store)
    assert (summary.first_day, summary.last_day) == ("2020-01-01", "2020-03-31")
    standing = Standing.read(workspace.scores("weather", "roof"))
    assert {standing.judged.name, *(each.name for each in standing.others)} == {"small", "lstm"}
    scores = read_scores(workspace.scores("weather", "roof"), standing.scores_version)
    assert set(scores.forecaster.values) == {"small", "lstm", "naive", "seasonal-naive", "linear"}
    assert scores.reference.values.tolist() == ["naive", "seasonal-naive", "linear"]
    record = SeriesReading(path=store, region="roof", target="air_temperature").read(None)
    held = archive.field_of(archive.read(workspace.archive("weather"), "roof", "naive"))
    assert held.attrs["units"] == "degree_Celsius"
    assert (
        held.lead_time.values.tolist() == (np.arange(1, 7) * np.timedelta64(1, "h")).astype("m8[ns]").tolist()
    )
    place = np.searchsorted(record.time, held.init_time.values)
    last = record.values[place, record.target_index]
    np.testing.assert_array_equal(held.values[..., 0, 0], np.repeat(last[:, None], 6, axis=1))
    with xr.open_zarr(done.released[0].forecast) as product:
        assert product.air_temperature.sizes["lead_time"] == 6
        utc = held.init_time.values[-1] - np.timedelta64(1, "h")
        assert product.init_time.values[0] == utc
    assert "air" in done.report.read_text()
    assert {name: len(course) for name, course in _histories(workspace).items()} == {"small": 1, "lstm": 2}
    again = cycle("weather", workspace=tmp_path / "w")
    assert isinstance(again, Cycle)
    assert (again.ingested.written, again.models) == (0, done.models)
    # The embedded mirror is at another address each time: that is all that there is to write.
    assert status_summary(store).message.startswith("relabel")

    monkeypatch.setenv("ISOTHERM_TODAY", "2020-04-02")
    tomorrow = daily("weather", workspace=tmp_path / "w")
    assert (tomorrow.ingested.preliminary, tomorrow.alerts) == (1, ())
    assert tomorrow.released[0].init_time == "2020-04-02T00:00"
    card = tomorrow.scorecards["roof"]
    # Six more hours of truth for the forecast from midnight, and the one from there on waits.
    assert (card.waiting, card.last_init) == (1, "2020-04-02T00:00")
    found = workspace_status(Settings.load(workspace=tmp_path / "w")).experiments[0]
    assert found.preliminary_days[-1] == dt.date(2020, 4, 1)
    assert (found.places[0].model, found.places[0].revisions) == (standing.judged.name, None)
    again = daily("weather", workspace=tmp_path / "w")
    assert (again.ingested.written, again.released) == (0, tomorrow.released)


def _histories(workspace: Workspace) -> dict[str, list[dict[str, float]]]:
    folder = workspace.models("weather", "roof")
    return {
        name: json.loads((folder / one / "card.json").read_text())["history"]
        for name, one in champion_models(folder).items()
    }


@pytest.mark.usefixtures("prefect_server")
def test_a_window_that_fits_no_stretch_without_a_gap(experiment: Path, tmp_path: Path) -> None:
    experiment.write_text(EXPERIMENT.replace("history = 24", "history = 1000"))
    with pytest.raises((ConfigError, WindowError)) as caught:
        cycle("weather", workspace=tmp_path / "w")
    assert caught.value.remedy
    assert not workspace_models(tmp_path / "w")


def workspace_models(root: Path) -> list[Path]:
    return list((root / "models").glob("*/*/*")) if (root / "models").exists() else []


@pytest.mark.usefixtures("prefect_server")
def test_a_target_that_does_not_exist(experiment: Path, tmp_path: Path) -> None:
    experiment.write_text(EXPERIMENT.replace('"air_temperature"', '"air_temprature"'))
    with pytest.raises((ConfigError, NotFoundError), match="air_temprature") as caught:
        cycle("weather", workspace=tmp_path / "w")
    assert "air_temperature" in caught.value.remedy
    assert not workspace_models(tmp_path / "w")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "dense"', 'name = "convlstm"', "no model of series 'convlstm'"),
        ("units = 8", "unitz = 8", "unknown key 'unitz'"),
        ("training = { epochs = 2 }", "training = { epoch = 2 }", "unknown key 'epoch'"),
        ("[splits]\ntrain = 0.5", "[splits]\ntrain = 0.6", "sum to 1.1"),
        ("validation = 0.25", "validaton = 0.25", "unknown key 'splits.validaton'"),
        ("\ntitle", '\nladder = ["blend"]\ntitle', "no rung of series 'blend'"),
        ('target = "air_temperature"', 'target = "air_temperature"\nprotocol = "raw"', "protocol"),
        ('name = "jena"\nmirrors = ["station"]', 'name = "oisst"', "oisst is no source of a station"),
        ("[simulation]", "[grid]\nresolution = 1\n\n[simulation]", "different experiments"),
        ("[simulation]", "[quality]\nmean_jump = 5\n\n[simulation]", "[quality] is of fields"),
        ("sampling = 6", "sampling = 6\nfirst_lead = 9", "beyond the horizon"),
        ("history = 24", "history = 20", "looks back 24 samples and the history holds 20"),
        ("sampling = 6", "sampling = 7", "the same time of every day"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_place(experiment: Path, old: str, new: str, told: str) -> None:
    assert old in EXPERIMENT
    experiment.write_text(EXPERIMENT.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_experiment("weather", experiment.parent)
    assert told in caught.value.message
    assert "weather.toml" in caught.value.message
    assert caught.value.remedy


def test_dates_are_as_good_as_parts(experiment: Path) -> None:
    dates = EXPERIMENT.replace("train = 0.5", "train = { start = 2020-01-01, end = 2020-02-10 }")
    dates = dates.replace("validation = 0.25", "validation = { start = 2020-02-11, end = 2020-02-29 }")
    experiment.write_text(dates.replace("test = 0.25", "test = { start = 2020-03-01, end = 2020-03-31 }"))
    loaded = load_experiment("weather", experiment.parent)
    assert loaded.splits.test.end == dt.date(2020, 3, 31)
