"""How models are trained, as an experiment says it; nothing here loads Keras."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, SerializerFunctionWrapHandler, model_serializer

from pipeline.types import Spec


class StackingSpec(Spec):
    """How the weights of a station's model beside seasonal naive are fitted."""

    folds: int = Field(default=5, ge=2)
    """Parts of the training windows; each is forecast by a network that was trained on the others."""


LOSSES_OF: dict[str, tuple[str, ...]] = {
    "fields": ("mse", "mae", "huber"),
    "series": ("mse", "mae", "huber"),
    "records": ("cross-entropy", "balanced-cross-entropy"),
    "texts": ("cross-entropy", "balanced-cross-entropy"),
    "movies": ("mse", "mae", "huber", "binary-cross-entropy"),
}
"""Losses by kind of experiment."""


class TrainingSpec(Spec):
    """How a model is trained."""

    epochs: PositiveInt = 12
    """At most; the learning rate of `cosine` falls to zero over so many."""
    steps_per_epoch: PositiveInt | None = None
    """Batches of an epoch; all windows where not given."""
    batch_size: PositiveInt = 32
    optimizer: Literal["adamw", "adam", "rmsprop", "adagrad", "adadelta"] = "adamw"
    loss: Literal[
        "mse", "mae", "huber", "cross-entropy", "balanced-cross-entropy", "binary-cross-entropy"
    ] = "mse"
    """Of scaled values; of records `cross-entropy`, or `balanced-cross-entropy`, which gives both classes the same
    weight; of movies also `binary-cross-entropy`, of each cell of pictures between 0 and 1."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Of the learning rate: warming up and then falling to zero, or as it is."""
    averaged: bool = True
    """What is judged and kept is the running average of the weights, not the latest step."""
    learning_rate: PositiveFloat = 1e-3
    weight_decay: float = Field(default=1e-4, ge=0)
    """Of `adamw` alone."""
    clip_value: PositiveFloat | None = None
    """Bound of each element of the gradient, in place of one as the bound of its norm."""
    patience: PositiveInt = 4
    """Epochs without a better validation loss before training stops."""
    seed: int = 42
    seeds: PositiveInt = 1
    """Trainings, from `seed` and the numbers after it; that with the lowest validation error is kept."""
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"
    """`auto` is bfloat16 products with float32 sums on a GPU, and float32 on a CPU, which has no use for less."""
    stacking: StackingSpec | None = None
    """Of a station: the forecast is drawn towards seasonal naive, by weights that are fitted on training times."""

    @model_serializer(mode="wrap")
    def _told(self, told: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Ids of models are hashes of what is told: those from before the bound was there stay as they are.
        return {name: value for name, value in told(self).items() if (name, value) != ("clip_value", None)}


class EncodingSpec(Spec):
    """What the inputs and targets of a station's models are taken relative to."""

    base: Literal["mean", "naive", "linear"] = "linear"
    """What models correct: the training mean (so that they forecast the value itself), the last value, or the
    linear rung."""
    departures: bool = True
    """The history is given as it departs from its last value, which means the same in every season."""
