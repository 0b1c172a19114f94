"""Promotion and roll-back by hand. Nothing here loads Prefect or Keras."""

from __future__ import annotations

from pathlib import Path

from flows.composing import job_for
from flows.jobs import Job
from flows.kinds import require_kind
from flows.operators import operator
from models.card import ModelCard
from models.champions import Reign, champion_models, predecessor, require_reigns, roll_back
from models.promotion import promote, require_fit, require_model, trained_models
from pipeline.errors import ConfigError, NotFoundError
from pipeline.naming import unknown


def promote_model(
    experiment: str, model_id: str, *, region: str | None, workspace: Path | str | None, because: str
) -> tuple[str, Reign]:
    """Make a model champion of its region; the region, and the reign that holds now.

    Raises
    ------
    NotFoundError
        There is no such experiment, region or model.
    ConfigError
        The model does not fit the experiment.
    """
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        require_kind(job.experiment, "promote")
        place = _place_of(job, model_id, region)
        folder = job.workspace.models(job.experiment.name, place)
        require_model(folder, model_id)
        record = job.reading(place).read(job.cube_snapshot())
        reign = promote(
            folder,
            model_id,
            record,
            job.recipes(place)[0],
            by=operator(),
            because=because or "by hand",
            recipe_sha256=job.said(place),
        )
        return place, reign


def roll_back_model(
    experiment: str, *, region: str | None, workspace: Path | str | None, because: str
) -> tuple[str, Reign]:
    """Bring back the champion before the one of now; the region, and the reign that holds now.

    Raises
    ------
    NotFoundError
        There is no such experiment or region, or nothing to roll back to.
    ConfigError
        There are several regions and none is named, or the former models do not fit the experiment now.
    """
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        require_kind(job.experiment, "rollback")
        place = _only_place(job, region)
        folder = job.workspace.models(job.experiment.name, place)
        require_reigns(folder)
        before = predecessor(folder)
        if before is not None and all((folder / one).is_dir() for one in before.models.values()):
            record = job.reading(place).read(job.cube_snapshot())
            for one in before.models.values():
                require_fit(ModelCard.read(folder / one), job.recipes(place)[0], record)
        reason = because or f"{next(iter(champion_models(folder).values()))} was rolled back by hand"
        return place, roll_back(folder, by=operator(), because=reason, recipe_sha256=job.said(place))


def _only_place(job: Job, region: str | None) -> str:
    places = list(job.experiment.places)
    if region is not None:
        if region not in places:
            raise unknown("region", region, places, NotFoundError, where=job.experiment.name)
        return region
    if len(places) > 1:
        raise ConfigError(
            f"the experiment {job.experiment.name!r} has several regions",
            remedy=f"name one with --region: {', '.join(places)}",
        )
    return places[0]


def _place_of(job: Job, model_id: str, region: str | None) -> str:
    """The region that has the model, where none is named."""
    if region is not None or len(job.experiment.places) == 1:
        return _only_place(job, region)
    held = {
        place: trained_models(job.workspace.models(job.experiment.name, place))
        for place in job.experiment.places
    }
    having = [place for place, models in held.items() if model_id in models]
    if len(having) > 1:
        raise ConfigError(
            f"several regions have a model {model_id!r}",
            remedy=f"name one with --region: {', '.join(having)}",
        )
    if not having:
        known = {model for models in held.values() for model in models}
        raise unknown("model", model_id, known, NotFoundError, where=job.experiment.name)
    return having[0]
