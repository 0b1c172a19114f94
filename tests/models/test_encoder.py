import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base import FieldShape
from pipeline.errors import NotFittedError
from tests.models.bay import BAY, samples

TRAINING, _ = samples()
ENCODER = TRAINING.encoder
LAND = ~BAY.ocean
some = st.lists(st.integers(0, len(TRAINING.windows) - 1), min_size=1, max_size=6)


def inputs(chosen):
    history = BAY.values[TRAINING.windows.history_index()[chosen]]
    return ENCODER.inputs(history, TRAINING.windows.init_time[chosen])


def test_it_says_its_shape():
    assert ENCODER.shape == FieldShape(5, 6, history=4, horizon=3, constants=5)
    encoded, base = inputs([0, 1])
    assert {name: values.shape for name, values in encoded.items()} == {
        "history": (2, 5, 6, 4),
        "base": (2, 5, 6, 3),
        "constants": (2, 5, 6, 5),
    }
    assert all(values.dtype == np.float32 for values in encoded.values())
    assert base.shape == (2, 3, 5, 6)


@settings(max_examples=20)
@given(chosen=some)
def test_target_and_forecast_are_an_exact_pair(chosen):
    _, base = inputs(chosen)
    truth = BAY.values[TRAINING.windows.horizon_index()[chosen]]
    target = ENCODER.target(truth, base)
    assert target.dtype == np.float32
    np.testing.assert_allclose(ENCODER.forecast(target, base), truth, rtol=0, atol=1e-5)
    np.testing.assert_allclose(ENCODER.target(ENCODER.forecast(target, base), base), target, atol=1e-4)


def test_no_correction_is_the_base_forecast():
    _, base = inputs([3, 9])
    np.testing.assert_array_equal(ENCODER.forecast(np.zeros((2, 5, 6, 3), np.float32), base), base)
    np.testing.assert_array_equal(base, ENCODER.base.predict(*_history([3, 9])))


def _history(chosen):
    return BAY.values[TRAINING.windows.history_index()[chosen]], TRAINING.windows.init_time[chosen]


@settings(max_examples=10)
@given(chosen=some)
def test_land_is_zero_for_the_model_and_nan_in_the_forecast(chosen):
    encoded, base = inputs(chosen)
    truth = BAY.values[TRAINING.windows.horizon_index()[chosen]]
    for values in (encoded["history"], encoded["base"], ENCODER.target(truth, base)):
        assert (values[:, LAND] == 0).all()
        assert np.isfinite(values).all()
    assert (encoded["constants"][:, LAND, 0] == 0).all()
    assert (encoded["constants"][:, BAY.ocean, 0] == 1).all()
    assert np.isnan(ENCODER.forecast(np.ones((len(chosen), 5, 6, 3), np.float32), base)[..., LAND]).all()


def test_an_unexpected_nan_is_not_taken_for_land():
    history, times = _history([2, 3])
    history = history.copy()
    history[0, -1, 3, 3] = np.nan
    encoded, base = ENCODER.inputs(history, times)
    assert np.isnan(encoded["history"][0, 3, 3, -1])
    assert np.isnan(encoded["base"][0, 3, 3]).all()
    assert np.isfinite(encoded["history"][1]).all()
    assert np.isfinite(base[1][:, BAY.ocean]).all()


def test_the_season_is_a_point_on_the_circle_of_the_year():
    times = np.arange("2000-01-01", "2004-01-01", dtype="datetime64[D]").astype("datetime64[ns]")
    history = np.broadcast_to(BAY.values[:4], (len(times), 4, 5, 6))
    encoded, _ = ENCODER.inputs(history, times)
    cosine, sine = encoded["constants"][:, 2, 2, 3], encoded["constants"][:, 2, 2, 4]
    np.testing.assert_allclose(cosine**2 + sine**2, 1, atol=1e-6)
    angle = np.unwrap(np.arctan2(sine, cosine))
    np.testing.assert_allclose(np.diff(angle), 2 * np.pi / 365.2425, atol=0.015)
    assert angle[-1] == pytest.approx(8 * np.pi, abs=0.05)


def test_another_grid_is_refused():
    with pytest.raises(NotFittedError):
        ENCODER.inputs(np.zeros((1, 4, 6, 6), np.float32), TRAINING.windows.init_time[:1])
