"""The flow `evaluate`: from the archive to scores and verdicts."""

from __future__ import annotations

from prefect import flow

from flows import artifacts, tasks
from flows.collections import tasks_of
from flows.composing import job_for
from flows.jobs import Job
from flows.parameters import ExperimentName, WorkspaceFolder, diary_entry
from flows.partial import Regions
from pipeline.evaluation.collection import CollectionStanding
from pipeline.evaluation.standing import Standing


def run_evaluate(
    job: Job, regions: Regions, snapshot: str
) -> dict[str, Standing] | dict[str, CollectionStanding]:
    """Score each region's forecasts in the archive, or the test records or movies; by region, who stands where."""
    if job.experiment.collection is not None:
        judged = regions.each(lambda place: tasks_of(job).evaluate(job, place, snapshot))
        artifacts.collection_score_table(job, judged)
        return judged
    archived = job.archive_snapshot()
    standings = regions.each(lambda place: tasks.evaluate_place(job, place, snapshot, archived))
    artifacts.score_table(job, standings)
    return standings


@flow(name="evaluate", flow_run_name=diary_entry)
def evaluate(experiment: ExperimentName, workspace: WorkspaceFolder = None) -> dict[str, str]:
    """Judge the model of `experiment` against its ladder; by region, the verdict."""
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        regions = Regions.of(job.experiment.places)
        standings = run_evaluate(job, regions, job.cube_snapshot())
    done = {region: standing.verdict.sentence for region, standing in standings.items()}
    regions.settle(done)
    return done
