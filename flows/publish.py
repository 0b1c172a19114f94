"""The flows `report` and `publish`: from scores to what people read and programs open."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from flows import artifacts, tasks
from flows.collections import tasks_of
from flows.composing import job_for
from flows.jobs import Job
from flows.kinds import require_kind
from flows.parameters import ExperimentName, TimedExperimentName, WorkspaceFolder, diary_entry
from flows.partial import Regions
from pipeline.publish.release import Released


def run_report(job: Job, regions: Regions) -> Path:
    """Write the report of all regions that are well."""
    if job.experiment.collection is not None:
        report = tasks_of(job).report(job)
    else:
        report = tasks.render_report(job, regions.names, job.archive_snapshot())
    artifacts.report_link(job)
    return report


def run_publish(job: Job, regions: Regions) -> list[Released]:
    """Publish each region's newest forecast."""
    archived = job.archive_snapshot()
    released = list(regions.each(lambda region: tasks.publish_place(job, region, archived)).values())
    artifacts.forecast_links(job, released)
    return released


@flow(name="report", flow_run_name=diary_entry)
def report(experiment: ExperimentName, workspace: WorkspaceFolder = None) -> Path:
    """Write the evaluation report of `experiment`."""
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        return run_report(job, Regions.of(job.experiment.places))


@flow(name="publish", flow_run_name=diary_entry)
def publish(experiment: TimedExperimentName, workspace: WorkspaceFolder = None) -> list[Released]:
    """Publish the newest forecasts of `experiment` with their scores and the report."""
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        require_kind(job.experiment, "publish")
        regions = Regions.of(job.experiment.places)
        done = run_publish(job, regions)
    regions.settle(done)
    return done
