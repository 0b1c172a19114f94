"""The flow `forecast`: from the cube and the models to the archive."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from flows import tasks
from flows.experiments import Job
from flows.jobs import job_for


def run_forecast(job: Job) -> dict[str, str]:
    """Forecast every test window and from the newest data; by region, the archive's snapshot."""
    snapshot = job.cube_snapshot()
    return {
        region: tasks.forecast_region(job, region, snapshot, job.model_id(region))
        for region in job.experiment.regions
    }


@flow(name="forecast", flow_run_name="forecast-{experiment}")
def forecast(experiment: str, workspace: Path | None = None) -> dict[str, str]:
    """Issue the forecasts of `experiment`, of its model and of the whole ladder."""
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        return run_forecast(job)
