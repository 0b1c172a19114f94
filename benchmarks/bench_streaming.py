"""An epoch streamed from a store ten times the memory budget, beside the same epoch from memory.

The store has fourteen variables (time,) of a series store's chunks. Each way runs in a process of its own, which also
tells its peak memory: at most the budget and 500 MB above what its libraries take, at least half as fast.

    python benchmarks/bench_streaming.py [--budget MB] [--stride N] [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import icechunk
import numpy as np
import zarr
from zarr.codecs import BloscCodec

from pipeline.store.series_schema import CHUNK
from pipeline.windows import Windows, WindowSpec

VARIABLES, BATCH, TIMES = 14, 256, 10
MB = 2**20
ROOM = 500


def write_store(folder: Path, rows: int) -> None:
    """Random walks of two decimals."""
    session = icechunk.Repository.create(_storage(folder)).writable_session("main")
    group = zarr.open_group(session.store, mode="a")
    for number in range(VARIABLES):
        steps = np.random.default_rng(number).normal(size=rows)
        array = group.create_array(
            f"v{number:02}",
            shape=(rows,),
            chunks=(CHUNK,),
            dtype="float32",
            compressors=BloscCodec(typesize=4, cname="lz4", clevel=5, shuffle="bitshuffle"),
        )
        array[:] = np.round(np.cumsum(steps) / 100, 2).astype(np.float32)
    session.commit("all")


def _storage(folder: Path) -> icechunk.Storage:
    return icechunk.local_filesystem_storage(str(folder))


def measure(folder: Path, stride: int, budget: int) -> None:
    """One epoch in this process: milliseconds a batch, and the peak of memory above what it had before, in MB."""
    from models.datasets import SeriesSamples, epoch, grouping
    from models.rows import Columns

    session = icechunk.Repository.open(_storage(folder)).readonly_session("main")
    group = zarr.open_group(session.store, mode="r")
    arrays = [group[name] for name in sorted(group.array_keys())]
    libraries = _peak()
    spec = WindowSpec(history=120, horizon=24, first_lead=24, sampling=6, stride=stride)
    init = np.arange(-spec.past[0], arrays[0].shape[0] - spec.ahead[-1], stride)
    time_of = np.datetime64("1900-01-01", "ns") + init * np.timedelta64(10, "m")
    samples = SeriesSamples(Columns(arrays, VARIABLES), arrays[1], Windows(spec, init, time_of))
    groups = grouping(samples, budget)
    if groups is None:
        _ = samples.whole
    batches, began = 0, time.perf_counter()
    for _inputs, _target in epoch(samples, batch_size=BATCH, seed=0, number=1, budget=budget):
        batches += 1
    took = (time.perf_counter() - began) / batches * 1e3
    print(json.dumps({"took": took, "batches": batches, "libraries": libraries, "peak": _peak()}))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=int, default=64, help="MB")
    parser.add_argument("--stride", type=int, default=4, help="rows between windows")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", nargs=2, metavar=("FOLDER", "BUDGET"), help="one epoch alone")
    told = parser.parse_args()
    icechunk.set_logs_filter("error")
    if told.run:
        measure(Path(told.run[0]), told.stride, int(told.run[1]))
        return
    size = TIMES * told.budget * MB
    budgets = {"memory": 2 * size, "streamed": told.budget * MB}
    found: dict[str, list[dict[str, float]]] = {way: [] for way in budgets}
    with tempfile.TemporaryDirectory() as folder:
        write_store(Path(folder), size // (4 * VARIABLES))
        for _ in range(told.rounds):
            for way, budget in budgets.items():
                command = [
                    sys.executable,
                    __file__,
                    "--stride",
                    str(told.stride),
                    "--run",
                    folder,
                    str(budget),
                ]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                found[way].append(json.loads(done.stdout.splitlines()[-1]))
    print(
        f"{size / MB:.0f} MB of rows, {found['memory'][0]['batches']} batches an epoch, budget {told.budget} MB"
    )
    print("ms a batch  peak, MB  of that libraries")
    middle = {
        way: {key: statistics.median(each[key] for each in runs) for key in runs[0]}
        for way, runs in found.items()
    }
    for way, each in middle.items():
        print(f"{each['took']:10.2f} {each['peak']:9.0f} {each['libraries']:18.0f}   {way}")
    above = max(each["peak"] - each["libraries"] for each in found["streamed"])
    speed = middle["memory"]["took"] / middle["streamed"]["took"]
    print(
        f"within the budget and {ROOM} MB: {'yes' if above <= told.budget + ROOM else 'NO'} ({above:.0f} MB)"
    )
    print(f"at least half as fast as from memory: {'yes' if speed >= 0.5 else 'NO'} ({speed:.2f})")


if __name__ == "__main__":
    main()
