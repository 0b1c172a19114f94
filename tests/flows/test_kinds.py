"""Steps that make no sense of what has no calendar."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.cycle import cycle
from flows.daily import daily
from flows.evaluate import evaluate
from flows.forecast import forecast
from flows.ingest import ingest
from flows.kinds import OF_COLLECTIONS, require_kind
from flows.loading import experiment_names, load_experiment, timed_names
from flows.publish import publish, report
from flows.retain import retain
from flows.retrain import retrain
from flows.settings import EXPERIMENTS, Settings
from flows.train import train
from pipeline.errors import ConfigError

KINDS = {
    "icu-mortality": "labelled records",
    "review-sentiment": "labelled texts",
    "moving-squares-small": "movies",
}


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize(("name", "what"), KINDS.items())
@pytest.mark.parametrize("flow", [forecast, publish, daily], ids=lambda flow: flow.name)
def test_flows_along_time_refuse_what_has_no_calendar(
    tmp_path: Path, flow: object, name: str, what: str
) -> None:
    with pytest.raises(ConfigError, match=f"is of {what}: `isotherm"):
        flow(name, workspace=tmp_path / "w")  # type: ignore[operator]


@pytest.mark.parametrize(("name", "what"), KINDS.items())
def test_each_step_says_whether_it_is_of_what_has_no_calendar(name: str, what: str) -> None:
    experiment = load_experiment(name, Settings().experiments)
    for step in ("forecast", "publish", "daily", "retrain", "retain", "promote", "rollback"):
        with pytest.raises(ConfigError, match=f"is of {what}: `isotherm {step}` has nothing to do there"):
            require_kind(experiment, step)
    for step in OF_COLLECTIONS:
        require_kind(experiment, step)


@pytest.mark.parametrize("command", ["serve", "deploy"])
def test_what_has_no_calendar_is_not_scheduled(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    monkeypatch.setattr("flows.serve.serve", lambda *_, **__: None)
    monkeypatch.setattr("flows.deploying.enter", lambda: None)
    monkeypatch.setattr("flows.deploying.deploy", lambda _: [])
    done = CliRunner().invoke(app, [command, "--experiment", "moving-squares"])
    assert isinstance(done.exception, ConfigError)
    assert "`isotherm daily` has nothing to do there" in done.exception.message


def test_an_audit_of_what_has_no_days_is_refused_before_prefect_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("flows.runtime.prepared")
    words = ["ingest", "moving-squares", "--audit", "--workspace", str(tmp_path / "w")]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, ConfigError)
    assert "an audit asks for the files of days, and 'moving-squares' has none" in done.exception.message


def test_forms_list_the_experiments_that_can_be_chosen(tmp_path: Path) -> None:
    for name, text in (("few", "[movies]\n"), ("odd", "no TOML"), ("sea", "[regions.bay]\n")):
        (tmp_path / f"{name}.toml").write_text(text)
    assert experiment_names(tmp_path) == ["few", "odd", "sea"]
    assert timed_names(tmp_path) == ["odd", "sea"]
    timed = set(timed_names(EXPERIMENTS))
    for flow in (cycle, daily, evaluate, forecast, ingest, publish, report, retain, retrain, train):
        listed = set(flow.parameters.model_dump()["properties"]["experiment"]["enum"])
        whole = flow in (cycle, evaluate, ingest, report, train)
        assert listed == (set(experiment_names(EXPERIMENTS)) if whole else timed)
    assert {load_experiment(name, EXPERIMENTS).kind for name in timed} == {"fields", "series"}
