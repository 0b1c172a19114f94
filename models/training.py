"""Training with early stopping, checkpoints and exact resume."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from models import datasets
from models.building import build
from models.devices import has_gpu
from models.losses import CLASSIFYING, Accuracy, CrossEntropy, MeanLoss, PictureLoss
from models.movie_samples import MovieSamples
from pipeline.errors import NotFittedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.checkpoints import Checkpoints
    from models.samples import Samples
    from models.specs import TrainingSpec
    from pipeline.types import Spec

    Progress = Callable[[int, int, str], None]


STATION_STEPS = 20
"""Steps that run at once: those of a station's models take a millisecond or two, and each return to Python as long."""
KEPT_EVERY = 60.0
"""Seconds after which a long epoch is kept as far as it is."""
EMA = 0.995
"""Momentum of the running average of the weights: about the last 200 steps."""
ADAGRAD_START = 1e-6
"""Of the sums of squared gradients; more than zero, so that the first step divides by something."""


@dataclass(frozen=True, slots=True)
class Training:
    """What a training gave: the model with its best weights, and the course of it."""

    model: keras.Model
    history: list[dict[str, float]]
    """Per epoch `epoch` (from 1), `loss`, `validation_loss`, `learning_rate`, `seconds`; of a station also `mae` and
    `validation_mae`, scaled; of labels `accuracy` and `validation_accuracy`."""
    best_epoch: int
    precision: str


def train(
    name: str,
    config: Spec,
    spec: TrainingSpec,
    training: Samples,
    validation: Samples,
    checkpoints: Checkpoints,
    progress: Progress = lambda _done, _total, _note: None,
    *,
    epochs: int | None = None,
) -> Training:
    """Train the model `name`, going on from `checkpoints` where a killed training left them.

    An epoch's samples, their order and what is dropped are decided by the seed and the epoch alone, and what changes
    within it is kept with the weights, after each epoch and every minute of a long one: a training that was killed
    and resumed ends as one that was not. What is judged and kept is the running average of the weights, which
    generalises better than the latest step (Izmailov et al. 2018, arXiv:1803.05407).

    Parameters
    ----------
    epochs
        Where given, training stops after so many and the last is kept: `validation` is looked at, and decides nothing.

    Raises
    ------
    NotFittedError
        The loss was never a number.
    DiskFullError
        There is no space for a checkpoint; the one before is kept.
    """
    precision = choose_precision(spec.precision)
    model = build(name, config, training.shape, precision=precision, seed=spec.seed)
    of_station = isinstance(training, datasets.SeriesSamples)
    metrics = ["mae"] if of_station else ["accuracy"] if spec.loss in CLASSIFYING else []
    model.compile(
        _optimizer(spec, training),
        _loss(spec, training),
        metrics=[Accuracy() if each == "accuracy" else each for each in metrics],
        steps_per_execution=STATION_STEPS if of_station else 1,
    )
    model.optimizer.build(model.trainable_variables)

    state: dict[str, Any] = checkpoints.resume(model) or {
        "history": [],
        "best": float("inf"),
        "best_epoch": 0,
    }
    judged = datasets.ordered(validation, batch_size=4 * spec.batch_size)
    for number in range(len(state["history"]) + 1, (epochs or spec.epochs) + 1):
        if epochs is None and number - 1 - state["best_epoch"] >= spec.patience:
            break
        began = time.monotonic()
        _seed_dropout(model, spec.seed, number)
        broken_off = state.pop("within", None)
        if broken_off:
            # Earlier versions noted the batches alone.
            broken_off.setdefault("samples", broken_off["steps"] * spec.batch_size)
        skipped = broken_off["steps"] if broken_off else 0
        batches = datasets.epoch(
            training,
            batch_size=spec.batch_size,
            seed=spec.seed,
            number=number,
            steps=spec.steps_per_epoch,
            skip=skipped,
        )
        report = _EpochProgress(progress, number, spec.epochs, skipped)
        keeper = _Keeper(checkpoints, state, broken_off)
        told = model.fit(batches, shuffle=False, verbose=0, callbacks=[report, keeper]).history
        fitted = keeper.whole({name: each[-1] for name, each in told.items()}, keeper.samples)
        # `fit` has put the averages in the weights' place.
        seen, kept = model.evaluate(judged, verbose=0, return_dict=True), model.get_weights()
        model.set_weights(keeper.latest)
        loss, validation_loss = fitted["loss"], float(seen["loss"])
        state["history"].append(
            {
                "epoch": number,
                "loss": loss,
                "validation_loss": validation_loss,
                **{name: fitted[name] for name in metrics},
                **{f"validation_{name}": float(seen[name]) for name in metrics},
                "learning_rate": float(model.optimizer.learning_rate),
                "seconds": time.monotonic() - began,
            }
        )
        better = validation_loss < state["best"] if epochs is None else number == epochs and np.isfinite(loss)
        if better:
            state |= {"best": validation_loss, "best_epoch": number}
        checkpoints.save(model, state, kept if better else None)
        progress(number, spec.epochs, f"loss {loss:.4f}, validation {validation_loss:.4f}")
    if not state["best_epoch"]:
        raise NotFittedError(
            f"the training of {name} diverged: the loss was not a number in any of its epochs",
            remedy="lower learning_rate, or see that the record holds no absurd values",
            model=name,
        )
    checkpoints.load_best(model)
    return Training(model, state["history"], state["best_epoch"], precision)


