"""The flow `train`: from the cube to a model a region."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from flows import tasks
from flows.experiments import Job
from flows.jobs import job_for


def run_train(job: Job) -> dict[str, str]:
    """Train each region's model on the newest snapshot; by region, the model's id."""
    snapshot = job.cube_snapshot()
    return {region: tasks.train_region(job, region, snapshot) for region in job.experiment.regions}


@flow(name="train", flow_run_name="train-{experiment}")
def train(experiment: str, workspace: Path | None = None) -> dict[str, str]:
    """Train the model of `experiment`, going on where a killed training stopped."""
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        return run_train(job)
