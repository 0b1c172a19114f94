"""From a record to trained models in their folders: one region, the training and validation times only."""

from __future__ import annotations

import datetime as dt
import hashlib
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from models.card import CARD, CARDS, validation_error
from models.checkpoints import Checkpoints
from models.claims import claimed
from models.encoders import ENCODERS
from models.folds import Fold, fit_stacking, make_folds, require_stackable, told_of
from models.recipe import inputs_sha256
from models.trained import TrainedModel
from models.training import train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from models.encoders import Encoder
    from models.recipe import Recipe
    from models.samples import Samples
    from models.training import Progress, Training
    from pipeline.forecasts.base import AnyRecord
    from pipeline.partition import Partition
    from pipeline.store.readings import CollectionReading, Reading


def fit_models(
    reading: Reading | CollectionReading,
    recipes: Iterable[Recipe],
    folder: Path,
    *,
    snapshot: str,
    progress: Callable[[str], Progress] = lambda _: lambda *_: None,
) -> dict[str, str]:
    """Train on the record as of `snapshot` and keep each model in `folder/<model id>`; return the ids by name.

    The record is read once, and what lies between it and the models is fitted once. A model of the same recipe and
    values is there already, or goes on from its last checkpoint, whichever worker kept it, or is waited for while
    another worker trains it.

    Parameters
    ----------
    recipes
        Of models of one experiment: they differ in their name, model, configuration and training alone.
    progress
        Gives what is told of the training of the model of a name.

    Raises
    ------
    WindowError, ConfigError, NotFittedError
        The record is too short for the splits, the windows, the climatology or the folds of stacking; or it is
        none that can be stacked.
    StoreError
        Another worker has taken a training over, for this one gave no sign of life.
    """
    record = reading.read(snapshot)
    recipes = list(recipes)
    for recipe in recipes:
        if recipe.training.stacking is not None:
            require_stackable(record, recipe)
    material = _Material(record, recipes[0], snapshot)
    return {recipe.name: _fit_alone(material, recipe, folder, progress(recipe.name)) for recipe in recipes}


@dataclass(frozen=True)
class _Material:
    """What the models of an experiment learn from; it is made when the first of them is trained."""

    record: AnyRecord
    recipe: Recipe
    snapshot: str
    parts: dict[int, list[Fold]] = field(default_factory=dict)
    """Folds by their number, which is the same for most models."""

    @cached_property
    def parted(self) -> Partition:
        return self.recipe.parted(self.record)

    @cached_property
    def encoder(self) -> Encoder:
        return ENCODERS[self.record.kind].fit(self.record, self.recipe, snapshot=self.snapshot)

    @cached_property
    def training(self) -> Samples:
        return self.encoder.samples(self.record, self.parted.windows("train"))

    @cached_property
    def validation(self) -> Samples:
        return self.encoder.samples(self.record, self.parted.windows("validation"))

    def folds(self, count: int) -> list[Fold]:
        if count not in self.parts:
            self.parts[count] = make_folds(self.record, self.recipe, count, snapshot=self.snapshot)
        return self.parts[count]


def _fit_alone(material: _Material, recipe: Recipe, folder: Path, progress: Progress) -> str:
    """The model's id, after it was trained by this worker or by another that is at it."""
    model_id = recipe.key(material.record)
    if (folder / model_id / CARD).exists():
        return model_id

    # What cannot be trained on is refused before anything is written.
    _ = material.training, material.validation
    if recipe.training.stacking is not None:
        material.folds(recipe.training.stacking.folds)

    def waiting(note: str) -> None:
        progress(0, recipe.training.epochs, note)

    with claimed(folder / f".claim-{model_id}", waiting=waiting) as claim, ExitStack() as opened:

        def kept(part: str = "") -> Checkpoints:
            return opened.enter_context(Checkpoints.at(folder / f".training-{model_id}{part}", claim))

        if not (folder / model_id / CARD).exists():
            _fit(material, recipe, folder / model_id, kept, progress)
    return model_id


def _fit(
    material: _Material, recipe: Recipe, folder: Path, kept: Callable[..., Checkpoints], progress: Progress
) -> None:
    record = material.record
    stacking = recipe.training.stacking
    folds = material.folds(stacking.folds) if stacking else []
    checkpoints = [kept(f"-seed-{at}" if at else "") for at in range(recipe.training.seeds)]
    recipe, done = _best_seed(material, recipe, checkpoints, progress)
    encoder, trained_by = material.encoder, recipe.training.model_dump(mode="json")
    fold_checkpoints = [kept(f"-fold-{at}") for at in range(1, len(folds) + 1)]
    if folds:
        fitted = fit_stacking(record, folds, recipe, done.best_epoch, fold_checkpoints, progress)
        encoder = replace(encoder, stacking=fitted)
        trained_by["stacking"] |= {"with": fitted.seasonal.name, "weights": fitted.weights.tolist()}
    card = CARDS[record.kind](
        model_id=folder.name,
        name=recipe.name,
        model=recipe.model,
        kind=record.kind,
        experiment=recipe.experiment,
        region=recipe.region,
        parameters=done.model.count_params(),
        config=recipe.config.model_dump(mode="json"),
        training=trained_by,
        precision=done.precision,
        backend=keras.backend.backend(),
        **_cut(material),
        train_windows=len(material.training.windows),
        validation_windows=len(material.validation.windows),
        cube_snapshot=material.snapshot,
        inputs_sha256=inputs_sha256(record),
        fitted_sha256=encoder.sha256,
        weights_sha256=_weights_sha256(done.model),
        best_epoch=done.best_epoch,
        history=done.history,
        created_at=dt.datetime.now(dt.UTC),
        isotherm_version=version("isotherm"),
    )
    TrainedModel(done.model, encoder, card).save(folder)
    for each in (*checkpoints, *fold_checkpoints):
        each.clear()


def _best_seed(
    material: _Material, recipe: Recipe, checkpoints: Sequence[Checkpoints], progress: Progress
) -> tuple[Recipe, Training]:
    """Train once from each seed; the recipe with the seed of the lowest validation error, and what came of it."""
    trials = []
    for at, kept in enumerate(checkpoints):
        seeded = recipe.training.model_copy(update={"seed": recipe.training.seed + at})
        told = told_of(f"seed {seeded.seed}", progress) if len(checkpoints) > 1 else progress
        done = train(recipe.model, recipe.config, seeded, material.training, material.validation, kept, told)
        trials.append((replace(recipe, training=seeded), done))
    return min(trials, key=lambda trial: validation_error(trial[1].history, trial[1].best_epoch))


def _cut(material: _Material) -> dict[str, Any]:
    """What the card says of samples and splits."""
    recipe, splits = material.recipe, material.parted.splits
    if material.record.kind in ("records", "texts"):
        return {"steps": recipe.windows, "splits": splits}
    if material.record.kind == "movies":
        return {"windows": recipe.windows, "splits": splits}
    return {
        "windows": recipe.windows,
        **{name: getattr(splits, name) for name in ("train", "validation", "test")},
    }


def _weights_sha256(model: Any) -> str:
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()
