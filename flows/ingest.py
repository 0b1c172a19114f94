"""The flow `ingest`: from the mirrors to the cube or series."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.states import Failed

from flows import artifacts, runtime, tasks
from flows.collections import tasks_of
from flows.composing import job_for
from flows.crew import crew_for
from flows.jobs import Job
from flows.kinds import require_auditable
from flows.parameters import ExperimentName, LocalFiles, MirrorAddress, WorkspaceFolder, diary_entry
from flows.partial import PartialError
from pipeline.ingestion import IngestJob, IngestResult, Shard, batches
from pipeline.ingestion.collection import CollectionIngested
from pipeline.naming import counted
from pipeline.publish.product import write_text
from pipeline.types import TimeRange


class GapsError(PartialError):
    """Some days could not be had; all else is done, and `fields["done"]` is what came of it."""


def run_ingest(job: Job, *, audit: bool = False) -> IngestResult | CollectionIngested:
    """Bring the cube or series up to date, and keep for the report what was found, if anything was.

    Of final files the newest are asked whether they were reissued, and all of them in an `audit`.

    Raises
    ------
    ConfigError
        An audit is asked for of labelled records or movies.
    """
    experiment = job.experiment
    if audit:
        require_auditable(experiment)
    if experiment.collection is not None:
        return _ingest_collection(job)
    period = experiment.of_time[0].until(job.today)
    recheck = None if audit else experiment.operations.recheck_days
    work = _ingest_fields if experiment.station is None else tasks.ingest_station
    result = work(job, period, recheck)
    log = job.workspace.ingest_log(experiment.name)
    if result != IngestResult() or not log.exists():
        write_text(log, result.model_dump_json(indent=1))
    artifacts.data_status(job)
    return result


def _ingest_collection(job: Job) -> CollectionIngested:
    """All at once: there are no days of which some could be had."""
    done = tasks_of(job).ingest(job)
    artifacts.collection_status(job)
    return done


def _ingest_fields(job: Job, period: TimeRange, recheck: int | None) -> IngestResult:
    """Shard by shard, or many at once in batches of a year or more."""
    experiment, workspace = job.experiment, job.workspace
    ingest_job = IngestJob(
        source=experiment.make_source(),
        regions={name: experiment.region(name) for name in experiment.regions},
        cube=workspace.cube(experiment.name),
        cache=workspace.cache / experiment.source_name,
        quarantine=workspace.quarantine(experiment.name),
        limits=experiment.quality,
        policy=experiment.fetch,
        recheck=recheck,
    )
    report = runtime.progress("ingest")
    plan = tasks.plan_ingest(ingest_job, period.start, period.end)
    total = IngestResult(gaps=plan.gaps, problems=plan.problems)
    days = sum(len(shard.wanted) for shard in plan.shards)
    report(0, days, "days")
    asked = 0

    def tell(shard: Shard) -> None:
        nonlocal asked
        asked += len(shard.wanted)
        report(asked, days, f"days, to {shard.wanted[-1]}")

    with crew_for(job.settings, plan) as crew:
        if crew is None:
            for shard in plan.shards:
                total += tasks.ingest_shard(ingest_job, shard)
                tell(shard)
        else:
            for shards in batches(plan.shards, crew.at_once):
                total += tasks.ingest_batch(ingest_job, shards, crew, tell)
    return total


def gaps_told(result: IngestResult | CollectionIngested) -> str:
    """Which days a run could not get; empty where there is none."""
    if not result.gaps:
        return ""
    shown = ", ".join(str(day) for day in result.gaps[:5]) + (" …" if len(result.gaps) > 5 else "")
    return f"{counted(len(result.gaps), 'day')} could not be had: {shown}"


def ended(done: Any, ingested: IngestResult | CollectionIngested, experiment: str) -> Any:
    """What a flow returns: what was `done`, or the state FailedWithGaps, whose error carries it."""
    told = gaps_told(ingested)
    if not told:
        return done
    error = GapsError(
        f"{told}; all else is done",
        remedy=f"`isotherm status {experiment}` lists the gaps and what was refused; run again to fill them",
        done=done,
    )
    return Failed(name="FailedWithGaps", message=str(error), data=error)


@flow(name="ingest", flow_run_name=diary_entry)
def ingest(
    experiment: ExperimentName,
    workspace: WorkspaceFolder = None,
    from_files: LocalFiles = (),
    mirror: MirrorAddress = None,
    audit: bool = False,  # noqa: FBT001, FBT002  a parameter of deployments
) -> Any:
    """Download, check, regrid and store what the cube or series of `experiment` lacks.

    Parameters
    ----------
    audit
        Whether every file that is held is asked whether it was reissued, and not the newest alone.

    Raises
    ------
    GapsError
        Some days could not be had; the rest is stored. The run's state is FailedWithGaps.
    """
    with job_for(experiment, workspace=workspace, from_files=from_files, mirror=mirror) as job:
        result = run_ingest(job, audit=audit)
    return ended(result, result, job.experiment.name)
