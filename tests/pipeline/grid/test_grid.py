import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import GridError
from pipeline.grid import Grid, require_ocean
from pipeline.types import Box


@given(st.sampled_from([0.5, 1, 2, 2.5, 5, 10, 30]), st.sampled_from([(0, 360), (-180, 180)]))
def test_the_areas_of_a_global_grid_are_those_of_the_sphere(resolution, longitude):
    grid = Grid.regular(Box(latitude=(-90, 90), longitude=longitude), resolution)
    assert grid.cyclic
    assert grid.area.sum() == pytest.approx(4 * np.pi, rel=1e-12)


@given(st.integers(-180, 359), st.integers(1, 359), st.integers(-90, 80), st.sampled_from([0.25, 0.5, 1]))
def test_a_regular_grid_fills_its_box(west, width, south, resolution):
    east = west + width if west + width <= 360 else west + width - 360
    if east < -180 or east == west:
        return
    box = Box(latitude=(south, south + 10), longitude=(west, east))
    grid = Grid.regular(box, resolution)
    assert np.all(np.diff(grid.longitude) > 0)
    assert grid.longitude_edges[0] % 360 == pytest.approx(west % 360)
    assert np.ptp(grid.longitude_edges) == pytest.approx(box.width)
    assert grid.latitude_edges[[0, -1]] == pytest.approx([south, south + 10])
    assert -180 <= grid.longitude[0] <= grid.longitude[-1] < 540


def test_both_longitude_conventions_are_the_same_cells():
    east = Grid([0.0, 1.0], [179.5, 180.5])
    west = Grid([0.0, 1.0], [179.5, -179.5])
    assert east == west
    assert hash(east) == hash(west)


@pytest.mark.parametrize(
    ("latitude", "longitude", "said"),
    [
        ([0, 2, 1], [0, 1], "neither ascends"),
        ([0, 91], [0, 1], "−90…90"),
        ([0, 1], [5, 5], "same"),
        ([], [0, 1], "shape"),
        ([0, np.nan], [0, 1], "finite"),
        ([0, 1], [0, 90, 180, 270, 359.9], "more than once"),
    ],
)
def test_what_is_no_grid_is_refused(latitude, longitude, said):
    with pytest.raises(GridError, match=said):
        Grid(latitude, longitude)


def test_a_box_that_is_no_whole_number_of_cells_is_refused_with_a_remedy():
    with pytest.raises(GridError, match="multiples of the resolution"):
        Grid.regular(Box(latitude=(0, 10), longitude=(0, 10.5)), 1)


def test_a_region_without_ocean_is_refused_by_name():
    grid = Grid.regular(Box(latitude=(0, 2), longitude=(0, 2)), 1)
    with pytest.raises(GridError, match=r"'sahara' holds no ocean[\s\S]*move or widen") as caught:
        require_ocean(grid, np.zeros((2, 2), bool), "sahara")
    assert caught.value.fields["region"] == "sahara"
    require_ocean(grid, np.eye(2, dtype=bool), "coast")
