"""The flow `train`: from the record to the models of every region or station."""

from __future__ import annotations

from prefect import flow

from flows import artifacts, tasks
from flows.jobs import Job, job_for
from flows.operators import operator
from flows.parameters import ExperimentName, WorkspaceFolder, diary_entry
from flows.partial import Regions
from models.card import best_first
from models.champions import reigns
from models.promotion import crown_trained, is_kept


def run_train(job: Job, regions: Regions, snapshot: str) -> dict[str, str]:
    """Train the models of each region on the record as of `snapshot`; by region, the id of the champion.

    A region whose champion was promoted by a retraining or by hand is left alone, until the experiment says something
    else of its models.
    """
    models = regions.each(lambda place: _train(job, place, snapshot))
    artifacts.outcomes(job, "models", models, f"Models of **{job.experiment.name}**")
    return models


def _train(job: Job, place: str, snapshot: str) -> str:
    folder = job.workspace.models(job.experiment.name, place)
    said = job.said(place)
    held = reigns(folder)
    if held and is_kept(held[-1], said):
        return held[-1].champion
    ranked = best_first(folder, tasks.train_place(job, place, snapshot))
    return crown_trained(folder, ranked, by=operator(), recipe_sha256=said).champion


@flow(name="train", flow_run_name=diary_entry)
def train(experiment: ExperimentName, workspace: WorkspaceFolder = None) -> dict[str, str]:
    """Train the models of `experiment`, going on where a killed training stopped."""
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        regions = Regions.of(job.experiment.places)
        done = run_train(job, regions, job.cube_snapshot())
    regions.settle(done)
    return done
