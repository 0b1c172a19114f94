"""Making models champions: after their training, by a retraining, or by hand; and what a champion must fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.card import CARD, ModelCard
from models.champions import Reign, crown, reigns
from models.comparison import comparisons
from models.recipe import inputs_sha256
from pipeline.errors import ConfigError, NotFoundError, StoreError
from pipeline.naming import unknown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from models.recipe import Recipe
    from pipeline.forecasts.base import AnyRecord

_ATTEMPTS = 5


def is_kept(reign: Reign, recipe_sha256: str) -> bool:
    """Whether the experiment's own training leaves this reign alone.

    It does where a retraining or a person has decided, until the experiment says something else of its models or of
    their splits, see `models.recipe.said`: else the next scheduled cycle would undo what was decided.
    """
    return reign.how in ("promoted", "rolled back") and reign.recipe_sha256 == recipe_sha256


def crown_trained(folder: Path, models: Mapping[str, str], *, by: str, recipe_sha256: str) -> Reign:
    """Let the models that the experiment's own training gave be champions.

    Raises
    ------
    StoreError
        Others become champions all the time.
    """
    for _ in range(_ATTEMPTS):
        held = reigns(folder)
        over = held[-1] if held else None
        if over is not None and is_kept(over, recipe_sha256):
            return over
        because = "the experiment's models were trained" if over else "first training"
        reign = Reign.of(folder, models, how="trained", by=by, because=because, recipe_sha256=recipe_sha256)
        try:
            return crown(folder, reign, over=over)
        except StoreError:
            continue
    raise StoreError(
        f"the champion of region {folder.name!r} changes all the time",
        remedy="train an experiment in one process at a time",
        path=str(folder),
    )


def promote(
    folder: Path,
    model_id: str,
    record: AnyRecord,
    recipe: Recipe,
    *,
    by: str,
    because: str,
    recipe_sha256: str = "",
) -> Reign:
    """Make a model champion by hand, with those beside it that it was trained with.

    Raises
    ------
    NotFoundError
        There is no such model; the remedy names the nearest.
    ConfigError
        It, or one beside it, does not fit the experiment.
    StoreError
        Another one became champion meanwhile.
    """
    require_model(folder, model_id)
    models = line_up(folder, model_id)
    for each in models.values():
        require_fit(ModelCard.read(folder / each), recipe, record)
    held = reigns(folder)
    reign = Reign.of(folder, models, how="promoted", by=by, because=because, recipe_sha256=recipe_sha256)
    return crown(folder, reign, over=held[-1] if held else None)


def trained_models(folder: Path) -> list[str]:
    """The ids of all models that lie in `folder`, sorted."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if (path / CARD).is_file())


def require_model(folder: Path, model_id: str) -> None:
    """Refuse an id of which there is no model.

    Raises
    ------
    NotFoundError
        The remedy names the nearest.
    """
    known = trained_models(folder)
    if model_id not in known:
        raise unknown("model", model_id, known, NotFoundError, where=str(folder))


def line_up(folder: Path, model_id: str) -> dict[str, str]:
    """The model and those that it was champion or was compared with, itself first."""
    trained = [reign.models for reign in reversed(reigns(folder))]
    compared = [each.models for each in comparisons(folder)]
    together = next((models for models in (*trained, *compared) if model_id in models.values()), {})
    name = ModelCard.read(folder / model_id).name
    others = {other: one for other, one in together.items() if one != model_id}
    return {name: model_id} | {other: one for other, one in others.items() if (folder / one / CARD).is_file()}


def require_fit(card: ModelCard, recipe: Recipe, record: AnyRecord) -> None:
    """Refuse a model that cannot forecast for the experiment as it is now.

    Raises
    ------
    ConfigError
        Its windows, or what its record is of, are others.
    """
    mine, wanted = (spec.model_copy(update={"stride": 1}) for spec in (card.windows, recipe.windows))
    if mine != wanted:
        changed = {name: value for name, value in mine if value != getattr(wanted, name)}
        told = ", ".join(f"{name} {value} and not {getattr(wanted, name)}" for name, value in changed.items())
        raise _unfit(card, f"its [windows] have {told}")
    if card.kind != record.kind or card.inputs_sha256 not in ("", inputs_sha256(record)):
        raise _unfit(card, "it was trained on another grid, target or other variables")


def _unfit(card: ModelCard, why: str) -> ConfigError:
    return ConfigError(
        f"the model {card.model_id} does not fit the experiment {card.experiment!r} as it is now: {why}",
        remedy="choose a model that was trained with the experiment as it is, or change the experiment back",
        model=card.model_id,
    )
