"""Promotion and roll-back as commands, on models that are cards alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.operators import operator
from models.recipe import inputs_sha256
from pipeline.windows import WindowSpec
from tests import seas
from tests.flows.test_cli import command
from tests.models.test_trained import card
from tests.records import make_sea, write_cube

BECAUSE = ("the first of all", "it is sharper", "it drifts", "")


@pytest.fixture
def models(tmp_path: Path, experiments: Path) -> Path:
    """The folder of two models of the small sea."""
    folder = tmp_path / "workspace" / "models" / "small" / "small"
    record = make_sea(60, shape=(5, 5))
    write_cube(tmp_path / "workspace" / "cubes" / "small", record, "small")
    for model_id in ("convlstm-1", "convlstm-2"):
        (folder / model_id).mkdir(parents=True)
        made = card(
            model_id=model_id, windows=WindowSpec(history=3, horizon=2), inputs_sha256=inputs_sha256(record)
        )
        made.write(folder / model_id)
    return folder


def test_promotion_and_roll_back_are_one_command_each(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    models: Path,
) -> None:
    told = [
        command(capsys, monkeypatch, *words)
        for words in (
            ("promote", "small", "convlstm-1", "--because", BECAUSE[0]),
            ("promote", "small", "convlstm-2", "--region", "small", "--because", BECAUSE[1]),
            ("rollback", "small", "--because", BECAUSE[2]),
            ("rollback", "small"),
        )
    ]
    assert [status for status, *_ in told] == [0, 0, 0, 1]
    for (_, out, _), champion, reason in zip(told, ("1", "2", "1"), BECAUSE, strict=False):
        assert f"convlstm-{champion} is champion since" in out
        assert f"by {operator()}: {reason}" in out
    assert "there is nothing to roll back to" in told[3][2]
    assert "isotherm promote" in told[3][2]
    status, _, err = command(capsys, monkeypatch, "promote", "small", "convlstm-3")
    assert status == 1
    assert "did you mean 'convlstm-2'?" in err or "did you mean 'convlstm-1'?" in err


def test_of_several_regions_the_one_that_has_the_model_is_meant(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, models: Path, experiments: Path
) -> None:
    path = experiments / "small.toml"
    second = "\n[regions.other]\nlatitude = [-40.0, -37.5]\nlongitude = [150.0, 152.5]\n\n[grid]"
    path.write_text(path.read_text().replace("\n[grid]", second, 1))
    status, out, err = command(capsys, monkeypatch, "promote", "small", "convlstm-1")
    assert status == 0, err
    assert out.startswith("small ")
    status, _, err = command(capsys, monkeypatch, "rollback", "small")
    assert status == 1
    assert "several regions" in err
    assert "--region: small, other" in err
    status, _, err = command(capsys, monkeypatch, "promote", "small", "convlstm-11")
    assert status == 1
    assert "did you mean 'convlstm-1'?" in err
    status, _, err = command(capsys, monkeypatch, "promote", "small", "convlstm-1", "--region", "other")
    assert status == 1
    assert "no model 'convlstm-1'" in err


def test_a_model_of_other_windows_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, models: Path, experiments: Path
) -> None:
    seas.write_experiment(experiments)
    path = experiments / "small.toml"
    path.write_text(path.read_text().replace("history = 3", "history = 4"))
    status, _, err = command(capsys, monkeypatch, "promote", "small", "convlstm-1")
    assert status == 1
    assert "does not fit the experiment" in err
    assert "history 3 and not 4" in err
    assert not (models / "champions").exists()
