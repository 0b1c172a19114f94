"""The tasks of experiments on movies, beside those that all kinds share (`flows/tasks.py`)."""

from __future__ import annotations

from pathlib import Path

from prefect import task

from flows import runtime
from flows.collection_tasks import ingestion_of, rendered
from flows.jobs import Job
from flows.retrying import STEP
from pipeline.evaluation.movies import MoviesStanding
from pipeline.ingestion.movies import MoviesIngested
from pipeline.store.readings import MoviesReading


@task(name="ingest", **STEP)
def ingest_movies(job: Job) -> MoviesIngested:
    """Fetch or make, check and commit movies."""
    from pipeline.ingestion.movies import ingest_movies as write_movies

    return write_movies(ingestion_of(job, job.experiment.make_movie_source()))


@task(name="evaluate", task_run_name="evaluate-{place}", **STEP)
def evaluate_movies(job: Job, place: str, snapshot: str) -> MoviesStanding:
    """Score the models and their ladder on the test movies."""
    from models.card import judged
    from pipeline.evaluation.movies import score_movies

    with runtime.quiet_imports():
        from models.movie_forecasts import MovieForecaster

    experiment, workspace = job.experiment, job.workspace
    assert experiment.movies is not None
    record = MoviesReading(path=workspace.cube(experiment.name), region=place).read(snapshot)
    folders = list(job.own_models(place, record).values())
    best, *others = (judged(folder) for folder in folders)
    models = [MovieForecaster.load(folder) for folder in folders]
    stepwise = experiment.movies.windows.judged == "each-step"
    return score_movies(
        record,
        {each.name: each.at_each_step if stepwise else each.predict for each in models},
        workspace.scores(experiment.name, place),
        experiment=experiment.name,
        region=place,
        judged=best,
        others=tuple(others),
        ladder=experiment.rungs,
        splits=experiment.splits,
        windows=experiment.movies.windows,
        spec=experiment.evaluation,
        cube_snapshot=snapshot,
    )


@task(name="report", **STEP)
def render_movies_report(job: Job) -> Path:
    """Write the report of movies."""
    from pipeline.reports.gather_movies import gather_movies_report, movies_digest

    assert job.experiment.movies is not None
    return rendered(job, movies_digest, gather_movies_report, published=job.experiment.movies.published)
