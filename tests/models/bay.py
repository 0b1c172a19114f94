"""A bay of six by six cells to train on in a second, and the recipe of its smallest model."""

import numpy as np

from models.convlstm import Config
from models.datasets import FieldSamples
from models.encoder import FieldEncoder
from models.recipe import Recipe
from models.specs import TrainingSpec
from pipeline.climatology import HarmonicClimatology
from pipeline.forecasts.blend import Blend
from pipeline.scaling import AnomalyScaling
from pipeline.windows import find_windows
from tests.records import SPEC, SPLITS, YEARLY, changed, make_sea

CONFIG = Config(filters=2, head=3, dropout=0.2)
TRAINING = TrainingSpec(
    epochs=3, steps_per_epoch=4, batch_size=32, patience=3, seed=3, learning_rate=0.02, precision="float32"
)
SHORT = TRAINING.model_copy(update={"epochs": 1, "steps_per_epoch": 2})
BAY = make_sea(shape=(5, 6))
GAPPED = changed(BAY, slice(600, 602), by=np.nan)
"""The bay with two test days missing."""


def recipe(**changes) -> Recipe:
    """How the bay's model is made."""
    told = {
        "experiment": "trial",
        "region": "bay",
        "name": "convlstm",
        "model": "convlstm",
        "config": CONFIG,
        "training": TRAINING,
        "splits": SPLITS,
        "windows": SPEC,
        "climatology": YEARLY,
    }
    return Recipe(**told | changes)


def samples(record=BAY) -> tuple[FieldSamples, FieldSamples]:
    """Of training and of validation, with the encoder fitted on training times."""
    splits = SPLITS.guarded(SPEC.length)
    training = find_windows(record.time, record.usable, splits.train, SPEC)
    validation = find_windows(record.time, record.usable, splits.validation, SPEC)
    climatology = HarmonicClimatology.fit(record.values, record.time, YEARLY, within=splits.train)
    encoder = FieldEncoder(
        record.ocean,
        record.time[1] - record.time[0],
        SPEC,
        AnomalyScaling.fit(record, climatology),
        Blend().fit(record, training, climatology),
    )
    return FieldSamples(record, training, encoder), FieldSamples(record, validation, encoder)
