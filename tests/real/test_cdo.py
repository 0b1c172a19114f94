"""Regridding beside CDO, on the genuine file: the same cells are defined, with the same values."""

import os
import shutil
import subprocess

import numpy as np
import pytest

from pipeline.grid import Grid
from pipeline.regrid import Regridder
from pipeline.types import Box

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("cdo") is None, reason="cdo is not installed"),
]

GRIDS = {
    "1°": Grid.regular(Box(latitude=(-90, 90), longitude=(0, 360)), 1),
    "−180…180": Grid.regular(Box(latitude=(-90, 90), longitude=(-180, 180)), 1),
    "2.5°": Grid.regular(Box(latitude=(-90, 90), longitude=(0, 360)), 2.5),
    "across 0°": Grid.regular(Box(latitude=(30, 46), longitude=(350, 37)), 1),
    "a sea, finer": Grid.regular(Box(latitude=(-45, -37), longitude=(147, 155)), 0.1),
    "a sea, uneven": Grid.regular(Box(latitude=(-45, -37), longitude=(147, 155)), 1 / 3),
    "cells around 0°": Grid(np.arange(-89.5, 90), np.arange(0, 360.0)),
}


@pytest.fixture(scope="module")
def genuine(real_data):
    import h5py

    path = real_data / "oisst" / "oisst-avhrr-v02r01.20211025.nc"
    with h5py.File(path) as file:
        packed = file["sst"][0, 0]
        grid = Grid(file["lat"][:], file["lon"][:])
    return path, grid, np.where(packed == -999, np.nan, packed / 100).astype(np.float32)


def by_cdo(operator, path, grid, folder, **environment):
    import h5py

    (folder / "grid").write_text(
        f"gridtype=lonlat\nxsize={grid.shape[1]}\nysize={grid.shape[0]}\n"
        f"xfirst={grid.longitude[0]!r}\nxinc={np.diff(grid.longitude)[0]!r}\n"
        f"yfirst={grid.latitude[0]!r}\nyinc={np.diff(grid.latitude)[0]!r}\n".replace(
            "np.float64(", ""
        ).replace(")", "")
    )
    out = folder / "out.nc"
    command = [
        "cdo",
        "-s",
        "-O",
        "-P",
        "1",
        "-f",
        "nc4",
        "-b",
        "F32",
        f"{operator},{folder / 'grid'}",
        "-selname,sst",
    ]
    subprocess.run([*command, path, out], check=True, env=os.environ | environment, capture_output=True)
    with h5py.File(out) as file:
        values = file["sst"][...].reshape(grid.shape)
        return np.where(values == file["sst"].attrs["_FillValue"], np.nan, values)


def assert_same(ours, theirs, ties=False):
    np.testing.assert_array_equal(np.isfinite(ours) & ~ties, np.isfinite(theirs) & ~ties)
    both = np.isfinite(ours) & np.isfinite(theirs)
    assert both.sum() > 100
    assert abs(ours - theirs)[both].max() <= 1e-4


@pytest.mark.parametrize("name", GRIDS)
def test_conservative_is_remapcon(genuine, tmp_path, name):
    path, source, field = genuine
    ours = Regridder(source, GRIDS[name], minimum_valid_fraction=0)(field)
    assert_same(ours, by_cdo("remapcon", path, GRIDS[name], tmp_path))


@pytest.mark.parametrize("name", ["1°", "across 0°"])
def test_the_minimum_fraction_is_remap_area_min_but_for_ties(genuine, tmp_path, name):
    path, source, field = genuine
    share = Regridder(source, GRIDS[name])(np.isfinite(field).astype(np.float32))
    ours = Regridder(source, GRIDS[name], minimum_valid_fraction=0.5)(field)
    theirs = by_cdo("remapcon", path, GRIDS[name], tmp_path, REMAP_AREA_MIN="0.5")
    assert_same(ours, theirs, ties=abs(share - 0.5) < 1e-6)


@pytest.mark.parametrize("name", GRIDS)
def test_bilinear_is_remapbil(genuine, tmp_path, name):
    path, source, field = genuine
    ours = Regridder(source, GRIDS[name], method="bilinear", minimum_valid_fraction=1)(field)
    assert_same(ours, by_cdo("remapbil", path, GRIDS[name], tmp_path))
