"""What a flow run leaves to be seen in Prefect's page: the state of the data, scores, and links.

Each function is called within a flow or task with the run's job, and reads what the stores say at that moment. A
key belongs to an experiment, so that the page shows how it went from run to run. Outside of a run they do nothing.
What cannot be left is logged: no run fails for what is only shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

from prefect.artifacts import (
    create_link_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger

from flows.jobs import Job
from pipeline.errors import NotFoundError
from pipeline.evaluation.collection import CollectionStanding
from pipeline.evaluation.standing import Standing
from pipeline.naming import counted, symbol
from pipeline.publish.release import Released
from pipeline.quarantine import list_quarantine
from pipeline.store.collections import collection_summary
from pipeline.store.state import status_summary

COLUMN = "what"
"""Heads the first column of tables: what is below a head of no letters is not shown in the page."""

Leave = Callable[..., None]


def _never_failing(leave: Leave) -> Leave:
    """Log what cannot be left; outside of a flow run leave nothing."""

    @wraps(leave)
    def left(*given: Any, **named: Any) -> None:
        if FlowRunContext.get() is None:
            return
        try:
            leave(*given, **named)
        except Exception as error:  # noqa: BLE001  the run matters more than its picture
            get_run_logger().warning("nothing left by %s: %s", leave.__name__, error)

    return left


def artifact_key(kind: str, experiment: str) -> str:
    """`scores-sst-seas`: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9-]+", "-", f"{kind}-{experiment}".lower()).strip("-")


def progress_bar(label: str) -> Callable[[float], None]:
    """A function that shows, in percent, how far the work called `label` is: one bar a task or flow run."""
    made: list[Any] = []

    @_never_failing
    def show(percent: float) -> None:
        if made:
            update_progress_artifact(made[0], progress=percent)
        else:
            made.append(create_progress_artifact(progress=percent, description=label))

    return show


@_never_failing
def data_status(job: Job) -> None:
    """`data-EXPERIMENT`, a table: newest days, gaps, preliminary days, refused files, newest commit."""
    name = job.experiment.name
    summary = status_summary(job.workspace.cube(name))
    refused = list_quarantine(job.workspace.quarantine(name))
    gaps = ", ".join(g.start if g.days == 1 else f"{g.start} … {g.end}" for g in summary.gaps[-10:])
    facts = {
        "days": f"{summary.first_day} … {summary.last_day}" if summary.first_day else "none yet",
        "newest final day": summary.last_final or "none yet",
        "final": counted(summary.final, "day"),
        "preliminary": counted(summary.preliminary, "day"),
        "missing": counted(summary.missing, "day") + (f": {gaps}" if gaps else ""),
        "in quarantine": counted(len(refused), "file"),
        "newest commit": f"{summary.message} ({summary.written_at})",
        "snapshot": summary.snapshot,
    }
    _leave_facts(name, facts, f"{facts['days']}, {facts['missing']} missing")


@_never_failing
def collection_status(job: Job) -> None:
    """`data-EXPERIMENT`, a table: records or movies, what was left out, newest commit."""
    name = job.experiment.name
    summary = collection_summary(job.workspace.cube(name))
    assert summary is not None
    facts = {
        **summary.facts,
        "left out": str(summary.excluded),
        "newest commit": f"{summary.message} ({summary.written_at})",
        "snapshot": summary.snapshot,
    }
    _leave_facts(name, facts, f"{next(iter(facts.values()))}, {facts['left out']} left out")


def _leave_facts(name: str, facts: Mapping[str, str], briefly: str) -> None:
    create_table_artifact(
        [{COLUMN: what, name: told} for what, told in facts.items()],
        key=artifact_key("data", name),
        description=f"Data of **{name}**: {briefly}",
    )


@_never_failing
def collection_score_table(job: Job, standings: Mapping[str, CollectionStanding]) -> None:
    """`scores-EXPERIMENT`, a table with a row for the records or movies: the newest verdict."""
    verdicts = [standing.verdict for standing in standings.values()]
    create_table_artifact(
        [
            {"place": each.region, "model": each.model, **each.row, "verdict": each.sentence}
            for each in verdicts
        ],
        key=artifact_key("scores", job.experiment.name),
        description=f"Scores of **{job.experiment.name}** on its test {job.experiment.kind}",
    )


@_never_failing
def score_table(job: Job, places: Iterable[str] | None = None) -> None:
    """`scores-EXPERIMENT`, a table with a row a region or station (`places`, or all): the newest verdict of each."""
    rows = []
    for place in places if places is not None else job.experiment.places:
        with suppress(NotFoundError):
            rows.append(_row(place, Standing.read(job.workspace.scores(job.experiment.name, place))))
    if rows:
        create_table_artifact(
            rows,
            key=artifact_key("scores", job.experiment.name),
            description=f"Scores of **{job.experiment.name}** on its test windows, all leads together",
        )


def _row(place: str, standing: Standing) -> dict[str, Any]:
    verdict = standing.verdict
    between = (
        "" if verdict.skill_interval is None else " ({:+.1%} to {:+.1%})".format(*verdict.skill_interval)
    )
    return {
        "place": place,
        "published": standing.forecaster,
        "model": verdict.model,
        f"RMSE [{symbol(verdict.units)}]": round(verdict.rmse_pooled, 4),
        "best baseline": verdict.best_rung,
        "its RMSE": round(verdict.best_rmse_pooled, 4),
        "skill": "–" if verdict.skill_pooled is None else f"{verdict.skill_pooled:+.1%}{between}",
        "verdict": verdict.sentence,
    }


@_never_failing
def report_link(job: Job) -> None:
    """`report-EXPERIMENT`, a link to the report."""
    name = job.experiment.name
    create_link_artifact(
        address(job, job.workspace.report(name)),
        link_text=f"Report of {name}",
        key=artifact_key("report", name),
        description=f"How good the forecasts of **{name}** are, and against which baselines",
    )


@_never_failing
def forecast_links(job: Job, released: Iterable[Released]) -> None:
    """`forecasts-EXPERIMENT`, a table with a row a published forecast."""
    rows = [
        {
            "place": each.region,
            "from": each.init_time,
            "by": each.forecaster,
            "forecast": address(job, each.forecast),
            "entry": address(job, each.item),
        }
        for each in released
    ]
    if rows:
        create_table_artifact(
            rows,
            key=artifact_key("forecasts", job.experiment.name),
            description=f"Published forecasts of **{job.experiment.name}**",
        )


@_never_failing
def outcomes(job: Job, kind: str, done: Mapping[str, str], description: str) -> None:
    """`KIND-EXPERIMENT`, a table of two columns: a line a region, or whatever `done` goes by."""
    if done:
        create_table_artifact(
            [{COLUMN: name, "outcome": told} for name, told in done.items()],
            key=artifact_key(kind, job.experiment.name),
            description=description,
        )


def address(job: Job, path: Path | str) -> str:
    """Where people reach a file of the workspace: below `ISOTHERM_PUBLIC_URL` if that is set, else where it lies."""
    root, told = str(job.workspace.root), str(path)
    if job.settings.public_url and told.startswith(f"{root}/"):
        return f"{job.settings.public_url.rstrip('/')}/{told.removeprefix(f'{root}/')}"
    return told if "://" in told else Path(told).absolute().as_uri()
