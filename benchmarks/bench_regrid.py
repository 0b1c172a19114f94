"""Regridding of a global 0.25° day to 1°, beside CDO's `remapcon` with ready weights and a dense matrix product."""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.grid import Grid
from pipeline.regrid import Regridder
from pipeline.types import Box

if TYPE_CHECKING:
    from collections.abc import Callable

DAYS = 30
SOURCE = Grid.regular(Box(latitude=(-90, 90), longitude=(0, 360)), 0.25)
TARGET = Grid.regular(Box(latitude=(-90, 90), longitude=(0, 360)), 1)


def fields() -> np.ndarray:
    rng = np.random.default_rng(0)
    values = rng.normal(15, 5, (DAYS, *SOURCE.shape)).astype(np.float32)
    rows, columns = np.meshgrid(SOURCE.latitude, SOURCE.longitude, indexing="ij")
    land = np.sin(np.radians(5 * columns)) * np.cos(np.radians(7 * rows)) > 0.35
    values[:, land] = np.nan
    return values


def median(function: Callable[[], object], times: int = 5) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        function()
        took.append(time.perf_counter() - began)
    return statistics.median(took) / DAYS * 1e3


def dense(values: np.ndarray) -> np.ndarray:
    """The same mean by two dense products, as einsum-like regridders do."""
    rows = np.kron(np.eye(180), np.ones(4)) * np.diff(np.sin(np.radians(SOURCE.latitude_edges)))
    columns = np.kron(np.eye(360), np.ones(4))
    valid = np.isfinite(values)
    total = rows @ np.where(valid, values, 0).astype(float) @ columns.T
    return total / (rows @ valid.astype(float) @ columns.T)


def by_cdo(values: np.ndarray, folder: Path) -> float:
    """Milliseconds a day of a process that reads unpacked floats, remaps with ready weights, and writes."""
    import xarray as xr

    path, grid, weights = folder / "in.nc", folder / "grid", folder / "weights.nc"
    coords = {"time": np.arange(DAYS), "lat": SOURCE.latitude, "lon": SOURCE.longitude}
    data = xr.DataArray(values, coords, ("time", "lat", "lon"), "sst")
    data.lat.attrs["units"], data.lon.attrs["units"] = "degrees_north", "degrees_east"
    data.to_netcdf(path, encoding={"sst": {"_FillValue": np.float32(-999)}})
    grid.write_text("gridtype=lonlat\nxsize=360\nysize=180\nxfirst=0.5\nxinc=1\nyfirst=-89.5\nyinc=1\n")

    command = ["cdo", "-s", "-O", "-P", "1", "-b", "F32", f"remap,{grid},{weights}", path, folder / "out.nc"]
    subprocess.run(["cdo", "-s", f"gencon,{grid}", path, weights], check=True, capture_output=True)
    return median(lambda: subprocess.run(command, check=True, capture_output=True), 3)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    values = fields()
    regridder = Regridder(SOURCE, TARGET, minimum_valid_fraction=0)
    for method in ("conservative", "bilinear", "nearest"):
        each = Regridder(SOURCE, TARGET, method=method)
        print(f"{method}: {median(lambda each=each: each(values)):.2f} ms a day")
    print(f"two dense products: {median(lambda: dense(values), 1):.2f} ms a day")
    assert np.nanmax(abs(dense(values[:1]) - regridder(values[:1]))) < 1e-5
    if shutil.which("cdo"):
        with tempfile.TemporaryDirectory() as folder:
            print(
                f"cdo remap, ready weights, reading unpacked floats: {by_cdo(values, Path(folder)):.2f} ms a day"
            )


if __name__ == "__main__":
    main()
