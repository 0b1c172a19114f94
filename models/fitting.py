"""From a cube to a trained model in its folder: one region, the training and validation times only."""

from __future__ import annotations

import datetime as dt
import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from models.card import CARD, ModelCard
from models.checkpoints import Checkpoints
from models.encoders import ENCODERS
from models.trained import TrainedModel
from models.training import train

if TYPE_CHECKING:
    from pathlib import Path

    from models.recipe import Recipe
    from models.training import Progress
    from pipeline.store.readings import Reading


def fit_model(
    reading: Reading, recipe: Recipe, folder: Path, *, snapshot: str, progress: Progress = lambda *_: None
) -> str:
    """Train on the record as of `snapshot` and keep the model in `folder/<model id>`; return the id.

    A model of the same recipe and values is there already or goes on from its last checkpoint.

    Raises
    ------
    WindowError, ConfigError, NotFittedError
        The record is too short for the splits, the windows or the climatology.
    """
    record = reading.read(snapshot)
    model_id = recipe.key(record)
    if (folder / model_id / CARD).exists():
        return model_id
    parted = recipe.parted(record)
    encoder = ENCODERS[record.kind].fit(record, recipe, snapshot=snapshot)
    samples = {name: encoder.samples(record, parted.windows(name)) for name in ("train", "validation")}
    checkpoints = Checkpoints(folder / f".training-{model_id}")
    done = train(
        recipe.model,
        recipe.config,
        recipe.training,
        samples["train"],
        samples["validation"],
        checkpoints,
        progress,
    )
    card = ModelCard(
        model_id=model_id,
        name=recipe.name,
        model=recipe.model,
        kind=record.kind,
        experiment=recipe.experiment,
        region=recipe.region,
        parameters=done.model.count_params(),
        config=recipe.config.model_dump(mode="json"),
        training=recipe.training.model_dump(mode="json"),
        precision=done.precision,
        backend=keras.backend.backend(),
        windows=recipe.windows,
        train=parted.splits.train,
        validation=parted.splits.validation,
        train_windows=len(samples["train"].windows),
        validation_windows=len(samples["validation"].windows),
        cube_snapshot=snapshot,
        fitted_sha256=encoder.sha256,
        weights_sha256=_weights_sha256(done.model),
        best_epoch=done.best_epoch,
        history=done.history,
        created_at=dt.datetime.now(dt.UTC),
        isotherm_version=version("isotherm"),
    )
    TrainedModel(done.model, encoder, card).save(folder / model_id)
    checkpoints.clear()
    return model_id


def _weights_sha256(model: Any) -> str:
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()
