"""One more day into a 40-year cube beside one more day into a 1-year cube: time, bytes and objects.

Target: the ratio of the times stays under 1.3, and no more is added than the chunks that hold the day. Both cubes
begin at the same place of their chunks, and the days are added in turns.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from pipeline.grid import Grid
from pipeline.store import schema, writer
from pipeline.types import Box, Status

START = dt.date(1982, 1, 1)
YEAR, FORTY = 384, 14720
GRIDS = {
    "a sea, 32 × 32": Grid.regular(Box(latitude=(-45, -37), longitude=(147, 155)), 0.25),
    "the globe, 2°": Grid.regular(Box(latitude=(-90, 90), longitude=(0, 360)), 2),
}


def batch(grid: Grid, first: int, days: int, rng: np.random.Generator) -> writer.DayBatch:
    values = rng.normal(15, 1, (1, *grid.shape)) + rng.normal(0, 0.1, (days, 1, 1))
    time_ = np.datetime64(START) + np.arange(first, first + days)
    return writer.DayBatch(
        time_,
        np.full(days, Status.FINAL, np.int8),
        tuple(rng.bytes(32).hex() for _ in range(days)),
        tuple(f"https://mirror.example/v2.1/avhrr/oisst-avhrr-v02r01.{day}.nc" for day in time_),
        tuple(rng.bytes(16).hex() for _ in range(days)),
        {"region": values.astype(np.float32)},
    )


def build(path: Path, grid: Grid, days: int) -> None:
    rng = np.random.default_rng(1)
    writer.create_cube(path, {"region": grid}, START)
    for first in range(0, days, 640):
        writer.write(path, batch(grid, first, min(640, days - first), rng))


def objects(path: Path) -> dict[Path, int]:
    return {file: file.stat().st_size for file in path.rglob("*") if file.is_file()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=25, help="days that are added to each cube")
    options = parser.parse_args()
    for name, grid in GRIDS.items():
        with tempfile.TemporaryDirectory() as folder:
            cubes = {YEAR: Path(folder) / "year", FORTY: Path(folder) / "forty"}
            for days, path in cubes.items():
                build(path, grid, days)
            seconds: dict[int, list[float]] = {YEAR: [], FORTY: []}
            added: dict[int, list[tuple[int, int, int]]] = {YEAR: [], FORTY: []}
            for number in range(options.days):
                for days, path in cubes.items():
                    day = batch(grid, days + number, 1, np.random.default_rng(number))
                    before = objects(path)
                    began = time.perf_counter()
                    writer.write(path, day)
                    seconds[days].append(time.perf_counter() - began)
                    new = {f: size for f, size in objects(path).items() if f not in before}
                    chunks = sum(size for f, size in new.items() if f.parent.name == "chunks")
                    added[days].append((len(new), chunks, sum(new.values()) - chunks))
        one, forty = statistics.median(seconds[YEAR]), statistics.median(seconds[FORTY])
        print(f"{name}, chunks of {schema.chunks(grid)}")
        for days, took in ((YEAR, one), (FORTY, forty)):
            count, chunk_bytes, rest = (
                statistics.median(column) for column in zip(*added[days], strict=True)
            )
            print(
                f"  one more day after {days:5d}: {took * 1e3:.1f} ms, {count:.0f} objects, "
                f"{chunk_bytes / 1e3:.1f} kB of chunks, {rest / 1e3:.1f} kB of manifests, snapshot and log"
            )
        print(f"  ratio of the times: {forty / one:.2f} (target: under 1.3)")


if __name__ == "__main__":
    main()
