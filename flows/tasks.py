"""Every task: each calls one function of the pipeline or of the models, with addresses and never with arrays.

Prefect caches none of them: what is done is known from the stores, so that a run after a kill does only what is left.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from prefect import task

from flows import runtime
from flows.crew import Crew
from flows.jobs import Job
from flows.retrying import STEP
from models.comparison import Comparison
from models.pinned import Pinned
from pipeline.evaluation.rolling import Rolling
from pipeline.evaluation.standing import Standing
from pipeline.ingestion import IngestJob, IngestResult, Plan, Shard
from pipeline.ingestion import ingest_batch as write_batch
from pipeline.ingestion import ingest_shard as write_shard
from pipeline.ingestion import plan as make_plan
from pipeline.publish.release import Released
from pipeline.sources.base import Granule
from pipeline.splits import Fractions, Splits
from pipeline.types import TimeRange


@task(name="plan", **STEP)
def plan_ingest(ingest: IngestJob, start: dt.date, end: dt.date) -> Plan:
    """What the mirrors have that the cube has not."""
    from pipeline.types import TimeRange

    return make_plan(ingest, TimeRange(start=start, end=end))


@task(name="ingest", task_run_name="ingest-{shard.period}", **STEP)
def ingest_shard(ingest: IngestJob, shard: Shard) -> IngestResult:
    """Fetch, check, regrid and commit one shard of days."""
    return write_shard(ingest, shard)


@task(name="ingest", task_run_name="ingest-{shards[0].period.start}", **STEP)
def ingest_batch(
    ingest: IngestJob, shards: Sequence[Shard], crew: Crew, progress: Callable[[Shard], None]
) -> IngestResult:
    """Fetch, check, regrid and write shards at once, by the crew, and commit them together."""
    return write_batch(ingest, shards, spread=crew.spread, at_once=crew.at_once, progress=progress)


@task(name="ingest", **STEP)
def ingest_station(job: Job, period: TimeRange, recheck: int | None) -> IngestResult:
    """Fetch, check and commit the station's files, one after another."""
    from pipeline.ingestion.series import ingest_series
    from pipeline.ingestion.series_job import SeriesJob
    from pipeline.store.series_schema import Station

    experiment, workspace = job.experiment, job.workspace
    assert experiment.station is not None
    source = experiment.make_series_source()
    report = runtime.progress("ingest")
    days = len(period.days())

    def progress(granule: Granule, _: IngestResult) -> None:
        report((granule.days[-1] - period.start).days + 1, days, granule.name)

    return ingest_series(
        SeriesJob(
            source=source,
            station=Station(
                name=experiment.station.name, latitude=source.latitude, longitude=source.longitude
            ),
            store=workspace.cube(experiment.name),
            cache=workspace.cache / experiment.source_name,
            quarantine=workspace.quarantine(experiment.name),
            policy=experiment.fetch,
            recheck=recheck,
        ),
        period,
        progress=progress,
    )


@task(name="train", task_run_name="train-{place}", **STEP)
def train_place(
    job: Job, place: str, snapshot: str, splits: Splits | Fractions | None = None, *, final_only: bool = False
) -> dict[str, str]:
    """Train the models of a region or station, on the experiment's splits or on others; return their ids by name."""
    with runtime.quiet_imports():
        from models.fitting import fit_models

    names = list(job.experiment.candidates)
    return fit_models(
        job.any_reading(place, final_only=final_only),
        job.recipes(place, splits),
        job.workspace.models(job.experiment.name, place),
        snapshot=snapshot,
        progress=lambda name: runtime.progress(f"train {place if len(names) == 1 else name}"),
    )


@task(name="compare", task_run_name="compare-{place}", **STEP)
def compare_place(
    job: Job, place: str, pinned: Pinned, champion: str, challengers: dict[str, str]
) -> Comparison:
    """Compare the first of the challengers with the champion."""
    with runtime.quiet_imports():
        from models.comparing import compare

    return compare(
        job.reading(place, final_only=True),
        job.recipes(place, pinned.splits)[0],
        job.workspace.models(job.experiment.name, place),
        champion,
        challengers,
        spec=job.experiment.evaluation,
        snapshot=pinned.cube_snapshot,
        progress=runtime.progress(f"compare {place}"),
    )


