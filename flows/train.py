"""The flow `train`: from the record to the models of every region or station."""

from __future__ import annotations

from collections.abc import Mapping

from prefect import flow

from flows import artifacts, tasks
from flows.composing import job_for
from flows.jobs import Job
from flows.operators import operator
from flows.parameters import ExperimentName, WorkspaceFolder, diary_entry
from flows.partial import Regions
from models.card import best_first
from models.champions import Reign, reigns
from models.promotion import crown_trained, is_kept


def run_train(job: Job, regions: Regions, snapshot: str) -> dict[str, Reign]:
    """Train the models of each region on the record as of `snapshot`; by region, who is champion then.

    A region whose champion was promoted by a retraining or by hand is left alone, until the experiment says something
    else of its models.
    """
    crowned = regions.each(lambda place: _train(job, place, snapshot))
    artifacts.outcomes(job, "models", sentences(job, crowned), f"Models of **{job.experiment.name}**")
    return crowned


def sentences(job: Job, crowned: Mapping[str, Reign]) -> dict[str, str]:
    """By region, who is champion after a training, and whether it was left alone."""
    told = {}
    for place, reign in crowned.items():
        told[place] = f"{reign.champion} is champion since {reign.since:%Y-%m-%d}"
        if is_kept(reign, job.said(place)):
            told[place] += (
                f", {reign.how} by {reign.by}: it is left alone, and nothing is trained, until the experiment says "
                "something else of its models or splits"
            )
    return told


def _train(job: Job, place: str, snapshot: str) -> Reign:
    folder = job.workspace.models(job.experiment.name, place)
    said = job.said(place)
    held = reigns(folder)
    if held and is_kept(held[-1], said):
        return held[-1]
    ranked = best_first(folder, tasks.train_place(job, place, snapshot))
    return crown_trained(folder, ranked, by=operator(), recipe_sha256=said)


@flow(name="train", flow_run_name=diary_entry)
def train(experiment: ExperimentName, workspace: WorkspaceFolder = None) -> dict[str, str]:
    """Train the models of `experiment`, going on where a killed training stopped; by region, who is champion then."""
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        regions = Regions.of(job.experiment.places)
        done = sentences(job, run_train(job, regions, job.cube_snapshot()))
    regions.settle(done)
    return done
