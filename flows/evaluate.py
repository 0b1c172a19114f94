"""The flow `evaluate`: from the archive to scores and verdicts."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from flows import tasks
from flows.experiments import Job
from flows.jobs import job_for
from pipeline.evaluation.standing import Standing


def run_evaluate(job: Job) -> dict[str, Standing]:
    """Score each region's archived forecasts; by region, who stands where."""
    snapshot = job.cube_snapshot()
    archived = job.archive_snapshot()
    return {
        region: tasks.evaluate_region(job, region, snapshot, archived, job.model_id(region))
        for region in job.experiment.regions
    }


@flow(name="evaluate", flow_run_name="evaluate-{experiment}")
def evaluate(experiment: str, workspace: Path | None = None) -> dict[str, str]:
    """Judge the model of `experiment` against its ladder; by region, the verdict."""
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        return {region: standing.verdict.sentence for region, standing in run_evaluate(job).items()}
