import pickle

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.errors import GridError
from pipeline.grid import Grid
from pipeline.regrid import Regridder
from pipeline.types import Box

METHODS = ("conservative", "bilinear", "nearest")
SOURCE = Grid.regular(Box(latitude=(-90, 90), longitude=(0, 360)), 10)
TARGETS = {
    "global": Grid.regular(Box(latitude=(-90, 90), longitude=(0, 360)), 30),
    "dateline": Grid.regular(Box(latitude=(-90, 90), longitude=(-180, 180)), 22.5),
    "across 0": Grid.regular(Box(latitude=(-33, 41), longitude=(350, 24)), 2),
}
targets = st.sampled_from(sorted(TARGETS)).map(TARGETS.__getitem__)
methods = st.sampled_from(METHODS)
fields = hnp.arrays(np.float32, SOURCE.shape, elements=st.floats(-2, 35, width=32))
masks = hnp.arrays(bool, SOURCE.shape, elements=st.booleans())


def masked(field, mask):
    return np.where(mask, field, np.float32(np.nan))


@given(fields, masks, st.sampled_from(["global", "dateline"]))
def test_the_integral_over_the_ocean_is_conserved(field, mask, name):
    source = masked(field, mask)
    target = TARGETS[name]
    regridder = Regridder(SOURCE, target, minimum_valid_fraction=0)
    share = Regridder(SOURCE, target, minimum_valid_fraction=0)(mask.astype(np.float32))
    before = np.where(mask, field * SOURCE.area, 0).sum()
    values = regridder(source)
    after = np.where(np.isfinite(values), values * share * target.area, 0).sum()
    assert after == pytest.approx(before, abs=1e-4)


@given(st.floats(-2, 35, width=32), masks, targets, methods, st.sampled_from([0, 0.5, 1]))
def test_a_constant_stays_itself_wherever_it_is_defined(value, mask, target, method, fraction):
    regridder = Regridder(SOURCE, target, method=method, minimum_valid_fraction=fraction)
    values = regridder(masked(np.full(SOURCE.shape, value, np.float32), mask))
    assert np.all(np.isnan(values) | (abs(values - value) <= 1e-5))
    assert np.isfinite(regridder(np.full(SOURCE.shape, value, np.float32))).all()


@given(fields, masks, targets, st.sampled_from(["conservative", "bilinear"]))
def test_values_stay_within_the_range_of_the_source(field, mask, target, method):
    values = Regridder(SOURCE, target, method=method)(masked(field, mask))
    found = values[np.isfinite(values)]
    if len(found):
        assert field[mask].min() - 1e-4 <= found.min() <= found.max() <= field[mask].max() + 1e-4


@given(fields, masks, targets, methods)
def test_the_order_of_latitude_does_not_matter(field, mask, target, method):
    source = masked(field, mask)
    flipped = Grid(SOURCE.latitude[::-1], SOURCE.longitude)
    there = Regridder(SOURCE, target, method=method)(source)
    back = Regridder(flipped, target, method=method)(source[::-1])
    np.testing.assert_allclose(back, there, rtol=0, atol=1e-5)


@given(fields, masks, targets, methods, st.integers(1, 35))
def test_where_longitude_begins_does_not_matter(field, mask, target, method, turn):
    source = masked(field, mask)
    rolled = Grid(SOURCE.latitude, np.roll((SOURCE.longitude + 180) % 360 - 180, turn))
    there = Regridder(SOURCE, target, method=method)(source)
    round_ = Regridder(rolled, target, method=method)(np.roll(source, turn, axis=1))
    np.testing.assert_allclose(round_, there, rtol=0, atol=1e-5)


@given(fields, masks, methods, st.integers(0, 16), st.integers(0, 35))
def test_cells_of_the_source_are_selected_bit_for_bit(field, mask, method, south, west):
    source = masked(field, mask)
    box = Box(
        latitude=(-90 + 10 * south, min(90, -60 + 10 * south)),
        longitude=(10 * west, 10 * west + 10),
    )
    target = Grid.regular(box, 10)
    rows = slice(south, south + target.shape[0])
    values = Regridder(SOURCE, target, method=method, minimum_valid_fraction=1)(source)
    np.testing.assert_array_equal(values, np.roll(source, -west, axis=1)[rows, : target.shape[1]])


