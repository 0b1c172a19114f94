"""From a cube to a trained model in its folder: one region, the training and validation times only."""

from __future__ import annotations

import datetime as dt
import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from models.card import CARD, ModelCard, make_current
from models.checkpoints import Checkpoints
from models.datasets import FieldSamples
from models.encoder import FieldEncoder
from models.trained import TrainedModel
from models.training import train
from pipeline.climatology import HarmonicClimatology
from pipeline.forecasts.blend import Blend
from pipeline.scaling import AnomalyScaling
from pipeline.store.reader import read_record
from pipeline.windows import find_windows

if TYPE_CHECKING:
    from pathlib import Path

    from models.recipe import Recipe
    from models.training import Progress
    from pipeline.forecasts.base import Record


def fit_model(
    cube: Path, recipe: Recipe, folder: Path, *, snapshot: str, progress: Progress = lambda *_: None
) -> str:
    """Train on the cube as of `snapshot` and keep the model in `folder/<model id>`; return the id.

    A model of the same recipe and values is there already or goes on from its last checkpoint.

    Raises
    ------
    WindowError, ConfigError, NotFittedError
        The record is too short for the splits, the windows or the climatology.
    """
    record = read_record(cube, recipe.region, snapshot=snapshot)
    model_id = recipe.key(record)
    if (folder / model_id / CARD).exists():
        make_current(folder, model_id)
        return model_id
    samples = _samples(record, recipe, snapshot)
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
    encoder = samples["train"].encoder
    splits = recipe.splits.guarded(recipe.windows.length)
    card = ModelCard(
        model_id=model_id,
        name=recipe.model,
        experiment=recipe.experiment,
        region=recipe.region,
        parameters=done.model.count_params(),
        config=recipe.config.model_dump(mode="json"),
        training=recipe.training.model_dump(mode="json"),
        precision=done.precision,
        backend=keras.backend.backend(),
        windows=recipe.windows,
        train=splits.train,
        validation=splits.validation,
        train_windows=len(samples["train"].windows),
        validation_windows=len(samples["validation"].windows),
        cube_snapshot=snapshot,
        fitted_sha256=_fitted_sha256(encoder),
        weights_sha256=_weights_sha256(done.model),
        best_epoch=done.best_epoch,
        history=done.history,
        created_at=dt.datetime.now(dt.UTC),
        isotherm_version=version("isotherm"),
    )
    TrainedModel(done.model, encoder, card).save(folder / model_id)
    make_current(folder, model_id)
    checkpoints.clear()
    return model_id


def _samples(record: Record, recipe: Recipe, snapshot: str) -> dict[str, FieldSamples]:
    splits = recipe.splits.guarded(recipe.windows.length)
    windows = {
        "train": find_windows(record.time, record.usable, splits.train, recipe.windows),
        "validation": find_windows(record.time, record.usable, splits.validation, recipe.windows),
    }
    climatology = HarmonicClimatology.fit(
        record.values, record.time, recipe.climatology, within=splits.train, snapshot=snapshot
    )
    scaling = AnomalyScaling.fit(record, climatology)
    base = Blend().fit(record, windows["train"], climatology)
    step = record.time[1] - record.time[0]
    encoder = FieldEncoder(record.ocean, step, recipe.windows, scaling, base)
    return {name: FieldSamples(record, part, encoder) for name, part in windows.items()}


def _fitted_sha256(encoder: FieldEncoder) -> str:
    parts = [encoder.base.sha256, encoder.scaling.climatology.sha256, repr(encoder.scaling.deviation)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _weights_sha256(model: Any) -> str:
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()
