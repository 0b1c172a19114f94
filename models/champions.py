"""The register of champions: which models forecasts are issued with, since when, by whose doing, and why.

A folder `champions` beside the models has a file a reign, numbered from 1, which is written once and never changed.
The newest names the models that forecasts are issued with now. Nothing here loads Keras.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from models.card import CARD, ModelCard, read_card
from pipeline.errors import NotFoundError, StoreError
from pipeline.publish.product import write_once

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.types import TimeRange

REGISTER = "champions"
FORMER = "current.json"
"""What earlier versions kept in place of the register: the models alone."""

How = Literal["adopted", "trained", "promoted", "rolled back"]
"""Adopted from what an earlier version kept; trained by the experiment's own splits; promoted by a retraining or by
hand; rolled back to."""


class Reign(BaseModel):
    """An entry of the register."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: dict[str, str]
    """Ids by name, the best first: that one is the champion, which stands for the experiment."""
    since: dt.datetime
    how: How
    by: str
    """`user@host`, or `flow run NAME`."""
    because: str
    cube_snapshot: str = ""
    """That the champion was trained on."""
    recipe_sha256: str = ""
    """What the experiment said of its models and splits at that time, see `models.recipe.said`."""
    comparison: str = ""
    """The record that a promotion rests on, in the folder `comparisons`."""

    @classmethod
    def of(cls, folder: Path, models: Mapping[str, str], **told: str) -> Self:
        """The reign of these models of `folder`, from now on."""
        champion = read_card(folder / next(iter(models.values())))
        facts = {"models": dict(models), "since": dt.datetime.now(dt.UTC), **told}
        return cls.model_validate({"cube_snapshot": champion.cube_snapshot, **facts})

    @property
    def champion(self) -> str:
        """The id of the model that stands for the experiment."""
        return next(iter(self.models.values()))


@dataclass(frozen=True, slots=True)
class Champion:
    """The champion of a region or station, as people ask about it."""

    model_id: str
    name: str
    """As the experiment calls it."""
    trained_at: dt.datetime
    train: TimeRange
    validation: TimeRange
    reign: Reign
    history: tuple[Reign, ...] = field(repr=False)
    """All reigns, the oldest first and this one last."""

    def age_days(self, now: dt.datetime | None = None) -> float:
        """Days since it was trained."""
        return ((now or dt.datetime.now(dt.UTC)) - self.trained_at) / dt.timedelta(days=1)


def champion(folder: Path) -> Champion:
    """The champion of the region or station whose models lie in `folder`.

    Raises
    ------
    NotFoundError
        None was trained, or its card is gone.
    """
    history = require_reigns(folder)
    reign = history[-1]
    card = ModelCard.read(folder / reign.champion)
    return Champion(card.model_id, card.name, card.created_at, card.train, card.validation, reign, history)


def champion_models(folder: Path) -> dict[str, str]:
    """The ids of the models that forecasts are issued with, by name, the champion first.

    Raises
    ------
    NotFoundError
        None was trained.
    """
    return require_reigns(folder)[-1].models


def kept_models(folder: Path) -> set[str]:
    """The ids of all models that are or have been in the register: none of them may be removed."""
    return {one for reign in reigns(folder) for one in reign.models.values()}


def reigns(folder: Path) -> tuple[Reign, ...]:
    """The whole register, the oldest first; empty where no model was trained.

    Raises
    ------
    StoreError
        An entry cannot be read.
    """
    files = sorted((folder / REGISTER).glob("[0-9]*.json"))
    if files:
        return tuple(_read(path) for path in files)
    former = folder / FORMER
    if not former.is_file():
        return ()
    models = json.loads(former.read_text(encoding="utf-8"))["models"]
    return (
        Reign(
            models=models,
            since=dt.datetime.fromtimestamp(former.stat().st_mtime, dt.UTC),
            how="adopted",
            by="an earlier version",
            because=f"{FORMER} named it",
        ),
    )


def require_reigns(folder: Path) -> tuple[Reign, ...]:
    """The whole register, the oldest first.

    Raises
    ------
    NotFoundError
        None was trained.
    """
    held = reigns(folder)
    if not held:
        raise NotFoundError(
            f"region {folder.name!r} of experiment {folder.parent.name!r} has no trained model yet",
            remedy=f"run `isotherm train {folder.parent.name}` first",
            path=str(folder),
        )
    return held


def crown(folder: Path, reign: Reign, *, over: Reign | None) -> Reign:
    """Begin a reign in the place of `over`, the newest that was seen; a reign of the same models goes on.

    Returns
    -------
    Reign
        The newest: the given one, or that which goes on.

    Raises
    ------
    StoreError
        Another one has begun meanwhile; nothing was changed.
    DiskFullError
        There is no space; nothing was changed.
    """
    held = reigns(folder)
    if held and list(held[-1].models.items()) == list(reign.models.items()):
        return held[-1]
    if (held[-1] if held else None) == over:
        if len(held) == 1 and held[0].how == "adopted":
            _write(folder, 1, held[0])
        if _write(folder, len(held) + 1, reign):
            (folder / FORMER).unlink(missing_ok=True)
            return reign
    raise StoreError(
        f"another model of region {folder.name!r} became champion meanwhile",
        remedy=f"look at `isotherm status {folder.parent.name}`, and run again if it is still wanted",
        path=str(folder),
    )


def roll_back(folder: Path, *, by: str, because: str, recipe_sha256: str = "") -> Reign:
    """Begin again the reign before the one that holds; a second time, the one before that.

    Raises
    ------
    NotFoundError
        None was trained, or there was none before.
    StoreError
        Another reign has begun meanwhile.
    """
    held = require_reigns(folder)
    line = _line(held)
    if len(line) < 2:
        raise NotFoundError(
            f"there is nothing to roll back to in region {folder.name!r} of experiment {folder.parent.name!r}: "
            f"{held[-1].champion} had no predecessor",
            remedy="`isotherm promote` makes another model champion",
            champion=held[-1].champion,
        )
    before = line[-2]
    _require_kept(folder, before.models)
    back = Reign.of(
        folder, before.models, how="rolled back", by=by, because=because, recipe_sha256=recipe_sha256
    )
    return crown(folder, back, over=held[-1])


def predecessor(folder: Path) -> Reign | None:
    """The reign that `roll_back` would begin again."""
    line = _line(reigns(folder))
    return line[-2] if len(line) > 1 else None


def _line(held: tuple[Reign, ...]) -> list[Reign]:
    """The reigns that are not rolled back, the oldest first."""
    line: list[Reign] = []
    for reign in held:
        if reign.how == "rolled back":
            line.pop()
        else:
            line.append(reign)
    return line


def _require_kept(folder: Path, models: Mapping[str, str]) -> None:
    for model_id in models.values():
        if not (folder / model_id / CARD).is_file():
            raise NotFoundError(
                f"the model {model_id} is no longer in {folder}",
                remedy="restore its folder, or make another model champion with `isotherm promote`",
                model=model_id,
            )


def _read(path: Path) -> Reign:
    try:
        return Reign.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise StoreError(
            f"{path} is no entry of the register of champions: {error.errors()[0]['msg']}",
            remedy="restore the file from a backup; a newer Isotherm may have written it",
            path=str(path),
        ) from error


def _write(folder: Path, number: int, reign: Reign) -> bool:
    path = folder / REGISTER / f"{number:04}.json"
    return write_once(path, reign.model_dump_json(indent=1) + "\n")
