"""What models of movies can learn from: the windows, and the losses that fit their output. Nothing here loads Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.base import learning_of
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from models.specs import TrainingSpec
    from pipeline.movies.windows import MovieSpec
    from pipeline.types import Spec

GIVES = {"next": "the next picture at every step", "horizon": "the pictures of the horizon, all at once"}


def require_learnable(model: str, config: Spec, training: TrainingSpec, windows: MovieSpec) -> None:
    """Refuse what a model of movies would only stumble over after its training, or learn nothing from.

    Raises
    ------
    ConfigError
        It gives other pictures than the windows ask for; it takes more than a forecast has; or its output is no
        probability, and its loss is of one.
    """
    learning = learning_of(model)
    if windows.learn != learning.learns:
        raise ConfigError(
            f"{model} gives {GIVES[learning.learns]}, and learn is {windows.learn!r}",
            remedy=f'write learn = "{learning.learns}" in windows of [movies]',
            key="learn",
        )
    _require_steps(model, windows, carried=learning.carried)
    if training.loss != "binary-cross-entropy":
        return
    if getattr(config, "activation", None) != "sigmoid" or windows.scaling not in ("none", "unit"):
        raise ConfigError(
            "binary-cross-entropy is of pictures between 0 and 1 and a model whose output is there",
            remedy='write loss = "mse" in [training]; or take next_frame with activation = "sigmoid", and scaling = '
            '"none" or "unit" in windows of [movies]',
            key="loss",
        )


def _require_steps(model: str, windows: MovieSpec, *, carried: bool) -> None:
    if windows.judged == "each-step" and windows.given != windows.history:
        raise ConfigError(
            f'judged = "each-step" is of histories of {windows.history} pictures, and steps is {windows.given}',
            remedy="leave steps out of windows of [movies]",
            key="steps",
        )
    if windows.learn == "next" and windows.given > windows.history and not carried:
        raise ConfigError(
            f"{model} takes {windows.given} pictures, as it is trained, and a forecast is made from a history of "
            f"{windows.history}",
            remedy=f"write steps = {windows.history} in windows of [movies]",
            key="steps",
        )
