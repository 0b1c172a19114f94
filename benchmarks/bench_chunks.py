"""Layouts of a cube for both readings: one day's map, and one place's whole record; and one more day.

The layout in use (`pipeline.store.schema.chunks`) is marked; its constants rest on this table.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import icechunk
import numpy as np
import zarr
from zarr.codecs import BloscCodec

from pipeline.grid import Grid
from pipeline.store import schema
from pipeline.types import Box

if TYPE_CHECKING:
    from collections.abc import Callable

Shape = tuple[int, int, int]

CUBES: dict[str, tuple[Grid, int, list[tuple[Shape, Shape | None]]]] = {
    "a sea, 32 × 32, 11,688 days": (
        Grid.regular(Box(latitude=(-45, -37), longitude=(147, 155)), 0.25),
        11688,
        [
            ((1, 32, 32), None),
            ((16, 32, 32), None),
            ((64, 32, 32), None),
            ((128, 32, 32), None),
            ((365, 32, 32), None),
            ((1024, 8, 8), None),
            ((16, 8, 8), (512, 32, 32)),
        ],
    ),
    "the globe, 1°, 4 years": (
        Grid.regular(Box(latitude=(-90, 90), longitude=(0, 360)), 1),
        1461,
        [
            ((1, 180, 360), None),
            ((8, 180, 360), None),
            ((8, 90, 90), None),
            ((16, 90, 90), None),
            ((32, 60, 60), None),
            ((32, 36, 36), None),
            ((64, 45, 45), None),
            ((16, 45, 45), (64, 180, 360)),
            ((32, 36, 36), (32, 180, 360)),
        ],
    ),
}


def field(grid: Grid, days: np.ndarray) -> np.ndarray:
    """Smooth in space and time, with a third of land and noise of 0.05 °C."""
    rng = np.random.default_rng(int(days[0]))
    rows, columns = np.meshgrid(grid.latitude, grid.longitude, indexing="ij")
    base = 25 * np.cos(np.radians(rows)) + 2 * np.sin(np.radians(3 * columns))
    season = np.sin(days / 58)[:, None, None] * rows / 15
    values = (base + season + rng.normal(0, 0.05, (len(days), *grid.shape))).astype(np.float32)
    values[:, np.sin(np.radians(5 * columns)) * np.cos(np.radians(7 * rows)) > 0.35] = np.nan
    return values


def median(function: Callable[[int], Any], times: int) -> float:
    took = []
    for number in range(times):
        began = time.perf_counter()
        function(number)
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e3


def measure(folder: Path, grid: Grid, days: int, chunks: Shape, shards: Shape | None) -> str:
    storage = icechunk.local_filesystem_storage(str(folder))
    session = icechunk.Repository.create(storage).writable_session("main")
    array = zarr.open_group(session.store, mode="a").create_array(
        "sst",
        shape=(days, *grid.shape),
        chunks=chunks,
        shards=shards,
        dtype="float32",
        fill_value=np.nan,
        compressors=BloscCodec(typesize=4, cname="lz4", clevel=5, shuffle="bitshuffle"),
    )
    block = (shards or chunks)[0]
    step = max(64 // block, 1) * block
    for first in range(0, days, step):
        array[first : first + step] = field(grid, np.arange(first, min(days, first + step)))
    session.commit("all")
    held = size(folder)

    def read() -> Any:
        # Each reading opens the repository again, so that nothing is kept from the one before.
        return zarr.open_group(icechunk.Repository.open(storage).readonly_session("main").store, mode="r")[
            "sst"
        ]

    day = median(lambda n: read()[(n * 373) % days], 9)
    place = median(lambda n: read()[:, (n * 7) % grid.shape[0], (n * 11) % grid.shape[1]], 3)
    window = median(lambda n: read()[(n * 373) % (days - 64) : (n * 373) % (days - 64) + 64], 5)

    def append(number: int) -> None:
        session = icechunk.Repository.open(storage).writable_session("main")
        array = zarr.open_group(session.store, mode="a")["sst"]
        array.resize((days + number + 1, *grid.shape))
        array[days + number] = field(grid, np.array([days + number]))[0]
        session.commit("one more")

    before = size(folder)
    more = median(append, 5)
    grown = (size(folder) - before) / 5e3
    return f"{held / days / 1e3:7.1f} {day:9.1f} {window:9.1f} {place:9.1f} {more:9.1f} {grown:9.0f}"


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    icechunk.set_logs_filter("error")
    for name, (grid, days, layouts) in CUBES.items():
        print(name)
        print("    kB a day   map, ms  64 days, ms  place, ms  one more, ms  adds kB   layout")
        for chunks, shards in layouts:
            with tempfile.TemporaryDirectory() as folder:
                row = measure(Path(folder) / "cube", grid, days, chunks, shards)
            used = "  ← in use" if shards is None and chunks == schema.chunks(grid) else ""
            print(f"{row}   {chunks}{f' in shards of {shards}' if shards else ''}{used}")


if __name__ == "__main__":
    main()
