"""The flow `forecast`: from the cube and the models to the archive."""

from __future__ import annotations

from prefect import flow

from flows import artifacts, tasks
from flows.composing import job_for
from flows.jobs import Job
from flows.kinds import require_kind
from flows.parameters import TimedExperimentName, WorkspaceFolder, diary_entry
from flows.partial import Regions


def run_forecast(job: Job, regions: Regions, snapshot: str) -> dict[str, str]:
    """Forecast every test window and from the newest data; by region, the archive's snapshot."""
    archived = regions.each(lambda place: tasks.forecast_place(job, place, snapshot))
    artifacts.outcomes(job, "archive", archived, f"Snapshots of the forecasts of **{job.experiment.name}**")
    return archived


@flow(name="forecast", flow_run_name=diary_entry)
def forecast(experiment: TimedExperimentName, workspace: WorkspaceFolder = None) -> dict[str, str]:
    """Issue the forecasts of `experiment`, of its model and of the whole ladder."""
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        require_kind(job.experiment, "forecast")
        regions = Regions.of(job.experiment.places)
        done = run_forecast(job, regions, job.cube_snapshot())
    regions.settle(done)
    return done
