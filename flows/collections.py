"""The tasks of experiments on what has no calendar, by kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flows import movie_tasks, record_tasks
from flows.jobs import Job
from pipeline.evaluation.collection import CollectionStanding
from pipeline.ingestion.collection import CollectionIngested


@dataclass(frozen=True, slots=True)
class CollectionTasks:
    """What is done otherwise than with fields and series."""

    ingest: Callable[[Job], CollectionIngested]
    evaluate: Callable[[Job, str, str], CollectionStanding]
    report: Callable[[Job], Path]


TASKS: dict[str, CollectionTasks] = {
    "records": CollectionTasks(
        record_tasks.ingest_records, record_tasks.evaluate_records, record_tasks.render_records_report
    ),
    "texts": CollectionTasks(
        record_tasks.ingest_records, record_tasks.evaluate_records, record_tasks.render_records_report
    ),
    "movies": CollectionTasks(
        movie_tasks.ingest_movies, movie_tasks.evaluate_movies, movie_tasks.render_movies_report
    ),
}


def tasks_of(job: Job) -> CollectionTasks:
    """Those of the experiment's kind."""
    return TASKS[job.experiment.kind]
