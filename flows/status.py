"""The state of a workspace: its data, models and forecasts, and what is to be done about them; without Prefect."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

from pydantic import Field

from flows.alerts import Alert, alerts_of
from flows.experiments import Experiment
from flows.loading import load_experiment
from flows.operations import Operations
from flows.settings import Settings
from models.card import ModelCard, read_card
from models.champions import champion_models
from pipeline.errors import ConfigError, NotFoundError
from pipeline.evaluation.collection import CollectionStanding
from pipeline.evaluation.rolling import Rolling
from pipeline.evaluation.standing import Standing
from pipeline.forecasts import archive
from pipeline.naming import unknown
from pipeline.quarantine import Quarantined, list_quarantine
from pipeline.store import repository
from pipeline.store.changes import changed_days
from pipeline.store.collections import AnySummary, collection_summary
from pipeline.store.movies_reader import MoviesSummary
from pipeline.store.revisions import Revisions, read_revisions
from pipeline.store.state import CubeSummary, read_day_status, status_summary
from pipeline.types import Spec, Status, TimeRange
from pipeline.workspace import Workspace


class PlaceStatus(Spec):
    """A region or station: its champion, and what it forecasts.

    Parameters
    ----------
    changed_training_days
        Days that the champion learned from and that have come from another file since; None where its snapshot is
        there no more.
    """

    place: str
    model: str | None = None
    model_id: str | None = None
    trained_at: dt.datetime | None = None
    age_days: int | None = None
    changed_training_days: int | None = None
    verdict: str | None = None
    skill: float | None = None
    skill_interval: tuple[float, float] | None = None
    published: str | None = None
    last_init: str | None = None
    last_issued: str | None = None
    scorecard: Rolling | None = None
    revisions: Revisions | None = None


class ExperimentStatus(Spec):
    """An experiment of the workspace; days are those of its cube or series; of records and movies there are none."""

    experiment: str
    data: CubeSummary
    collection: AnySummary | None = None
    """Of labelled records, or of movies."""
    too_short: int = 0
    """Movies of which no window can be cut."""
    preliminary_days: tuple[dt.date, ...] = ()
    refused: tuple[Quarantined, ...] = ()
    """Of days for which no file as good as the refused one was said to be has come."""
    store_bytes: int = 0
    places: tuple[PlaceStatus, ...] = ()
    alerts: tuple[Alert, ...] = ()


class WorkspaceStatus(Spec):
    """Every experiment that the workspace holds."""

    workspace: str
    experiments: tuple[ExperimentStatus, ...] = Field(default=())

    @property
    def healthy(self) -> bool:
        """Nothing is to be done."""
        return not any(alert.severity == "act" for each in self.experiments for alert in each.alerts)


def workspace_status(settings: Settings, only: str | None = None) -> WorkspaceStatus:
    """The state of each experiment in the workspace, or of one.

    Raises
    ------
    NotFoundError
        The workspace holds no experiment, or not the one that was asked for.
    WorkspaceError
        A newer Isotherm wrote the workspace.
    """
    workspace = Workspace(settings.workspace)
    workspace.require_readable()
    held = workspace.experiments()
    if not held:
        raise NotFoundError(
            f"the workspace {workspace.root} holds nothing yet",
            remedy="run `isotherm run demo`, or name another with --workspace",
            path=str(workspace.root),
        )
    if only is not None and only not in held:
        raise unknown("experiment", only, held, NotFoundError, where=f"in the workspace {workspace.root}")
    found = []
    for name in [only] if only else held:
        experiment = None
        # The workspace outlives its experiments' files.
        with suppress(NotFoundError, ConfigError):
            experiment = load_experiment(name, settings.experiments)
        today = settings.today or (experiment.today if experiment else dt.datetime.now(dt.UTC).date())
        found.append(experiment_status(workspace, name, experiment, today))
    return WorkspaceStatus(workspace=str(workspace.root), experiments=tuple(found))


def experiment_status(
    workspace: Workspace, name: str, experiment: Experiment | None, today: dt.date
) -> ExperimentStatus:
    """The state of one experiment; without its file, by the usual `[operations]`."""
    cube = workspace.cube(name)
    data = status_summary(cube)
    collection = collection_summary(cube)
    if collection is not None:
        return ExperimentStatus(
            experiment=name,
            data=data,
            collection=collection,
            too_short=_too_short(collection, experiment),
            store_bytes=repository.stored_bytes(cube),
            places=tuple(_of_collection(workspace, name, place, today) for place in data.regions),
        )
    days, status = read_day_status(cube)
    preliminary = tuple(days[status == Status.PRELIMINARY].tolist())
    held = dict(zip(days.tolist(), status.tolist(), strict=True))
    refused = tuple(
        each
        for each in list_quarantine(workspace.quarantine(name))
        if any(held.get(day, Status.MISSING) < each.status for day in each.days)
    )
    found = ExperimentStatus(
        experiment=name,
        data=data,
        preliminary_days=preliminary,
        refused=refused,
        store_bytes=repository.stored_bytes(cube),
        places=tuple(_place(workspace, name, place, today) for place in data.regions),
    )
    operations = experiment.operations if experiment else Operations()
    return found.model_copy(update={"alerts": tuple(alerts_of(found, operations, today))})


def _too_short(held: AnySummary, experiment: Experiment | None) -> int:
    if experiment is None or experiment.movies is None or not isinstance(held, MoviesSummary):
        return 0
    windows = experiment.movies.windows
    return held.shorter(min(windows.learned, windows.length))


def _place(workspace: Workspace, experiment: str, place: str, today: dt.date) -> PlaceStatus:
    told: dict[str, object] = {"place": place}
    cube, scores = workspace.cube(experiment), workspace.scores(experiment, place)
    with suppress(NotFoundError):
        folder = workspace.models(experiment, place)
        card = ModelCard.read(folder / next(iter(champion_models(folder).values())))
        learned = TimeRange(start=card.train.start, end=card.validation.end)
        changed = changed_days(cube, place, card.cube_snapshot, within=learned)
        told |= {
            "model": card.name,
            "model_id": card.model_id,
            "trained_at": card.created_at,
            "age_days": max(0, (today - card.created_at.date()).days),
            "changed_training_days": None if changed is None else len(changed),
        }
    with suppress(NotFoundError):
        standing = Standing.read(scores)
        verdict = standing.verdict
        told |= {
            "verdict": verdict.sentence,
            "skill": verdict.skill_pooled,
            "skill_interval": verdict.skill_interval,
            "published": standing.forecaster,
        }
        newest = archive.newest(workspace.archive(experiment), place, standing.forecaster)
        if newest is not None:
            told |= {"last_init": newest[0], "last_issued": newest[1]}
    with suppress(NotFoundError):
        told["scorecard"] = Rolling.read(scores)
    told["revisions"] = read_revisions(cube, place)
    return PlaceStatus.model_validate(told)


def _of_collection(workspace: Workspace, experiment: str, place: str, today: dt.date) -> PlaceStatus:
    told: dict[str, object] = {"place": place}
    with suppress(NotFoundError):
        folder = workspace.models(experiment, place)
        card = read_card(folder / next(iter(champion_models(folder).values())))
        told |= {
            "model": card.name,
            "model_id": card.model_id,
            "trained_at": card.created_at,
            "age_days": max(0, (today - card.created_at.date()).days),
        }
    with suppress(NotFoundError):
        told["verdict"] = CollectionStanding.read(workspace.scores(experiment, place)).verdict.sentence
    return PlaceStatus.model_validate(told)
