"""The seam of a model: a frozen configuration and a `build` from it to a Keras model."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol

from models import MODELS
from pipeline.errors import ConfigError
from pipeline.naming import unknown

if TYPE_CHECKING:
    from types import ModuleType

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


@dataclass(frozen=True, slots=True)
class SeriesShape:
    """What a model of a station takes and gives, per sample.

    Input `history` (history, variables), scaled; output (leads,).
    """

    history: int
    variables: int
    leads: int


@dataclass(frozen=True, slots=True)
class RecordShape:
    """What a model of records takes and gives, per sample.

    Inputs `steps` (time, features), scaled, `present` (time,), one where a step is no padding, and `asked` (time,), one
    at the step that the label is of; output (members,), the log odds that each member of the model gives.
    """

    features: int


@dataclass(frozen=True, slots=True)
class TextShape:
    """What a model of texts takes and gives, per sample.

    Input `words` (time,), int32: the number of each word, and zero before the first where there is none; output (1,),
    the log odds of the label.

    Parameters
    ----------
    vocabulary
        Numbers of words, zero included.
    """

    vocabulary: int


@dataclass(frozen=True, slots=True)
class MovieShape:
    """What a model of movies takes and gives, per sample.

    Input `history` (time, y, x), scaled, and zero where nothing is known; output (leads, y, x), the pictures after it.
    Where `stepwise`, it gives the next picture at every step of the history, (time, y, x).

    Parameters
    ----------
    history
        Pictures of the history; None where any number will do.
    horizon
        The leads; 1 of a stepwise model.
    """

    y: int
    x: int
    history: int | None
    horizon: int
    stepwise: bool = False


@dataclass(frozen=True, slots=True)
class Learning:
    """What a model of movies is trained for; `LEARNING` of its module.

    Parameters
    ----------
    learns
        The `next` picture at every step, or the pictures of the `horizon`, as of `MovieSpec`.
    carried
        Of `next`: whether forecasts carry its states, and so may begin with fewer pictures than it was trained with,
        see `models.rolling`.
    """

    learns: Literal["next", "horizon"]
    carried: bool = False


class Build(Protocol):
    """What every entry of MODELS leads to."""

    def __call__(self, config: Any, shape: Any) -> keras.Model:
        """An untrained model for one of the shapes above, as its module says.

        It gives zero, so that training begins at the base forecast; of records and texts it gives log odds.
        """
        ...


def build_of(name: str) -> Build:
    """The `build` of a registered model.

    Raises
    ------
    ConfigError
        No model has that name.
    """
    build: Build = getattr(_module(name), MODELS[name].partition(":")[2])
    return build


def config_of(name: str) -> type[Spec]:
    """The configuration class of a registered model: its module's `Config`; Keras is not loaded.

    Raises
    ------
    ConfigError
        No model has that name.
    """
    config: type[Spec] = _module(name).Config
    return config


def learning_of(name: str) -> Learning:
    """What a registered model of movies is trained for; Keras is not loaded.

    Raises
    ------
    ConfigError
        No model has that name.
    """
    learning: Learning = _module(name).LEARNING
    return learning


def _module(name: str) -> ModuleType:
    if name not in MODELS:
        raise unknown("model", name, MODELS, ConfigError)
    return import_module(MODELS[name].partition(":")[0])
