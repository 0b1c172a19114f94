"""The seam of a model: a frozen configuration and a `build` from it to a Keras model."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from models import MODELS
from pipeline.errors import ConfigError
from pipeline.naming import unknown

if TYPE_CHECKING:
    import keras

    from pipeline.types import Spec


@dataclass(frozen=True, slots=True)
class FieldShape:
    """What a model of fields takes and gives, per sample.

    Inputs `history` (latitude, longitude, history), `base` (latitude, longitude, horizon) and `constants`
    (latitude, longitude, constants); output (latitude, longitude, horizon). All are scaled and zero on land.
    """

    latitude: int
    longitude: int
    history: int
    horizon: int
    constants: int


class Build(Protocol):
    """What every entry of MODELS leads to."""

    def __call__(self, config: Spec, shape: FieldShape) -> keras.Model:
        """An untrained model whose output is zero, so that training begins at the base forecast."""
        ...


def build_of(name: str) -> Build:
    """The `build` of a registered model.

    Raises
    ------
    ConfigError
        No model has that name.
    """
    if name not in MODELS:
        raise unknown("model", name, MODELS, ConfigError)
    module, _, attribute = MODELS[name].partition(":")
    build: Build = getattr(import_module(module), attribute)
    return build
