import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.losses import LOSSES, MeanLoss
from tests.records import make_sea

SEA = make_sea(1, shape=(4, 5))
LOSS = MeanLoss("mse", SEA.cell_weights)


def fields(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, 3, 4, 5, 2)).astype(np.float32)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_it_is_the_area_weighted_mean_of_squares(seed):
    truth, forecast = fields(seed)
    area = np.where(SEA.ocean, np.cos(np.radians(SEA.latitude))[:, None], 0)
    each = np.average(np.mean((truth - forecast) ** 2, axis=-1).reshape(3, -1), axis=1, weights=area.ravel())
    np.testing.assert_allclose(LOSS.call(truth, forecast), each, rtol=1e-5)
    assert float(LOSS(truth, forecast)) == pytest.approx(each.mean(), rel=1e-5)


def test_land_has_no_part_in_it_and_ocean_has():
    truth, forecast = fields(1)
    before = np.asarray(LOSS.call(truth, forecast))
    forecast[:, 0, 0] = 1e3
    np.testing.assert_array_equal(LOSS.call(truth, forecast), before)
    forecast[1, 3, 3] = np.nan
    assert np.isnan(LOSS.call(truth, forecast)).tolist() == [False, True, False]


def test_it_is_computed_in_full_precision():
    truth, forecast = fields(2)
    rough = keras.ops.cast(forecast, "bfloat16")
    expected = LOSS.call(truth, np.asarray(keras.ops.cast(rough, "float32")))
    got = LOSS.call(truth, rough)
    assert keras.backend.standardize_dtype(got.dtype) == "float32"
    np.testing.assert_array_equal(got, expected)


REFERENCES = {
    "mse": lambda error: error**2,
    "mae": np.abs,
    "huber": lambda error: np.where(np.abs(error) < 1, error**2 / 2, np.abs(error) - 0.5),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_station_has_no_area(name):
    rng = np.random.default_rng(0)
    truth, forecast = rng.normal(size=(2, 7, 3)).astype(np.float32)
    expected = REFERENCES[name](truth.astype(float) - forecast).mean(axis=-1)
    np.testing.assert_allclose(MeanLoss(name).call(truth, forecast), expected, rtol=1e-5)
