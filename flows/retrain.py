"""The flow `retrain`: a challenger is trained on a pinned snapshot, and becomes champion if it clearly beats it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from prefect import flow

from flows import artifacts, tasks
from flows.composing import job_for
from flows.jobs import Job
from flows.kinds import require_kind
from flows.operators import operator
from flows.parameters import TimedExperimentName, WorkspaceFolder, diary_entry
from flows.partial import Regions
from models.card import best_first
from models.champions import Reign, crown, reigns
from models.pinned import Pinned, find_pinned, pin, unpin
from pipeline.errors import ConfigError, NotFittedError, NotFoundError, WindowError

if TYPE_CHECKING:
    from pathlib import Path


def run_retrain(job: Job, regions: Regions) -> dict[str, str]:
    """Train a challenger in each region and compare it with the champion; by region, what came of it.

    A retraining that was killed goes on from the snapshot that it was pinned to, as long as the experiment says the
    same of its models.
    """
    told = regions.each(lambda place: _retrain(job, place))
    artifacts.outcomes(
        job, "retraining", told, f"What became of the challengers of **{job.experiment.name}**"
    )
    return told


def _retrain(job: Job, place: str) -> str:
    folder = job.workspace.models(job.experiment.name, place)
    pinned = _pinned(job, place, folder)
    try:
        told = _challenged(job, place, folder, pinned)
    except (ConfigError, NotFittedError, NotFoundError, WindowError):
        # The same data would be refused again; newer ones may not be.
        unpin(folder, pinned)
        raise
    unpin(folder, pinned)
    return told


def _pinned(job: Job, place: str, folder: Path) -> Pinned:
    recipe_sha256 = job.said(place)
    now = dt.datetime.now(dt.UTC)
    held = find_pinned(folder)
    if held is not None and held.holds(recipe_sha256, now):
        return held
    snapshot = job.cube_snapshot()
    splits = job.recent_splits(place, snapshot)
    return pin(
        folder,
        Pinned(cube_snapshot=snapshot, splits=splits, recipe_sha256=recipe_sha256, begun_at=now),
    )


def _challenged(job: Job, place: str, folder: Path, pinned: Pinned) -> str:
    trained = tasks.train_place(job, place, pinned.cube_snapshot, pinned.splits, final_only=True)
    challengers = best_first(folder, trained)
    challenger = next(iter(challengers.values()))
    held = reigns(folder)
    if not held:
        because = f"{challenger} is the first: there was no champion to compare it with"
        _promote(folder, challengers, because, pinned, over=None)
        return f"{because}."
    over = held[-1]
    if challenger == over.champion:
        return f"{challenger} is champion already, trained on the same days."
    if challenger in {reign.champion for reign in held}:
        # Else what a person rolled back would be back the next day.
        return f"{challenger} was champion before, and {over.champion} was put in its place: it stays."
    comparison = tasks.compare_place(job, place, pinned, over.champion, challengers)
    if comparison.promoted:
        _promote(folder, comparison.models, comparison.sentence, pinned, over=over, comparison=comparison.id)
    return comparison.sentence


def _promote(
    folder: Path,
    models: dict[str, str],
    because: str,
    pinned: Pinned,
    *,
    over: Reign | None,
    comparison: str = "",
) -> None:
    told = {"by": operator(), "because": because, "recipe_sha256": pinned.recipe_sha256}
    reign = Reign.of(folder, models, how="promoted", comparison=comparison, **told)
    crown(folder, reign, over=over)


@flow(name="retrain", flow_run_name=diary_entry)
def retrain(experiment: TimedExperimentName, workspace: WorkspaceFolder = None) -> dict[str, str]:
    """Train a challenger for `experiment` on all days to the newest final one, and promote it if it is better.

    It is promoted if the interval of the difference to the champion's RMSE, on recent windows that neither has seen,
    lies wholly below zero. A retraining that was killed goes on where it stopped, on any worker of the workspace.

    Raises
    ------
    RegionsError
        Some regions failed; the others are done.
    """
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        require_kind(job.experiment, "retrain")
        regions = Regions.of(job.experiment.places)
        done = run_retrain(job, regions)
    regions.settle(done)
    return done
