"""The flow `daily`: what a scheduled day brings, from new files to verified forecasts and what is published."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.states import Failed
from pydantic import BaseModel, ConfigDict

from flows import artifacts, tasks
from flows.alerts import Alert
from flows.composing import job_for
from flows.ingest import run_ingest
from flows.jobs import Job
from flows.kinds import require_kind
from flows.parameters import LocalFiles, MirrorAddress, TimedExperimentName, WorkspaceFolder, diary_entry
from flows.partial import PartialError, Regions
from flows.publish import run_publish, run_report
from flows.status import experiment_status
from pipeline.errors import FetchError, NotFoundError, StaleInputError
from pipeline.evaluation.rolling import Rolling
from pipeline.evaluation.standing import Standing
from pipeline.ingestion import IngestResult
from pipeline.location import Location
from pipeline.publish.release import Released
from pipeline.store.changes import changed_days


class Daily(BaseModel):
    """What a day brought, and where its results are.

    Parameters
    ----------
    rescored
        Regions whose models were scored anew, and why.
    scorecards
        By region.
    """

    model_config = ConfigDict(frozen=True)

    ingested: IngestResult
    rescored: dict[str, str]
    scorecards: dict[str, Rolling]
    released: list[Released]
    report: Location
    catalog: Location
    alerts: tuple[Alert, ...]


class AlertsError(PartialError):
    """All that could be done is done, and something is to be looked at; `fields["done"]` is what came of it."""


def run_daily(job: Job) -> Daily:
    """Ingest, forecast from the newest data, verify, publish, and see what is to be told."""
    ingested, unreachable = _ingest(job)
    # One snapshot for all steps: another ingestion may write to the cube meanwhile.
    snapshot = job.cube_snapshot()
    regions = Regions.of(job.experiment.places)
    reasons = regions.each(lambda place: _out_of_date(job, place, snapshot))
    rescored = {place: why for place, why in reasons.items() if why}
    regions.each(lambda place: _rescore(job, place, snapshot) if place in rescored else None)
    regions.each(lambda place: _forecast(job, place, snapshot))
    archived = job.archive_snapshot()
    scorecards = regions.each(lambda place: tasks.verify_place(job, place, snapshot, archived))
    report = run_report(job, regions)
    released = run_publish(job, regions)
    status = experiment_status(job.workspace, job.experiment.name, job.experiment, job.today)
    failed = tuple(
        Alert(kind="failed", about=place, severity="act", message=error.message, remedy=error.remedy)
        for place, error in regions.failed.items()
    )
    return Daily(
        ingested=ingested,
        rescored=rescored,
        scorecards=scorecards,
        released=released,
        report=report,
        catalog=job.workspace.published / "catalog.json",
        alerts=(*unreachable, *failed, *status.alerts),
    )


def _ingest(job: Job) -> tuple[IngestResult, list[Alert]]:
    """What is new; where no mirror answers, an alert, and the other steps go on with what the store has."""
    try:
        ingested = run_ingest(job)
    except FetchError as error:
        told = Alert(
            kind="unreachable",
            about=job.experiment.name,
            severity="act",
            message=error.message,
            remedy=error.remedy,
        )
        return IngestResult(), [told]
    assert isinstance(ingested, IngestResult)
    return ingested, []


def _rescore(job: Job, place: str, snapshot: str) -> None:
    archived = tasks.forecast_place(job, place, snapshot)
    tasks.evaluate_place(job, place, snapshot, archived)


def _forecast(job: Job, place: str, snapshot: str) -> None:
    """From the newest data; where these are too old, the forecasts before are verified all the same."""
    try:
        tasks.forecast_newest(job, place, snapshot)
    except StaleInputError as error:
        get_run_logger().warning("%s: %s", place, error.message)


def _out_of_date(job: Job, place: str, snapshot: str) -> str:
    """Why the scores of a place are not those of its champion on today's truth; empty where they are."""
    model_id = next(iter(job.models(place).values())).name
    try:
        standing = Standing.read(job.workspace.scores(job.experiment.name, place))
    except NotFoundError:
        return "it was not scored yet"
    if standing.judged.id != model_id:
        return f"{model_id} has taken the place of {standing.judged.id}"
    changed = changed_days(
        job.workspace.cube(job.experiment.name),
        place,
        standing.cube_snapshot,
        within=standing.splits.test,
        snapshot=snapshot,
    )
    if changed is None:
        return "what it was scored on is not kept any more"
    return f"{len(changed)} of its test days have changed, the first of them {changed[0]}" if changed else ""


def _ended(done: Daily) -> Any:
    """What was done, or the state FailedWithAlerts, whose error carries it."""
    pressing = [alert for alert in done.alerts if alert.severity == "act"]
    if not pressing:
        return done
    told = "; ".join(f"{alert.about}: {alert.message}" for alert in pressing[:5])
    error = AlertsError(
        f"{told}{' …' if len(pressing) > 5 else ''}",
        remedy=pressing[0].remedy,
        done=done,
        alerts=len(pressing),
    )
    return Failed(name="FailedWithAlerts", message=str(error), data=error)


@flow(name="daily", flow_run_name=diary_entry)
def daily(
    experiment: TimedExperimentName,
    workspace: WorkspaceFolder = None,
    from_files: LocalFiles = (),
    mirror: MirrorAddress = None,
) -> Any:
    """Take in new and changed files of `experiment`, forecast from the newest data, verify, score and publish.

    No model is trained; the champion forecasts. Done a second time the same day, nothing is done.

    Raises
    ------
    AlertsError
        Something is to be looked at; all that could be done is done. The run's state is FailedWithAlerts.
    """
    with job_for(experiment, workspace=workspace, from_files=from_files, mirror=mirror) as job:
        require_kind(job.experiment, "daily")
        done = run_daily(job)
        artifacts.score_table(job)
    for alert in done.alerts:
        get_run_logger().warning("%s: %s → %s", alert.about, alert.message, alert.remedy)
        emit_event(
            event=f"isotherm.alert.{alert.kind}",
            resource={"prefect.resource.id": f"isotherm.experiment.{job.experiment.name}"},
            payload=alert.model_dump(),
        )
    return _ended(done)
