"""Pictures hold the field: north at the top, land transparent, values readable back through the scale."""

from __future__ import annotations

import base64
import io

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from pipeline.reports import maps


def decode(address: str) -> np.ndarray:
    head, _, body = address.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body))).convert("RGBA"))


values = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.floats(-2, 35) | st.just(np.nan),
)


@given(values)
def test_pixels_are_the_colours_of_the_values(field: np.ndarray) -> None:
    scale = maps.Scale(-2, 35, maps.SST, "SST (°C)")
    picture = decode(scale.png(field))
    assert picture.shape == (*field.shape, 4)
    np.testing.assert_array_equal(picture[..., 3] == 0, np.isnan(field))
    sea = np.isfinite(field)
    colours = mpl.colormaps[maps.SST](np.arange(256))[:, :3] * 255
    expected = mpl.colormaps[maps.SST]((field[sea] + 2) / 37)[:, :3] * 255
    one_step = np.abs(np.diff(colours, axis=0)).max() + 0.5
    assert np.abs(picture[..., :3][sea] - expected).max(initial=0) <= one_step


@given(values)
def test_a_scale_around_zero_is_symmetric(field: np.ndarray) -> None:
    scale = maps.Scale.around_zero(field, "Error (°C)")
    assert scale.low == -scale.high < 0
    assert scale.clipped == bool(np.nanmax(np.abs(field), initial=0) > scale.high)


@pytest.mark.parametrize("ascending", [True, False])
def test_north_is_at_the_top(ascending: bool) -> None:
    latitude = np.arange(-44.5, -40)
    field = xr.DataArray(
        np.repeat(latitude[:, None], 3, axis=1),
        coords={"latitude": latitude, "longitude": [179.5, 180.5, 181.5]},
        dims=("latitude", "longitude"),
    )
    field = field if ascending else field[::-1]
    canvas = maps.Canvas.of(field)
    assert canvas.pixels(field.values)[0, 0] == latitude[-1]
    assert {text for _, text in canvas.xticks} >= {"180°", "179°W"}
    assert all(text.endswith("°S") for _, text in canvas.yticks)


def test_a_large_grid_is_thinned() -> None:
    field = xr.DataArray(
        np.zeros((300, 700)),
        coords={"latitude": np.linspace(-60, 60, 300), "longitude": np.linspace(0, 359, 700)},
        dims=("latitude", "longitude"),
    )
    assert maps.Canvas.of(field, max_cells=20_000).pixels(field.values).size <= 21_000
