"""Steps that make no sense of what has no calendar."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.daily import daily
from flows.forecast import forecast
from flows.kinds import OF_COLLECTIONS, require_kind
from flows.loading import load_experiment
from flows.publish import publish
from flows.settings import Settings
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
