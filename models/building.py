"""A model with the first weights that a seed decides, whatever other threads of the process draw meanwhile."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import keras

from models.base import build_of
from pipeline.errors import NotFittedError

if TYPE_CHECKING:
    from pipeline.types import Spec

TRIES = 100
"""Builds before it is given up that two in a row are left alone."""

# Seed and precision are of the whole process.
_ONE_AT_A_TIME = threading.Lock()


def build(name: str, config: Spec, shape: object, *, precision: str, seed: int) -> keras.Model:
    """The model `name` for samples of `shape`.

    Keras draws the seeds of its layers from the generator of Python's `random`, and so do other threads of the process,
    Prefect's among them. Where nobody came between, two models in a row leave it in the same state.

    Raises
    ------
    NotFittedError
        Others draw all the time.
    """
    with _ONE_AT_A_TIME:
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(precision)
        left = None
        try:
            for _ in range(TRIES):
                keras.utils.set_random_seed(seed)
                model = build_of(name)(config, shape)
                if random.getstate() == left:
                    return model
                left = random.getstate()
        finally:
            keras.config.set_dtype_policy(before)
    raise NotFittedError(
        f"the first weights of {name} could not be drawn by their seed: "
        f"other threads drew random numbers during each of {TRIES} tries",
        remedy="train it by `isotherm train`, in a process of its own",
        model=name,
    )