@given(fields, masks, targets, methods, st.integers(1, 3))
def test_lazy_is_eager(field, mask, target, method, chunk):
    stack = np.stack([masked(field, mask), field, np.full_like(field, np.nan), masked(field, ~mask)])
    regridder = Regridder(SOURCE, target, method=method)
    lazy = regridder(da.from_array(stack, chunks=(chunk, 9, 7)))
    assert isinstance(lazy, da.Array)
    assert (lazy.shape, lazy.dtype) == ((4, *target.shape), np.float32)
    eager = regridder(stack)
    np.testing.assert_array_equal(lazy.compute(scheduler="sync"), eager)
    np.testing.assert_array_equal(eager[1], regridder(field))


@given(fields, masks, st.sampled_from([0, 0.3, 0.5, 1]))
def test_it_is_the_brute_force_mean_of_overlapping_cells(field, mask, fraction):
    source = masked(field, mask)
    target = TARGETS["across 0"]
    values = Regridder(SOURCE, target, minimum_valid_fraction=fraction)(source)
    for i, j in ((0, 0), (10, 16), (36, 5)):
        total = valid = covered = 0.0
        south, north = target.latitude_edges[i : i + 2]
        west, east = target.longitude_edges[j : j + 2]
        for row in range(18):
            height = np.sin(np.radians(min(north, 10 * row - 80))) - np.sin(
                np.radians(max(south, 10 * row - 90))
            )
            for column in range(36):
                for turn in (-360, 0):
                    width = min(east, 10 * column + 10 + turn) - max(west, 10 * column + turn)
                    if height > 1e-12 and width > 1e-9:
                        covered += height * width
                        valid += height * width * mask[row, column]
                        total += height * width * mask[row, column] * float(field[row, column])
        if valid / covered >= fraction - 1e-7 and valid > 0:
            assert values[i, j] == pytest.approx(total / valid, abs=1e-5)
        else:
            assert np.isnan(values[i, j])


def test_half_a_cell_of_land_is_enough_or_not():
    source = Grid.regular(Box(latitude=(0, 2), longitude=(0, 2)), 1)
    target = Grid([1.0], [1.0, 3.0])
    values = np.array([[1, np.nan], [1, np.nan]], np.float32)
    found = [Regridder(source, target, minimum_valid_fraction=f)(values)[0, 0] for f in (0, 0.5, 0.51)]
    assert found[:2] == [1, 1]
    assert np.isnan(found[2])


def test_beyond_the_source_nothing_is_defined():
    source = Grid.regular(Box(latitude=(0, 4), longitude=(0, 4)), 1)
    target = Grid.regular(Box(latitude=(-4, 8), longitude=(-4, 8)), 1.5)
    for method in METHODS:
        values = Regridder(source, target, method=method, minimum_valid_fraction=0)(
            np.ones((4, 4), np.float32)
        )
        inside = (abs(target.latitude - 2) < 2.75)[:, None] & (abs(target.longitude - 2) < 2.75)
        assert np.isnan(values[~inside]).all()
        assert (values[3:5, 3:5] == 1).all()


def test_a_data_array_keeps_its_other_coordinates():
    target = TARGETS["global"]
    data = xr.DataArray(
        np.ones((36, 2, 18), np.float32),
        {
            "latitude": SOURCE.latitude,
            "longitude": SOURCE.longitude,
            "time": [3, 4],
            "mask": ("latitude", np.ones(18)),
        },
        ("longitude", "time", "latitude"),
        "sst",
        {"units": "degree_Celsius"},
    )
    result = Regridder(SOURCE, target).data_array(data)
    assert result.dims == ("time", "latitude", "longitude")
    assert result.attrs == data.attrs
    assert list(result.time) == [3, 4]
    np.testing.assert_array_equal(result.latitude, target.latitude)


def test_it_survives_pickling_and_names_a_wrong_grid():
    regridder = Regridder(SOURCE, TARGETS["global"])
    field = np.arange(648, dtype=np.float32).reshape(18, 36)
    regridder(field)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(regridder))(field), regridder(field))
    with pytest.raises(GridError, match="not on the source's"):
        regridder(field.T)


def test_a_target_that_the_source_does_not_reach_is_refused():
    source = Grid.regular(Box(latitude=(0, 4), longitude=(0, 4)), 1)
    far = Grid.regular(Box(latitude=(40, 44), longitude=(90, 94)), 0.8)
    for method in METHODS:
        with pytest.raises(GridError, match="does not reach"):
            Regridder(source, far, method=method)
    with pytest.raises(GridError, match="ascends"):
        Regridder(source, Grid([1.0, 0.0], [0.0, 1.0]))
