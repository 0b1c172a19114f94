"""The flow `train`: from the cube to a model a region."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from flows import tasks
from flows.experiments import Job
from flows.jobs import job_for
from flows.partial import Regions


def run_train(job: Job, regions: Regions, snapshot: str) -> dict[str, str]:
    """Train each region's model on the cube as of `snapshot`; by region, the model's id."""
    return regions.each(lambda region: tasks.train_region(job, region, snapshot))


@flow(name="train", flow_run_name="train-{experiment}")
def train(experiment: str, workspace: Path | None = None) -> dict[str, str]:
    """Train the model of `experiment`, going on where a killed training stopped."""
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        regions = Regions.of(job.experiment.regions)
        done = run_train(job, regions, job.cube_snapshot())
    regions.settle(done)
    return done
