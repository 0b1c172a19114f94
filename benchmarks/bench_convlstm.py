"""A training step of the moving-squares network, beside Keras's ConvLSTM2D and PyTorch's usual one, in one run.

Four layers of 40 filters 3 × 3 with batch normalisation after each, a 3-D convolution and binary cross-entropy, batch
4 × 15 frames of 40 × 40. The peers take turns step by step, so that what else runs on the machine slows them alike;
figures are the least over the turns, of the time that passed and of the processor's, which says more on a busy machine.
The rate of the machine's own convolutions, forward and backward over all frames at once, takes its turns too: a share
of 100 % would be a step that does nothing else. PyTorch's rows need `torch` in the environment, or `--torch PYTHON`,
an interpreter that has it: it then takes its turns there.

    python benchmarks/bench_convlstm.py [--turns 6] [--torch PYTHON]
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras

    Step = Callable[[], float]
    Took = dict[str, list[tuple[float, float]]]

BATCH, FRAMES, SIDE, FILTERS, LAYERS, KERNEL = 4, 15, 40, 40, 4, 3
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
PAUSE = 0.05
"""Seconds for the threads of the peer before to stop spinning."""
WARM = 2
PYTORCH = f"""
import sys, time, torch
from torch import nn

class Layer(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gates = nn.Conv2d(channels + {FILTERS}, 4 * {FILTERS}, {KERNEL}, padding="same")
        self.norm = nn.BatchNorm3d({FILTERS})

    def forward(self, frames):
        hidden = cell = frames.new_zeros(frames.shape[0], {FILTERS}, *frames.shape[3:])
        each = []
        for frame in frames.unbind(1):
            write, keep, candidate, read = self.gates(torch.cat([frame, hidden], 1)).chunk(4, 1)
            cell = torch.sigmoid(keep) * cell + torch.sigmoid(write) * torch.tanh(candidate)
            hidden = torch.sigmoid(read) * torch.tanh(cell)
            each.append(hidden)
        return self.norm(torch.stack(each, 2)).transpose(1, 2)

torch.manual_seed(0)
layers = nn.Sequential(Layer(1), *[Layer({FILTERS}) for _ in range({LAYERS - 1})])
last = nn.Conv3d({FILTERS}, 1, {KERNEL}, padding="same")
optimizer = torch.optim.Adadelta([*layers.parameters(), *last.parameters()])
movie = (torch.rand({BATCH}, {FRAMES}, 1, {SIDE}, {SIDE}) < 0.2).float()
for _ in sys.stdin:
    busy = time.process_time()
    optimizer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=sys.argv[1] == "bfloat16"):
        frames = last(layers(movie).transpose(1, 2)).transpose(1, 2)
    nn.functional.binary_cross_entropy_with_logits(frames.float(), movie).backward()
    optimizer.step()
    print(time.process_time() - busy, flush=True)
"""


def arithmetic() -> float:
    """Operations of the recurrent layers' convolutions, forward and backward, none of the first state counted."""
    cells = BATCH * SIDE * SIDE * KERNEL * KERNEL * 4 * FILTERS
    forward = FRAMES * (1 + FILTERS * (LAYERS - 1)) + (FRAMES - 1) * FILTERS * LAYERS
    unneeded = FRAMES  # the gradient of the movie itself
    return 2.0 * cells * (3 * forward - unneeded)


def network(layer: Callable[..., keras.Layer], policy: str) -> keras.Model:
    import keras

    keras.config.set_dtype_policy(policy)
    model = keras.Sequential([keras.Input((FRAMES, SIDE, SIDE, 1))])
    for _ in range(LAYERS):
        model.add(layer(FILTERS, KERNEL, padding="same", return_sequences=True))
        model.add(keras.layers.BatchNormalization())
    model.add(keras.layers.Conv3D(1, KERNEL, padding="same", activation="sigmoid", dtype="float32"))
    model.compile("adadelta", "binary_crossentropy")
    keras.config.set_dtype_policy("float32")
    return model


def movies() -> np.ndarray:
    return (np.random.default_rng(0).random((BATCH, FRAMES, SIDE, SIDE, 1)) < 0.2).astype(np.float32)


def step_of(model: keras.Model) -> Step:
    """One batch through the model's own training function, from tensors that are ready; processor seconds."""
    import tensorflow as tf

    batches = iter(tf.data.Dataset.from_tensors((tf.constant(movies()),) * 2).repeat())
    model.make_train_function()

    def step() -> float:
        busy = time.process_time()
        model.train_function(batches)
        model.optimizer.iterations.numpy()
        return time.process_time() - busy

    return step


