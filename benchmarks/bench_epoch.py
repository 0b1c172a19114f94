"""A training epoch, loader included, beside the textbook's pipeline: 420,551 × 14 rows, batch 256, RMSprop, MSE.

The textbook's is `timeseries_dataset_from_array` and Keras's own layers in `model.fit` (Chollet 2021, chapter 10); ours
is the loader and the registered model, first as compiled there, then several steps at a time. An epoch is cut to
--steps of its 1,639 batches, a quarter of these for the textbook's; warm-up and compilation come before. Rounds are
interleaved, and medians compared.

    python benchmarks/bench_epoch.py [--steps N] [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import warnings
from typing import TYPE_CHECKING, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from bench_loader import BATCH, SPEC, VARIABLES, samples_of, textbook, walk

from models.base import SeriesShape, build_of, config_of
from models.datasets import SeriesSamples, epoch

if TYPE_CHECKING:
    from collections.abc import Callable

TARGETS = {"dense": 10.0, "lstm": 2.5}
TOGETHER = 20
"""Steps of one call of the compiled function."""


def textbook_model(name: str) -> keras.Model:
    """With Keras's own layers."""
    history = keras.Input((SPEC.history, VARIABLES), name="history")
    if name == "dense":
        hidden = keras.layers.Dense(16, activation="relu")(keras.layers.Flatten()(history))
    else:
        hidden = keras.layers.LSTM(16)(history)
    return keras.Model([history], keras.layers.Dense(1)(hidden))


def our_model(name: str) -> keras.Model:
    """As it is registered."""
    return build_of(name)(config_of(name)(), SeriesShape(SPEC.history, VARIABLES, 1))


def ours(samples: SeriesSamples, number: int, steps: int) -> Any:
    return epoch(samples, batch_size=BATCH, seed=0, number=number, steps=steps)


def milliseconds(model: keras.Model, batches: Callable[[int], Any], steps: int) -> float:
    """Of a step of an epoch of so many, the making of its dataset with it."""
    began = time.perf_counter()
    model.fit(batches(steps), verbose=0)
    return (time.perf_counter() - began) / steps * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    told = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*shuffle=True.*")
    rows = walk()
    samples = samples_of(rows)
    theirs = textbook(rows)
    for name, target in TARGETS.items():
        ways: dict[str, tuple[keras.Model, dict[str, Any]]] = {
            "textbook": (textbook_model(name), {}),
            "textbook's model, our loader": (textbook_model(name), {}),
            "ours": (our_model(name), {}),
            f"ours, {TOGETHER} steps at a time": (our_model(name), {"steps_per_execution": TOGETHER}),
        }
        took: dict[str, list[float]] = {way: [] for way in ways}
        for model, options in ways.values():
            model.compile("rmsprop", "mse", **options)
        for number in range(told.rounds + 1):
            for way, (model, _) in ways.items():
                if way == "textbook":
                    spent = milliseconds(model, theirs.take, told.steps // 4)
                else:
                    spent = milliseconds(model, lambda steps, n=number: ours(samples, n, steps), told.steps)
                if number:
                    took[way].append(spent)
        peer = statistics.median(took["textbook"])
        print(f"{name}: ms a step, ratio")
        for way, each in took.items():
            print(f"{statistics.median(each):10.2f} {peer / statistics.median(each):6.1f}   {way}")
        ratio = peer / statistics.median(list(took.values())[-1])
        print(f"  at least {target:g} times as fast: {'yes' if ratio >= target else 'NO'} ({ratio:.1f})")


if __name__ == "__main__":
    main()
