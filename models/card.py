"""The model card: what a model is, what it was trained on, and how to read it back."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import WorkspaceError
from pipeline.evaluation.standing import Judged
from pipeline.forecasts.base import Kind
from pipeline.movies.windows import MovieSpec
from pipeline.records.steps import StepSpec
from pipeline.records.words import WordSpec
from pipeline.splits import Fractions, GivenSplits, Splits
from pipeline.types import TimeRange
from pipeline.windows import WindowSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CARD = "card.json"


class Card(BaseModel):
    """Facts of a trained model of any kind, in the spirit of Mitchell et al. (2019), arXiv:1810.03993."""

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
    train_windows: int
    validation_windows: int
    """Samples: windows, or records."""
    cube_snapshot: str
    inputs_sha256: str = ""
    """Hash of what its record is of, see `models.recipe.inputs_sha256`; older cards lack it."""
    fitted_sha256: str
    """Hash of what was fitted beside the model: scaling, and of fields and stations climatology and base forecast."""
    weights_sha256: str
    best_epoch: int
    history: list[dict[str, float]]
    created_at: dt.datetime
    isotherm_version: str

    def write(self, folder: Path) -> None:
        """Write into the model's folder."""
        (folder / CARD).write_text(self.model_dump_json(indent=2), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the card of a model's folder.

        Raises
        ------
        WorkspaceError
            It is no card that this Isotherm knows.
        """
        try:
            return cls.model_validate_json((folder / CARD).read_bytes())
        except ValidationError as error:
            what = error.errors()[0]
            told = ".".join(map(str, what["loc"])) + ": " if what["loc"] else ""
            raise WorkspaceError(
                f"{folder / CARD} cannot be read: {told}{what['msg']}",
                remedy="upgrade Isotherm if a newer one wrote it; else remove the folder, and train again",
                path=str(folder),
            ) from error


class ModelCard(Card):
    """Facts of a model of fields or of a station, and its lineage."""

    windows: WindowSpec
    train: TimeRange
    validation: TimeRange
    test: TimeRange | None = None
    """Of the splits that it was trained by; it had no say in the training. Older cards lack it."""

    @property
    def shape(self) -> WindowSpec:
        """What its encoder is read with."""
        return self.windows

    @property
    def learned(self) -> Splits | None:
        """The splits that it was trained by, with their guard gaps; older cards lack them."""
        if self.test is None:
            return None
        return Splits(train=self.train, validation=self.validation, test=self.test)


class RecordsCard(Card):
    """Facts of a model of records or texts, and its lineage."""

    steps: StepSpec | WordSpec
    splits: Fractions

    @property
    def shape(self) -> StepSpec | WordSpec:
        """What its encoder is read with."""
        return self.steps


class MoviesCard(Card):
    """Facts of a model of movies, and its lineage."""

    windows: MovieSpec
    splits: GivenSplits

    @property
    def shape(self) -> MovieSpec:
        """What its encoder is read with."""
        return self.windows


AnyCard = ModelCard | RecordsCard | MoviesCard
CARDS: dict[str, type[AnyCard]] = {
    "fields": ModelCard,
    "series": ModelCard,
    "records": RecordsCard,
    "texts": RecordsCard,
    "movies": MoviesCard,
}


def read_card(folder: Path) -> AnyCard:
    """The card of a model's folder, whatever its kind.

    Raises
    ------
    WorkspaceError
        It is no card that this Isotherm knows.
    """
    try:
        kind: type[AnyCard] = CARDS[json.loads((folder / CARD).read_bytes())["kind"]]
    except (ValueError, TypeError, KeyError):
        kind = ModelCard  # which says what is wrong with it
    return kind.read(folder)


def judged(folder: Path) -> Judged:
    """What an evaluation is told of the model in `folder`."""
    card = read_card(folder)
    return Judged(
        name=card.name,
        id=card.model_id,
        card_sha256=hashlib.sha256((folder / CARD).read_bytes()).hexdigest(),
        fitted_sha256=card.fitted_sha256,
    )


def best_first(folder: Path, model_ids: Mapping[str, str]) -> dict[str, str]:
    """The models of `folder`, that with the lowest validation error first: no test time has a say in it."""

    def loss(name: str) -> float:
        card = read_card(folder / model_ids[name])
        return validation_error(card.history, card.best_epoch)

    return {name: model_ids[name] for name in sorted(model_ids, key=loss)}


def validation_error(history: Sequence[Mapping[str, float]], best_epoch: int) -> float:
    """Of the epoch that was kept: the absolute error where trainings note it, for losses may be of several kinds."""
    epoch = history[best_epoch - 1]
    return epoch.get("validation_mae", epoch["validation_loss"])
