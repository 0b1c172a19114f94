"""The loader beside `keras.utils.timeseries_dataset_from_array`: 420,551 × 14 rows, 120 samples at rate 6, shuffled.

Rounds of each are interleaved, and medians compared. NumPy's fancy indexing alone, without tf.data, is shown beside.

    python benchmarks/bench_loader.py [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from itertools import islice
from typing import TYPE_CHECKING

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from models.datasets import SeriesSamples, epoch
from pipeline.windows import Windows, WindowSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS, VARIABLES, BATCH = 420_551, 14, 256
SPEC = WindowSpec(history=120, horizon=24, first_lead=24, sampling=6)
DELAY = SPEC.sampling * (SPEC.history + SPEC.horizon - 1)
WARM = 20


def walk() -> np.ndarray:
    """Random walks, scaled."""
    rows = np.cumsum(np.random.default_rng(0).normal(size=(ROWS, VARIABLES)), axis=0)
    return ((rows - rows.mean(axis=0)) / rows.std(axis=0)).astype(np.float32)


def samples_of(rows: np.ndarray) -> SeriesSamples:
    """Every window of the rows, as ours."""
    init = np.arange(-SPEC.past[0], len(rows) - SPEC.ahead[-1])
    time_of = np.datetime64("2009-01-01", "ns") + init * np.timedelta64(10, "m")
    return SeriesSamples(rows, np.ascontiguousarray(rows[:, 1]), Windows(SPEC, init, time_of))


def textbook(rows: np.ndarray) -> Iterator[object]:
    """The same windows, as Keras's own loader has them."""
    return keras.utils.timeseries_dataset_from_array(
        rows[:-DELAY],
        targets=rows[DELAY:, 1],
        sampling_rate=SPEC.sampling,
        sequence_length=SPEC.history,
        batch_size=BATCH,
        shuffle=True,
        seed=0,
    )


def fancy(samples: SeriesSamples) -> Iterator[object]:
    """Indexing alone."""
    windows = samples.windows
    order = np.random.default_rng(0).permutation(len(windows))
    for first in range(0, len(order), BATCH):
        init = windows.init[order[first : first + BATCH], None]
        yield samples.inputs[init + SPEC.past], samples.target[init + SPEC.ahead]


def milliseconds(batches: Iterator[object], count: int) -> float:
    """Of a batch, once it runs."""
    running = iter(batches)
    list(islice(running, WARM))
    began = time.perf_counter()
    for _ in islice(running, count):
        pass
    return (time.perf_counter() - began) / count * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    rows = walk()
    samples = samples_of(rows)
    ways: dict[str, tuple[Callable[[], Iterator[object]], int]] = {
        "timeseries_dataset_from_array": (lambda: textbook(rows), 60),
        "ours": (lambda: epoch(samples, batch_size=BATCH, seed=0, number=1), 800),
        "ours, streamed within 8 MB": (
            lambda: epoch(samples, batch_size=BATCH, seed=0, number=1, budget=2**23),
            800,
        ),
        "NumPy's fancy indexing alone": (lambda: fancy(samples), 400),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (make, count) in ways.items():
            took[name].append(milliseconds(make(), count))
    peer = statistics.median(took["timeseries_dataset_from_array"])
    print("ms a batch  batches a second  ratio")
    for name, each in took.items():
        middle = statistics.median(each)
        print(f"{middle:10.2f} {1e3 / middle:17.0f} {peer / middle:6.1f}   {name}")
    ratio = peer / statistics.median(took["ours"])
    print(f"at least 20 times as many batches a second: {'yes' if ratio >= 20 else 'NO'} ({ratio:.1f})")


if __name__ == "__main__":
    main()
