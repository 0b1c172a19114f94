"""The model card: what a model is, what it was trained on, and how to read it back."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from pipeline.errors import NotFoundError
from pipeline.evaluation.standing import Judged
from pipeline.forecasts.base import Kind
from pipeline.publish.product import write_text
from pipeline.types import TimeRange
from pipeline.windows import WindowSpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CARD = "card.json"
CURRENT = "current.json"


class ModelCard(BaseModel):
    """Facts of a trained model, in the spirit of Mitchell et al. (2019), arXiv:1810.03993, and its lineage."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model_id: str
    name: str
    """As the experiment calls it."""
    model: str
    """In MODELS."""
    kind: Kind
    experiment: str
    region: str
    parameters: int
    config: dict[str, Any]
    training: dict[str, Any]
    """As the recipe says it; `stacking` also has `with`, the rung, and the `weights` (lead_time,) of the model."""
    precision: str
    backend: str
    windows: WindowSpec
    train: TimeRange
    validation: TimeRange
    train_windows: int
    validation_windows: int
    cube_snapshot: str
    fitted_sha256: str
    """Hash of the climatology, scaling and base forecast beside the model."""
    weights_sha256: str
    best_epoch: int
    history: list[dict[str, float]]
    created_at: dt.datetime
    isotherm_version: str

    def write(self, folder: Path) -> None:
        """Write into the model's folder."""
        (folder / CARD).write_text(self.model_dump_json(indent=2), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> ModelCard:
        """Read the card of a model's folder."""
        return cls.model_validate_json((folder / CARD).read_text())


def judged(folder: Path) -> Judged:
    """What an evaluation is told of the model in `folder`."""
    card = ModelCard.read(folder)
    return Judged(
        name=card.name,
        id=card.model_id,
        card_sha256=hashlib.sha256((folder / CARD).read_bytes()).hexdigest(),
        fitted_sha256=card.fitted_sha256,
    )


def make_current(folder: Path, model_ids: Mapping[str, str]) -> None:
    """Let these be the models that forecasts are issued with, by name; the first stands for the experiment."""
    write_text(folder / CURRENT, json.dumps({"models": dict(model_ids)}))


def best_first(folder: Path, model_ids: Mapping[str, str]) -> dict[str, str]:
    """The models of `folder`, that with the lowest validation error first: no test time has a say in it.

    The error is the absolute one where trainings note it, for their losses may be of several kinds.
    """

    def loss(name: str) -> float:
        card = ModelCard.read(folder / model_ids[name])
        epoch = card.history[card.best_epoch - 1]
        return epoch.get("validation_mae", epoch["validation_loss"])

    return {name: model_ids[name] for name in sorted(model_ids, key=loss)}


def current_models(folder: Path) -> dict[str, str]:
    """The ids of the models that forecasts are issued with, by name; the first stands for the experiment.

    Raises
    ------
    NotFoundError
        None was trained.
    """
    path = folder / CURRENT
    if not path.is_file():
        raise NotFoundError(
            f"region {folder.name!r} of experiment {folder.parent.name!r} has no trained model yet",
            remedy=f"run `isotherm train {folder.parent.name}` first",
            path=str(folder),
        )
    models: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["models"]
    return models