def torch_step(python: str, precision: str) -> tuple[Step, subprocess.Popen[str]]:
    process = subprocess.Popen(
        [python, "-c", PYTORCH, precision], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def step() -> float:
        process.stdin.write("\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            sys.exit("the PyTorch process ended")
        return float(answer)

    return step, process


def convolution_step(precision: str) -> tuple[Step, float]:
    """A large plain convolution with all its gradients, and its operations."""
    import tensorflow as tf

    frames = BATCH * FRAMES
    inputs = tf.cast(tf.random.normal((frames, SIDE, SIDE, FILTERS)), precision)
    kernel = tf.cast(tf.random.normal((KERNEL, KERNEL, FILTERS, 4 * FILTERS)), precision)
    upstream = tf.cast(tf.random.normal((frames, SIDE, SIDE, 4 * FILTERS)), precision)

    @tf.function
    def convolve() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch([inputs, kernel])
            output = tf.nn.conv2d(inputs, kernel, 1, "SAME")
        return [output[0, 0, 0], *tape.gradient(output, [inputs, kernel], upstream)]

    def step() -> float:
        busy = time.process_time()
        convolve()[1].numpy()
        return time.process_time() - busy

    return step, 3 * 2.0 * frames * SIDE**2 * KERNEL**2 * FILTERS * 4 * FILTERS


def measure(peers: dict[str, Step], turns: int) -> Took:
    """Seconds of each step, and of the processors meanwhile."""
    took: Took = {name: [] for name in peers}
    for name, step in peers.items():
        began = time.perf_counter()
        for _ in range(WARM):
            step()
        print(f"  {name}: the first {WARM} steps, tracing, {time.perf_counter() - began:.1f} s", flush=True)
    for _ in range(turns):
        for name, step in peers.items():
            time.sleep(PAUSE)
            began = time.perf_counter()
            busy = step()
            took[name].append((time.perf_counter() - began, busy))
    return took


def agreement(ours: keras.Model, theirs: keras.Model) -> str:
    """The greatest differences of outputs and gradients under the same weights, in float32."""
    import keras
    import tensorflow as tf

    theirs.set_weights(ours.get_weights())
    movie = movies()

    @tf.function
    def run(model: keras.Model) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            output = model(movie, training=True)
            loss = tf.reduce_mean(keras.losses.binary_crossentropy(movie, output))
        return [output, *tape.gradient(loss, model.trainable_variables)]

    output, *gradients = (
        float(tf.reduce_max(abs(a - b))) for a, b in zip(run(ours), run(theirs), strict=True)
    )
    assert max(output, *gradients) < 1e-5
    return f"same weights in float32: outputs differ by {output:.1e}, gradients by {max(gradients):.1e}"


def peers_of(torch: str | None) -> tuple[dict[str, Step], dict[str, float], list[subprocess.Popen[str]]]:
    import keras

    from models.convlstm2d import ConvLSTM2D

    peers: dict[str, Step] = {}
    operations: dict[str, float] = {}
    processes = []
    models: dict[str, keras.Model] = {}
    for precision, policy in PRECISIONS.items():
        for name, layer in (("ours", ConvLSTM2D), ("Keras", keras.layers.ConvLSTM2D)):
            models[f"{name} {precision}"] = network(layer, policy)
            peers[f"{name} {precision}"] = step_of(models[f"{name} {precision}"])
        if torch:
            peers[f"PyTorch {precision}"], process = torch_step(torch, precision)
            processes.append(process)
        name = f"convolution {precision}"
        peers[name], operations[name] = convolution_step(precision)
    print(f"  {agreement(models['ours float32'], models['Keras float32'])}", flush=True)
    return peers, operations, processes


def report(took: Took, operations: dict[str, float]) -> None:
    least = {name: tuple(map(min, zip(*times, strict=True))) for name, times in took.items()}
    for precision in PRECISIONS:
        rate = [operations[f"convolution {precision}"] / each for each in least[f"convolution {precision}"]]
        print(
            f"  {precision}: plain convolutions run at {rate[0] / 1e9:.0f} GFLOP/s, and at {rate[1] / 1e9:.0f} a core"
        )
        for name in (each for each in least if each.endswith(precision) and each not in operations):
            passed, busy = least[name]
            ours = least[f"ours {precision}"]
            share = [
                arithmetic() / seconds / full for seconds, full in zip((passed, busy), rate, strict=True)
            ]
            print(
                f"    {name:17} least {passed:.2f} s = {passed / ours[0]:.2f} × ours, "
                f"processor {busy:.2f} s = {busy / ours[1]:.2f} × ours; "
                f"{share[0]:.0%} of the convolutions' rate, {share[1]:.0%} by processor time"
            )
    best = [min(least[f"ours {precision}"][each] for precision in PRECISIONS) for each in range(2)]
    ratio = [keras / ours for keras, ours in zip(least["Keras float32"], best, strict=True)]
    print(f"  Keras's default, float32, is {ratio[0]:.2f} × our best, {ratio[1]:.2f} × by processor time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--torch", help="an interpreter that has torch")
    given = parser.parse_args()
    torch = given.torch or (sys.executable if importlib.util.find_spec("torch") else None)
    print(
        f"a training step at {BATCH} × {FRAMES} × {SIDE} × {SIDE}, {LAYERS} × {FILTERS} filters, "
        f"{arithmetic() / 1e9:.0f} GFLOP; {given.turns} turns, load {os.getloadavg()[0]:.1f} before"
    )
    peers, operations, processes = peers_of(torch)
    took = measure(peers, given.turns)
    for process in processes:
        process.stdin.close()
        process.wait()
    report(took, operations)
    if not torch:
        print("    PyTorch: skipped, there is no torch here (see --torch)")
    print(f"  load {os.getloadavg()[0]:.1f} after, on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
