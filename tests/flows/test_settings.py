"""Every typo is answered with the key, the file and the nearest right spelling."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from flows.experiments import Experiment
from flows.jobs import Job
from flows.loading import experiment_names, load_experiment
from flows.settings import EXPERIMENTS, Settings
from pipeline.errors import ConfigError, NotFoundError
from tests import seas


def changed(folder: Path, old: str, new: str) -> ConfigError:
    """What loading the small experiment raises after `old` was replaced."""
    path = folder / "small.toml"
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_experiment("small", folder)
    assert str(path) in caught.value.message
    assert pickle.loads(pickle.dumps(caught.value)).message == caught.value.message
    return caught.value


@pytest.mark.parametrize("name", experiment_names(EXPERIMENTS))
def test_experiments_that_are_shipped_load(name: str) -> None:
    experiment = load_experiment(name, EXPERIMENTS)
    assert experiment.name == name
    assert load_experiment(str(EXPERIMENTS / f"{name}.toml"), Path("elsewhere")) == experiment
    assert (
        pickle.loads(pickle.dumps(Job(experiment=experiment, settings=Settings()))).experiment == experiment
    )


@pytest.mark.parametrize(
    ("old", "new", "key", "nearest"),
    [
        ('title = "A small sea, two', 'titel = "A small sea, two', "titel", "title"),
        ("[windows]", "[window]", "window", "windows"),
        ("history = 3", "histroy = 3", "windows.histroy", "history"),
        ("resolution = 0.5", "resolutoin = 0.5", "grid.resolutoin", "resolution"),
        ("filters = 2", "filtres = 2", "filtres", "filters"),
        ("batch_size = 64", "bach_size = 64", "training.bach_size", "batch_size"),
        ("latitude = [-40.0", "lattitude = [-40.0", "regions.small.lattitude", "latitude"),
        ("resamples = 50", "resample = 50", "evaluation.resample", "resamples"),
        ("validation = {", "validaton = {", "splits.validaton", "validation"),
        ('[source]\nname = "oisst"', '[source]\nname = "oisst"\nmirors = []', "mirors", "mirrors"),
    ],
)
def test_a_misspelled_key(experiments: Path, old: str, new: str, key: str, nearest: str) -> None:
    error = changed(experiments, old, new)
    assert repr(key) in error.message
    assert f"did you mean {nearest!r}?" in error.remedy


@pytest.mark.parametrize(
    ("old", "new", "given", "nearest"),
    [
        ('name = "convlstm"', 'name = "convlsmt"', "convlsmt", "convlstm"),
        ('name = "oisst"', 'name = "oist"', "oist", "oisst"),
        ('name = "oisst"', 'name = "oisst"\nmirrors = ["nceii"]', "nceii", "ncei"),
        ("[source]", 'ladder = ["persistance"]\n[source]', "persistance", "persistence"),
    ],
)
def test_a_misspelled_name(experiments: Path, old: str, new: str, given: str, nearest: str) -> None:
    error = changed(experiments, old, new)
    assert repr(given) in error.message
    assert f"did you mean {nearest!r}?" in error.remedy
    assert "→" not in error.message


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("history = 3", "history = 0", "windows.history"),
        ("history = 3", 'history = "three"', "windows.history"),
        ("epochs = 1", "epochs = 1.5", "training.epochs"),
        ("[training]", '[training]\nprecision = "float8"', "training.precision"),
        ("filters = 2", "filters = -2", "filters"),
        ("start = 2019-01-01\nend", 'start = "soon"\nend', "period.start"),
        ("latitude = [-40.0, -37.5]", "latitude = [-37.5, -40.0]", "[south, north]"),
        ("longitude = [150.0, 152.5]", "longitude = [150.0, 500.0]", "[west, east]"),
        ("latitude = [-40.0, -37.5]", "latitude = [-40.0, -37.4]", "[regions.small]"),
        ("2020-02-01, end = 2020-04-15", "2020-01-15, end = 2020-04-15", "without a common day"),
        ("2020-04-16, end = 2020-08-31", "2020-04-16, end = 2020-04-18", "guard gap"),
        ("2020-04-16, end = 2020-08-31", "2020-04-16, end = 2020-04-22", "no window of 3 + 2 days"),
        ("history = 3", "history = 2000", "guard gap"),
        ("[regions.small]", '[regions."../small"]', "cannot be a name"),
        ('title = "A small sea, two', 'name = "other"\ntitle = "A small sea, two', "'name'"),
        ('name = "convlstm"', "", "[model] has no key 'name'"),
        ("resamples = 50", 'resamples = 50\nmeasures = ["regression"]', "measures are of movies"),
    ],
)
def test_an_unusable_value(experiments: Path, old: str, new: str, told: str) -> None:
    error = changed(experiments, old, new)
    assert told in error.message
    assert error.remedy


def test_a_table_that_is_lacking(experiments: Path) -> None:
    error = changed(experiments, "[grid]\nresolution = 0.5\n", "")
    assert "[regions] need a [grid]" in error.message


def test_broken_syntax_is_told_with_its_line(experiments: Path) -> None:
    error = changed(experiments, "history = 3", "history = = 3")
    line = (experiments / "small.toml").read_text().splitlines().index("history = = 3") + 1
    assert f"line {line}" in error.message


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_experiment("odd", tmp_path)


def test_an_experiment_that_is_not_there(experiments: Path) -> None:
    with pytest.raises(NotFoundError, match="no experiment 'smal'") as caught:
        load_experiment("smal", experiments)
    assert "did you mean 'small'?" in caught.value.remedy


def test_experiments_are_frozen_and_closed(experiments: Path) -> None:
    experiment = load_experiment("small", experiments)
    with pytest.raises(ValidationError, match="frozen"):
        experiment.title = "other"  # type: ignore[misc]
    assert Experiment.model_config["extra"] == "forbid"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ISOTHERM_WORKSPCE", "x", "did you mean 'ISOTHERM_WORKSPACE'?"),
        ("ISOTHERM_WORKERS", "many", "ISOTHERM_WORKERS"),
        ("ISOTHERM_WORKERS", "0", "ISOTHERM_WORKERS"),
    ],
)
def test_a_wrong_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        Settings.load()
    assert told in str(caught.value)
    assert "environment" in caught.value.message


def test_what_is_given_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISOTHERM_WORKSPACE", "there")
    assert Settings.load().workspace == Path("there")
    assert Settings.load(workspace=Path("here")).workspace == Path("here")
    assert Settings.load(workspace=None).workspace == Path("there")


def test_the_small_experiment_is_one(experiments: Path) -> None:
    assert load_experiment("small", experiments).period.end == seas.LAST