@task(name="forecast", task_run_name="forecast-{place}", **STEP)
def forecast_place(job: Job, place: str, snapshot: str) -> str:
    """Forecast with the models and their ladder, and return the archive's snapshot."""
    with runtime.quiet_imports():
        from models.issuing import issue_forecasts

    return issue_forecasts(
        job.reading(place),
        job.judged_recipe(place, snapshot),
        list(job.models(place).values()),
        job.experiment.rungs,
        job.workspace.archive(job.experiment.name),
        snapshot=snapshot,
        stride=job.experiment.evaluation.stride,
        progress=runtime.progress(f"forecast {place}"),
    )


@task(name="forecast-newest", task_run_name="forecast-newest-{place}", **STEP)
def forecast_newest(job: Job, place: str, snapshot: str) -> str:
    """Forecast with the models and their ladder from the newest data alone, and return the archive's snapshot."""
    with runtime.quiet_imports():
        from models.issuing import issue_newest

    experiment = job.experiment
    return issue_newest(
        job.reading(place),
        job.judged_recipe(place, snapshot),
        list(job.models(place).values()),
        experiment.rungs,
        job.workspace.archive(experiment.name),
        snapshot=snapshot,
        today=job.today,
        oldest_days=experiment.operations.oldest_input_days,
        progress=runtime.progress(f"forecast {place}"),
    )


@task(name="verify", task_run_name="verify-{place}", **STEP)
def verify_place(job: Job, place: str, snapshot: str, archive_snapshot: str) -> Rolling:
    """Verify the forecasts of the newest weeks as far as their valid times have truth."""
    from pipeline.evaluation.scorecard import score_recent

    experiment, workspace = job.experiment, job.workspace
    scores = workspace.scores(experiment.name, place)
    standing = Standing.read(scores)
    return score_recent(
        job.reading(place),
        workspace.archive(experiment.name),
        scores,
        model=standing.judged.name,
        ladder=experiment.rungs,
        days=experiment.operations.scorecard_days,
        train=standing.splits.train,
        windows=experiment.of_time[1],
        climatology=experiment.climatology,
        spec=experiment.evaluation,
        cube_snapshot=snapshot,
        archive_snapshot=archive_snapshot,
    )


@task(name="evaluate", task_run_name="evaluate-{place}", **STEP)
def evaluate_place(job: Job, place: str, snapshot: str, archive_snapshot: str) -> Standing:
    """Score the models and their ladder on the test windows."""
    from models.card import judged
    from pipeline.evaluation.region import score_region

    experiment, workspace = job.experiment, job.workspace
    best, *others = (judged(folder) for folder in job.models(place).values())
    return score_region(
        job.reading(place),
        workspace.archive(experiment.name),
        workspace.scores(experiment.name, place),
        experiment=experiment.name,
        judged=best,
        others=tuple(others),
        ladder=experiment.rungs,
        splits=job.judged_splits(place, snapshot),
        windows=experiment.of_time[1],
        climatology=experiment.climatology,
        spec=experiment.evaluation,
        cube_snapshot=snapshot,
        archive_snapshot=archive_snapshot,
    )


@task(name="report", **STEP)
def render_report(job: Job, regions: list[str], archive_snapshot: str) -> Path:
    """Write the report of `regions`, with the newest forecasts of the snapshot."""
    from pipeline.reports.gather import gather_report, inputs_digest
    from pipeline.reports.render import is_current, render

    experiment, path = job.experiment, job.workspace.report(job.experiment.name)
    places = {name: title for name, title in experiment.places.items() if name in regions}
    told: dict[str, Any] = {
        "title": experiment.title,
        "description": experiment.description,
        "archive_snapshot": archive_snapshot,
    }
    digest = inputs_digest(job.workspace, experiment.name, places=places, **told)
    if is_current(path, digest):
        return path
    inputs = gather_report(
        job.workspace,
        experiment.name,
        places={name: (title, job.reading(name)) for name, title in places.items()},
        digest=digest,
        **told,
    )
    return render(inputs, path)


@task(name="publish", task_run_name="publish-{place}", **STEP)
def publish_place(job: Job, place: str, archive_snapshot: str) -> Released:
    """Put the newest forecast of the snapshot, its scores and the report into the catalog."""
    from pipeline.publish.release import release_region

    experiment, workspace = job.experiment, job.workspace
    facts: dict[str, Any] = {
        "title": experiment.title,
        "description": experiment.description,
        "source": experiment.source_name,
    }
    return release_region(
        workspace.cube(experiment.name),
        workspace.archive(experiment.name),
        workspace.scores(experiment.name, place),
        workspace.published,
        report=workspace.report(experiment.name),
        archive_snapshot=archive_snapshot,
        **facts,
    )
