"""The tasks of experiments on labelled records, beside those that all kinds share (`flows/tasks.py`)."""

from __future__ import annotations

from pathlib import Path

from prefect import task

from flows import runtime
from flows.collection_tasks import ingestion_of, rendered
from flows.jobs import Job
from flows.retrying import STEP
from pipeline.evaluation.records import RecordsStanding
from pipeline.ingestion.records import RecordsIngested
from pipeline.splits import Fractions
from pipeline.store.readings import RecordsReading


@task(name="ingest", **STEP)
def ingest_records(job: Job) -> RecordsIngested:
    """Fetch, check and commit labelled records."""
    from pipeline.ingestion.records import ingest_records as write_records

    return write_records(ingestion_of(job, job.experiment.make_record_source()))


@task(name="evaluate", task_run_name="evaluate-{place}", **STEP)
def evaluate_records(job: Job, place: str, snapshot: str) -> RecordsStanding:
    """Score the models and their ladder on the test records."""
    from models.card import judged
    from pipeline.evaluation.records import score_records
    from pipeline.records.partition import RecordPartition

    with runtime.quiet_imports():
        from models.classifying import classify

    experiment, workspace = job.experiment, job.workspace
    assert experiment.records is not None
    assert isinstance(experiment.splits, Fractions)
    record = RecordsReading(path=workspace.cube(experiment.name), region=place).read(snapshot)
    folders = list(job.own_models(place, record).values())
    best, *others = (judged(folder) for folder in folders)
    parted = RecordPartition(record, experiment.splits, experiment.records.spec)
    predicted, learned = classify(folders, record, parted.windows("test"), parted.windows("train"))
    return score_records(
        record,
        predicted,
        learned,
        workspace.scores(experiment.name, place),
        experiment=experiment.name,
        region=place,
        judged=best,
        others=tuple(others),
        ladder=experiment.rungs,
        splits=experiment.splits,
        steps=experiment.records.spec,
        spec=experiment.evaluation,
        cube_snapshot=snapshot,
        published={str(measure): figures for measure, figures in experiment.records.published.items()},
    )


@task(name="report", **STEP)
def render_records_report(job: Job) -> Path:
    """Write the report of labelled records."""
    from pipeline.reports.gather_records import gather_records_report, records_digest

    return rendered(job, records_digest, gather_records_report)
