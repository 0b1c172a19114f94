"""A training step of the recurrent layers at batch 256 × 120 × 14, beside Keras's layers and PyTorch's, in one run.

The peers take turns step by step, so that what else runs on the machine slows them alike; ratios are of medians over
the turns. Beside the time that passed stands the processor's, which says more on a busy machine. PyTorch's row needs
`torch` in the environment, or `--torch PYTHON`, an interpreter that has it: it then takes its turns there.

    python benchmarks/bench_lstm.py [--turns 40] [--torch PYTHON]
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras

BATCH, STEPS, VARIABLES = 256, 120, 14
WARM = 3
PAUSE = 0.02
"""Seconds for the threads of the peer before to stop spinning."""
CASES = {"LSTM(16)": (16, 0.0), "LSTM(32), recurrent_dropout=0.25": (32, 0.25)}
PYTORCH = f"""
import sys, torch
units = int(sys.argv[1])
lstm, dense = torch.nn.LSTM({VARIABLES}, units, batch_first=True), torch.nn.Linear(units, 1)
optimizer = torch.optim.RMSprop([*lstm.parameters(), *dense.parameters()])
given, aim = torch.randn({BATCH}, {STEPS}, {VARIABLES}), torch.randn({BATCH}, 1)
for _ in sys.stdin:
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(dense(lstm(given)[0][:, -1]), aim).backward()
    optimizer.step()
    print("done", flush=True)
"""


def samples() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    given = rng.normal(size=(BATCH, STEPS, VARIABLES)).astype(np.float32)
    return given, rng.normal(size=(BATCH, 1)).astype(np.float32)


def model_of(layer: keras.Layer, *, compiled: bool | str) -> keras.Model:
    import keras

    model = keras.Sequential([keras.Input((STEPS, VARIABLES)), layer, keras.layers.Dense(1)])
    model.compile("rmsprop", "mse", jit_compile=compiled)
    return model


def step_of(model: keras.Model) -> Callable[[], None]:
    """One batch through the model's own training function, from tensors that are ready."""
    import tensorflow as tf

    batches = iter(tf.data.Dataset.from_tensors(tuple(map(tf.constant, samples()))).repeat())
    model.make_train_function()

    def step() -> None:
        model.optimizer.iterations.assign(0)
        model.train_function(batches)
        model.optimizer.iterations.numpy()

    return step


def torch_step(python: str, units: int) -> tuple[Callable[[], None], subprocess.Popen[str]]:
    process = subprocess.Popen(
        [python, "-c", PYTORCH, str(units)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def step() -> None:
        process.stdin.write("\n")
        process.stdin.flush()
        if process.stdout.readline() != "done\n":
            sys.exit("the PyTorch process ended")

    return step, process


def measure(peers: dict[str, Callable[[], None]], turns: int) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds of each step, and of this process's processors meanwhile."""
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in peers}
    for name, step in peers.items():
        began = time.perf_counter()
        for _ in range(WARM):
            step()
        print(f"    {name}: the first {WARM} steps, compiling, {time.perf_counter() - began:.1f} s")
    for _ in range(turns):
        for name, step in peers.items():
            time.sleep(PAUSE)
            busy, began = time.process_time(), time.perf_counter()
            step()
            passed = time.perf_counter() - began
            took[name].append((passed * 1e3, (time.process_time() - busy) * 1e3))
    return took


def bench(units: int, dropped: float, turns: int, torch: str | None) -> None:
    import keras

    from models.recurrent import LSTM

    ours, theirs = LSTM(units, recurrent_dropout=dropped), keras.layers.LSTM(units, recurrent_dropout=dropped)
    models = {"ours": model_of(ours, compiled="auto"), "Keras": model_of(theirs, compiled="auto")}
    if not dropped:
        print(f"    {agreement(*models.values())}")
    peers = {name: step_of(model) for name, model in models.items()}
    if dropped:
        again = keras.layers.LSTM(units, recurrent_dropout=dropped)
        again.supports_jit = True
        peers["Keras compiled"] = step_of(model_of(again, compiled=True))
    process = None
    if torch:
        peers["PyTorch" + " without dropout" * bool(dropped)], process = torch_step(torch, units)
    took = measure(peers, turns)
    if process:
        process.stdin.close()
        process.wait()
    for name, times in took.items():
        report(name, times, took["ours"])
    if not torch:
        print("    PyTorch: skipped, there is no torch here (see --torch)")


def report(name: str, times: list[tuple[float, float]], own: list[tuple[float, float]]) -> None:
    (passed, busy), (our_passed, our_busy) = (
        [statistics.median(column) for column in zip(*each, strict=True)] for each in (times, own)
    )
    least = min(times)[0]
    line = f"    {name:24} median {passed:6.2f} ms = {passed / our_passed:.2f} × ours"
    line += f", least {least:6.2f} ms = {least / min(own)[0]:.2f} × ours"
    if not name.startswith("PyTorch"):
        line += f", processor {busy:6.2f} ms = {busy / our_busy:.2f} × ours"
    print(line)


def agreement(ours: keras.Model, theirs: keras.Model) -> str:
    """The greatest differences of outputs and gradients under the same weights."""
    import tensorflow as tf

    theirs.set_weights(ours.get_weights())
    given, aim = samples()
    results = []
    for model in (ours, theirs):
        with tf.GradientTape() as tape:
            output = model(given, training=True)
            loss = tf.reduce_mean(tf.square(output - aim))
        results.append([output, *tape.gradient(loss, model.trainable_variables)])
    output, *gradients = (float(tf.reduce_max(abs(a - b))) for a, b in zip(*results, strict=True))
    assert max(output, *gradients) < 1e-5
    return f"same weights: outputs differ by {output:.1e}, gradients by {max(gradients):.1e}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--torch", help="an interpreter that has torch")
    given = parser.parse_args()
    torch = given.torch or (sys.executable if importlib.util.find_spec("torch") else None)
    print(f"a training step at {BATCH} × {STEPS} × {VARIABLES}, {given.turns} turns")
    for name, (units, dropped) in CASES.items():
        print(f"  {name}")
        bench(units, dropped, given.turns, torch)


if __name__ == "__main__":
    main()
