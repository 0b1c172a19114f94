"""What runs leave in Prefect's page: names like a diary, tables, links, and forms that list the experiments."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flows.composing import job_for
from tests import seas

pytestmark = pytest.mark.usefixtures("prefect_server")


def left(run_id: Any) -> dict[str, Any]:
    """Artifacts of a run by key."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
        )
    return {each.key: each for each in found}


def rows(artifact: Any) -> list[dict[str, Any]]:
    return json.loads(artifact.data) if isinstance(artifact.data, str) else artifact.data


def bars(run_id: Any) -> dict[str, float]:
    """How far each of a run's works was shown to be, in percent."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterType

    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(
                flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]), type=ArtifactFilterType(any_=["progress"])
            )
        )
    return {str(each.description): float(each.data) for each in found}


def name_of(run_id: Any) -> str:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        return client.read_flow_run(run_id).name


def test_a_cycle_leaves_its_data_scores_report_and_forecasts(
    experiments: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.cycle import cycle

    monkeypatch.setenv("ISOTHERM_PUBLIC_URL", "http://127.0.0.1:4201/")
    lacking = seas.days()[10]
    seas.write(tmp_path / "all.nc", seas.sea(day for day in seas.days() if day != lacking))
    state = cycle("small", from_files=("all.nc",), return_state=True)
    run = state.state_details.flow_run_id
    assert name_of(run) == f"{dt.datetime.now(dt.UTC):%Y-%m-%d} small: cycle"

    found = left(run)
    assert {*found} - {None} == {
        f"{kind}-small" for kind in ("data", "models", "archive", "scores", "report", "forecasts")
    }
    assert bars(run) == {"ingest": 100, "train small": 100, "forecast small": 100}
    data = {row["what"]: row["small"] for row in rows(found["data-small"])}
    assert all(all(row) for name in ("data-small", "models-small") for row in rows(found[name]))
    assert data["days"] == f"{seas.FIRST} … {seas.LAST}"
    assert data["missing"] == f"1 day: {lacking}"
    assert data["final"] == f"{len(seas.days()) - 1} days"
    (scores,) = rows(found["scores-small"])
    assert scores["place"] == "small"
    assert scores["published"] in {scores["model"], scores["best baseline"]}
    assert "http://127.0.0.1:4201/reports/small/index.html" in found["report-small"].data
    (forecast,) = rows(found["forecasts-small"])
    assert forecast["from"] == str(seas.LAST)
    path = forecast["forecast"].removeprefix("http://127.0.0.1:4201/")
    assert (tmp_path / "workspace" / path).is_dir()


def test_an_experiment_named_by_its_file_is_called_by_its_name(experiments: Path, tmp_path: Path) -> None:
    from flows.ingest import ingest

    seas.write(tmp_path / "few.nc", seas.sea([seas.FIRST]))
    state = ingest(str(experiments / "small.toml"), from_files=("few.nc",), return_state=True)
    assert name_of(state.state_details.flow_run_id).endswith(" small: ingest")
    assert {*left(state.state_details.flow_run_id)} - {None} == {"data-small"}


def test_links_lead_to_files_where_nothing_serves_them(experiments: Path) -> None:
    from flows import artifacts

    with job_for("small") as job:
        report = job.workspace.report("small")
        assert artifacts.address(job, report) == report.as_uri()
        assert artifacts.address(job, "s3://bucket/published/a.zarr") == "s3://bucket/published/a.zarr"
        artifacts.data_status(job)  # outside of a run


def test_a_run_does_not_fail_for_what_it_only_shows(
    experiments: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from prefect import flow

    from flows import artifacts

    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionError("the server is gone")

    monkeypatch.setattr(artifacts, "create_link_artifact", refuse)

    @flow
    def leaving() -> str:
        with job_for("small") as job:
            artifacts.report_link(job)
        return "done"

    assert leaving() == "done"


@pytest.mark.parametrize("name", ["SST_tasman.v2", "a", "x--"])
def test_keys_are_what_prefect_allows(name: str) -> None:
    from prefect.client.schemas.actions import ArtifactCreate

    from flows.artifacts import artifact_key

    assert ArtifactCreate(key=artifact_key("scores", name)).key


FORM = "import json; from flows.cycle import cycle; print(json.dumps(cycle.parameters.properties))"


def test_forms_list_the_experiments(experiments: Path) -> None:
    seas.write_experiment(experiments, "another")
    told = subprocess.run([sys.executable, "-c", FORM], capture_output=True, text=True, check=True).stdout
    schema = json.loads(told)
    assert schema["experiment"]["enum"] == ["another", "small"]
    assert set(schema) == {"experiment", "workspace", "from_files", "mirror"}
    assert all("description" in each for each in schema.values())
