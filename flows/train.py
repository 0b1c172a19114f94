"""The flow `train`: from the record to the models of every region or station."""

from __future__ import annotations

from prefect import flow

from flows import tasks
from flows.jobs import Job, job_for
from flows.parameters import ExperimentName, WorkspaceFolder, diary_entry
from flows.partial import Regions
from models.card import best_first, make_current


def run_train(job: Job, regions: Regions, snapshot: str) -> dict[str, str]:
    """Train the models of each region on the record as of `snapshot`; by region, the id of the best."""
    return regions.each(lambda place: _train(job, place, snapshot))


def _train(job: Job, place: str, snapshot: str) -> str:
    folder = job.workspace.models(job.experiment.name, place)
    ranked = best_first(folder, tasks.train_place(job, place, snapshot))
    make_current(folder, ranked)
    return next(iter(ranked.values()))


@flow(name="train", flow_run_name=diary_entry)
def train(experiment: ExperimentName, workspace: WorkspaceFolder = None) -> dict[str, str]:
    """Train the models of `experiment`, going on where a killed training stopped."""
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        regions = Regions.of(job.experiment.places)
        done = run_train(job, regions, job.cube_snapshot())
    regions.settle(done)
    return done
