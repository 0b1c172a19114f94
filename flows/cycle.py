"""The flow `cycle`: the whole way from the mirrors to what is published, as one flow run."""

from __future__ import annotations

from typing import Any

from prefect import flow
from pydantic import BaseModel, ConfigDict, SerializeAsAny

from flows.composing import job_for
from flows.evaluate import run_evaluate
from flows.forecast import run_forecast
from flows.ingest import ended, gaps_told, run_ingest
from flows.jobs import Job
from flows.parameters import ExperimentName, LocalFiles, MirrorAddress, WorkspaceFolder, diary_entry
from flows.partial import Regions
from flows.publish import run_publish, run_report
from flows.train import run_train
from pipeline.errors import IsothermError
from pipeline.ingestion import IngestResult
from pipeline.ingestion.collection import CollectionIngested
from pipeline.location import Location
from pipeline.publish.release import Released


class Cycle(BaseModel):
    """What a cycle did and where its results are."""

    model_config = ConfigDict(frozen=True)

    ingested: SerializeAsAny[IngestResult | CollectionIngested]
    models: dict[str, str]
    verdicts: dict[str, str]
    report: Location
    released: list[Released]
    catalog: Location | None


def run_cycle(job: Job) -> Cycle:
    """Every step in turn."""
    ingested = run_ingest(job)
    try:
        return _after_ingest(job, ingested)
    except IsothermError as error:
        if ingested.gaps:
            error.add_note(gaps_told(ingested))
        raise


def _after_ingest(job: Job, ingested: IngestResult | CollectionIngested) -> Cycle:
    # One snapshot for all steps: a scheduled ingestion may write to the cube meanwhile.
    snapshot = job.cube_snapshot()
    regions = Regions.of(job.experiment.places)
    models = run_train(job, regions, snapshot)
    timed = job.experiment.collection is None
    if timed:
        run_forecast(job, regions, snapshot)
    standings = run_evaluate(job, regions, snapshot)
    report = run_report(job, regions)
    done = Cycle(
        ingested=ingested,
        models={region: reign.champion for region, reign in models.items()},
        verdicts={region: standing.verdict.sentence for region, standing in standings.items()},
        report=report,
        released=run_publish(job, regions) if timed else [],
        catalog=job.workspace.published / "catalog.json" if timed else None,
    )
    regions.settle(done)
    return done


@flow(name="cycle", flow_run_name=diary_entry)
def cycle(
    experiment: ExperimentName,
    workspace: WorkspaceFolder = None,
    from_files: LocalFiles = (),
    mirror: MirrorAddress = None,
) -> Any:
    """Ingest, train, forecast, evaluate, report and publish `experiment`; records and movies are not published.

    A model is trained anew only where its recipe or the days that it learns from have changed.

    Raises
    ------
    GapsError
        Some days could not be had; all else is done. The run's state is FailedWithGaps.
    RegionsError
        Some regions failed; the others are done.
    """
    with job_for(experiment, workspace=workspace, from_files=from_files, mirror=mirror) as job:
        done = run_cycle(job)
    return ended(done, done.ingested, job.experiment.name)
