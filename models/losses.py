"""Losses, of fields weighted by area and deaf to land."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def huber(error: Any) -> Any:
    """Half the square of errors to one, and beyond it as steep as there (Huber 1964)."""
    size = ops.abs(error)
    return ops.where(size < 1, 0.5 * ops.square(error), size - 0.5)


NEARLY = 1e-7
"""How near to 0 or 1 a probability may come: what float32 can tell from 1."""
CLASSIFYING = ("cross-entropy", "balanced-cross-entropy")
"""Losses of labels and log odds."""
LOSSES: dict[str, Callable[[Any], Any]] = {"mse": ops.square, "mae": ops.abs, "huber": huber}


class MeanLoss(keras.losses.Loss):
    """One of LOSSES of each error, averaged over samples, leads and, of fields, the area of the ocean.

    Parameters
    ----------
    name
        In LOSSES.
    area
        Relative area (latitude, longitude) of each cell, zero on land; None for a station.
    """

    def __init__(self, name: str, area: NDArray[np.floating] | None = None) -> None:
        super().__init__(name=name, dtype="float32")
        self._of = LOSSES[name]
        self._share = None if area is None else np.asarray(area / area.sum(), np.float32)[..., None]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Per-sample loss (batch,) of (batch, lead_time), or of fields (batch, latitude, longitude, lead_time)."""
        each = self._of(ops.cast(y_true, "float32") - ops.cast(y_pred, "float32"))
        if self._share is not None:
            each = ops.sum(each * self._share, axis=(1, 2))
        return ops.mean(each, axis=-1)


def binary_cross_entropy(truth: Any, given: Any) -> Any:
    """Of each value between 0 and 1, and the probability that is given for it."""
    given = ops.clip(given, NEARLY, 1 - NEARLY)
    return -(truth * ops.log(given) + (1 - truth) * ops.log(1 - given))


class PictureLoss(keras.losses.Loss):
    """One of LOSSES, or `binary-cross-entropy`, of each cell whose truth is known, averaged over a sample's cells.

    Parameters
    ----------
    name
        Of the loss.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name.replace("-", "_"), dtype="float32")
        self._of = name

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Per-sample loss (batch,) of (batch, picture, y, x), whose truth is NaN where it is not known.

        Raises
        ------
        ConfigError
            Other pictures are given than are asked for.
        """
        truth, given = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        _require_alike(tuple(truth.shape), tuple(given.shape))
        known = ops.isfinite(truth)
        truth = ops.where(known, truth, 0.0)
        if self._of == "binary-cross-entropy":
            each = binary_cross_entropy(truth, given)
        else:
            each = LOSSES[self._of](truth - given)
        # A product would keep a NaN of what is not known.
        each = ops.where(known, each, 0.0)
        many = ops.sum(ops.cast(known, "float32"), axis=(1, 2, 3))
        return ops.sum(each, axis=(1, 2, 3)) / ops.maximum(many, 1.0)


def _require_alike(asked: tuple[int | None, ...], given: tuple[int | None, ...]) -> None:
    # One picture would be compared with each of several; sizes that are not known yet are None.
    apart = len(asked) != len(given) or any(
        one != other for one, other in zip(asked, given, strict=True) if None not in (one, other)
    )
    if apart:
        raise ConfigError(
            f"a model gives {given} (batch, picture, y, x), and {asked} is asked for",
            remedy="let learn of windows of [movies] be what the model is made for",
        )


class CrossEntropy(keras.losses.Loss):
    """The cross-entropy of labels (batch, 1) and log odds (batch, members), averaged over the members.

    Parameters
    ----------
    weights
        Of a record without and of one with the label.
    """

    def __init__(self, weights: tuple[float, float] = (1.0, 1.0)) -> None:
        super().__init__(name="cross_entropy", dtype="float32")
        self._weights = weights

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Per-sample loss (batch,)."""
        label, odds = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        without, with_it = self._weights
        each = with_it * label * ops.softplus(-odds) + without * (1.0 - label) * ops.softplus(odds)
        return ops.mean(each, axis=-1)


class Accuracy(keras.metrics.Mean):
    """The share of labels (batch, 1) that log odds (batch, members) call right, by probabilities of at least one half.

    It is averaged over the members.
    """

    def __init__(self) -> None:
        super().__init__(name="accuracy", dtype="float32")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch."""
        right = ops.equal(ops.cast(y_true, "float32") > 0.5, ops.cast(y_pred, "float32") >= 0.0)
        super().update_state(ops.cast(right, "float32"), sample_weight)
