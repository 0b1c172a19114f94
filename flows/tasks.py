"""Every task: each calls one function of the pipeline or of the models, with addresses and never with arrays.

Tasks are neither cached nor retried by Prefect: what is done is known from the stores, so that a run after a kill
does only what is left, and requests are retried where they fail, by the fetcher.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows import runtime
from flows.experiments import Job
from pipeline.evaluation.standing import Standing
from pipeline.ingestion import IngestJob, IngestResult, Plan, Shard
from pipeline.ingestion import ingest_shard as write_shard
from pipeline.ingestion import plan as make_plan
from pipeline.publish.release import Released


@task(name="plan", cache_policy=NO_CACHE)
def plan_ingest(ingest: IngestJob, start: dt.date, end: dt.date) -> Plan:
    """What the mirrors have that the cube has not."""
    from pipeline.types import TimeRange

    return make_plan(ingest, TimeRange(start=start, end=end))


@task(name="ingest", task_run_name="ingest-{shard.period}", cache_policy=NO_CACHE)
def ingest_shard(ingest: IngestJob, shard: Shard) -> IngestResult:
    """Fetch, check, regrid and commit one shard of days."""
    return write_shard(ingest, shard, map_fn=runtime.map_function())


@task(name="train", task_run_name="train-{region}", cache_policy=NO_CACHE)
def train_region(job: Job, region: str, snapshot: str) -> str:
    """Train the region's model, and return its id."""
    from models.fitting import fit_model

    return fit_model(
        job.workspace.cube(job.experiment.name),
        job.recipe(region),
        job.workspace.models(job.experiment.name, region),
        snapshot=snapshot,
        progress=runtime.progress(f"train {region}"),
    )


@task(name="forecast", task_run_name="forecast-{region}", cache_policy=NO_CACHE)
def forecast_region(job: Job, region: str, snapshot: str, model_id: str) -> str:
    """Forecast with the model and its ladder, and return the archive's snapshot."""
    from models.issuing import issue_forecasts

    return issue_forecasts(
        job.workspace.cube(job.experiment.name),
        job.recipe(region),
        job.workspace.models(job.experiment.name, region) / model_id,
        job.experiment.ladder,
        job.workspace.archive(job.experiment.name),
        snapshot=snapshot,
        progress=runtime.progress(f"forecast {region}"),
    )


@task(name="evaluate", task_run_name="evaluate-{region}", cache_policy=NO_CACHE)
def evaluate_region(job: Job, region: str, snapshot: str, archive_snapshot: str, model_id: str) -> Standing:
    """Score the model and its ladder on the test windows."""
    from models.card import judged
    from pipeline.evaluation.region import score_region

    experiment, workspace = job.experiment, job.workspace
    return score_region(
        workspace.cube(experiment.name),
        workspace.archive(experiment.name),
        workspace.scores(experiment.name, region),
        experiment=experiment.name,
        region=region,
        judged=judged(workspace.models(experiment.name, region) / model_id),
        ladder=experiment.ladder,
        splits=experiment.splits,
        windows=experiment.windows,
        climatology=experiment.climatology,
        spec=experiment.evaluation,
        cube_snapshot=snapshot,
        archive_snapshot=archive_snapshot,
    )


@task(name="report", cache_policy=NO_CACHE)
def render_report(job: Job, regions: list[str]) -> Path:
    """Write the report of `regions`."""
    from pipeline.reports.gather import gather_report
    from pipeline.reports.render import render

    experiment = job.experiment
    inputs = gather_report(
        job.workspace,
        experiment.name,
        title=experiment.title,
        description=experiment.description,
        regions={name: table.title or name for name, table in experiment.regions.items() if name in regions},
    )
    return render(inputs, job.workspace.report(experiment.name))


@task(name="publish", task_run_name="publish-{region}", cache_policy=NO_CACHE)
def publish_region(job: Job, region: str) -> Released:
    """Put the region's newest forecast, its scores and the report into the catalog."""
    from pipeline.publish.release import release_region

    experiment, workspace = job.experiment, job.workspace
    facts: dict[str, Any] = {"title": experiment.title, "description": experiment.description}
    return release_region(
        workspace.cube(experiment.name),
        workspace.archive(experiment.name),
        workspace.scores(experiment.name, region),
        workspace.published,
        report=workspace.report(experiment.name),
        **facts,
    )