def choose_precision(wanted: str) -> str:
    """The Keras dtype policy for this machine."""
    if wanted != "auto":
        return wanted
    return "mixed_bfloat16" if has_gpu() else "float32"


def _loss(spec: TrainingSpec, training: Samples) -> keras.losses.Loss:
    if isinstance(training, MovieSamples):
        return PictureLoss(spec.loss)
    if spec.loss not in CLASSIFYING:
        return MeanLoss(spec.loss, training.area)
    return CrossEntropy(training.class_weights if spec.loss == "balanced-cross-entropy" else (1.0, 1.0))


def _random_states(model: keras.Model) -> list[Any]:
    """Of what is dropped; Keras keeps none with the weights."""
    return [each for each in model.non_trainable_variables if each.name == "seed_generator_state"]


def _seed_dropout(model: keras.Model, seed: int, number: int) -> None:
    """Let the seed and the epoch decide what is dropped."""
    states = _random_states(model)
    drawn = np.random.default_rng((seed, number, len(states))).integers(2**31, size=(len(states), 2))
    for state, value in zip(states, drawn, strict=True):
        state.assign(value)


def _optimizer(spec: TrainingSpec, training: Samples) -> keras.optimizers.Optimizer:
    rate: Any = spec.learning_rate
    if spec.schedule == "cosine":
        whole = _whole_epoch(training, spec.batch_size)
        steps = min(whole, spec.steps_per_epoch or whole)
        rate = keras.optimizers.schedules.CosineDecay(
            spec.learning_rate / 10,
            max(1, steps * spec.epochs - steps // 2),
            warmup_target=spec.learning_rate,
            warmup_steps=max(1, steps // 2),
        )
    kinds = {
        "adamw": keras.optimizers.AdamW,
        "adam": keras.optimizers.Adam,
        "rmsprop": keras.optimizers.RMSprop,
        "adagrad": keras.optimizers.Adagrad,
        "adadelta": keras.optimizers.Adadelta,
    }
    own: dict[str, Any] = {}
    if spec.optimizer == "adamw":
        own = {"weight_decay": spec.weight_decay}
    elif spec.optimizer == "adagrad":
        # Squares of gradients are added to nothing, as in Duchi et al. (2011); Keras would add them to 0.1.
        own = {"initial_accumulator_value": ADAGRAD_START}
    average = {"use_ema": True, "ema_momentum": EMA} if spec.averaged else {}
    clipped = {"global_clipnorm": 1.0} if spec.clip_value is None else {"clipvalue": spec.clip_value}
    return kinds[spec.optimizer](rate, **clipped, **own, **average)


def _whole_epoch(training: Samples, batch_size: int) -> int:
    """Batches of an epoch that has all samples, see `datasets.epoch`."""
    if training.buckets is None:
        return max(1, len(training.windows) // batch_size)
    return len(training.buckets.batches(np.arange(len(training.windows)), batch_size))


class _EpochProgress(keras.callbacks.Callback):
    """Tell after each batch how far the epoch is, of which so many batches were `skipped`."""

    def __init__(self, progress: Progress, number: int, epochs: int, skipped: int) -> None:
        super().__init__()
        self._progress = progress
        self._number = number
        self._epochs = epochs
        self._skipped = skipped

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        loss = f", loss {logs['loss']:.4f}" if logs else ""
        done = _done(self, batch) + self._skipped
        self._progress(self._number - 1, self._epochs, f"epoch {self._number}, batch {done}{loss}")


class _Keeper(keras.callbacks.Callback):
    """Keep a long epoch as far as it is, from time to time; take up the one that was `broken_off`.

    After the epoch, `latest` has the weights that training goes on from, and `samples` says how many it had.
    """

    latest: list[Any]
    samples: int

    def __init__(
        self, checkpoints: Checkpoints, state: dict[str, Any], broken_off: dict[str, Any] | None
    ) -> None:
        super().__init__()
        self._checkpoints = checkpoints
        self._state = state
        self._broken_off = broken_off
        self._kept = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        del epoch, logs
        if self._broken_off is not None:
            for variable, value in zip(_random_states(self.model), self._broken_off["random"], strict=True):
                variable.assign(value)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        done = _done(self, batch)
        if time.monotonic() - self._kept < KEPT_EVERY or done >= self.params["steps"]:
            return
        before, samples = self._broken_off or {"steps": 0, "samples": 0}, self._seen()
        within = {
            "steps": done + before["steps"],
            "samples": samples + before["samples"],
            "told": self.whole(logs or {}, samples),
            "random": [np.asarray(each).tolist() for each in _random_states(self.model)],
        }
        self._checkpoints.save(self.model, {**self._state, "within": within})
        self._kept = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        del epoch, logs
        self.latest, self.samples = self.model.get_weights(), self._seen()

    def whole(self, told: dict[str, float], samples: int) -> dict[str, float]:
        """What was told of the last `samples`, with those before the epoch broke off."""
        if self._broken_off is None:
            return {name: float(value) for name, value in told.items()}
        before, earlier = self._broken_off["samples"], self._broken_off["told"]
        return {
            name: (before * earlier[name] + samples * float(value)) / (before + samples)
            for name, value in told.items()
        }

    def _seen(self) -> int:
        """Samples that the mean of the loss is of; batches of sequences are of several sizes."""
        return int(self.model.metrics[0].count)


def _done(callback: keras.callbacks.Callback, batch: int) -> int:
    """Batches that are done; where several steps run at once, `batch` goes beyond the last."""
    return min(batch + 1, callback.params.get("steps") or batch + 1)
