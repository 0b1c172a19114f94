"""What every rung of fields promises, and what each forecasts beside an independent reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recipe import PARTITIONS
from pipeline.climatology import ClimatologySpec, HarmonicClimatology
from pipeline.errors import NotFittedError
from pipeline.forecasts import LADDERS, RUNGS
from pipeline.forecasts.base import Record
from pipeline.forecasts.blend import Blend
from pipeline.forecasts.damped_persistence import DampedPersistence
from pipeline.forecasts.eof_ridge import EofRidge
from pipeline.records import rungs as of_records
from pipeline.records.text_rungs import text_ladder
from pipeline.records.words import WordSpec
from pipeline.windows import Windows, WindowSpec, find_windows
from tests.records import SPEC, SPLITS, YEARLY, changed, fitted, make_sea, period

SEA = make_sea(shape=(6, 6))
TEST = find_windows(SEA.time, SEA.usable, SPLITS.test, SPEC)
HISTORY, TRUTH = SEA.history(TEST), SEA.truth(TEST)
FITTED = {name: fitted(RUNGS[name](), SEA) for name in LADDERS["fields"]}
every_rung = pytest.mark.parametrize("name", LADDERS["fields"])


def forecast(name, history=HISTORY, init_time=TEST.init_time):
    return FITTED[name].predict(history, init_time)


@every_rung
def test_a_forecast_has_the_shape_of_its_truth_and_is_nan_on_land_only(name):
    given_history = HISTORY.copy()
    got = forecast(name, given_history)
    assert got.shape == TRUTH.shape
    assert got.dtype == np.float32
    np.testing.assert_array_equal(np.isfinite(got), np.broadcast_to(SEA.ocean, got.shape))
    np.testing.assert_array_equal(given_history, HISTORY)


@every_rung
def test_the_same_fit_gives_the_same_forecast(name):
    again = fitted(RUNGS[name](), make_sea(shape=(6, 6)))
    np.testing.assert_array_equal(again.predict(HISTORY, TEST.init_time), forecast(name))
    assert again.id == FITTED[name].id
    assert again.id.startswith(f"{name}-")
    assert again.name == name


@every_rung
def test_what_is_restored_forecasts_bit_for_bit_the_same(name, tmp_path):
    np.savez(tmp_path / "rung.npz", **FITTED[name].state())
    with np.load(tmp_path / "rung.npz", allow_pickle=False) as stored:
        back = RUNGS[name].restore(dict(stored))
    np.testing.assert_array_equal(back.predict(HISTORY, TEST.init_time), forecast(name))
    assert back.id == FITTED[name].id
    assert back.state().keys() == FITTED[name].state().keys()


@every_rung
@settings(max_examples=10)
@given(samples=st.lists(st.integers(0, len(TEST) - 1), min_size=1, max_size=5))
def test_a_sample_is_forecast_alike_in_any_company(name, samples):
    some = forecast(name, HISTORY[samples], TEST.init_time[samples])
    np.testing.assert_allclose(some, forecast(name)[samples], rtol=0, atol=2e-5)


@every_rung
def test_an_unexpected_nan_reaches_its_sample_and_no_other(name):
    history = HISTORY.copy()
    history[3, -1, 5, 5] = np.nan
    got, whole = forecast(name, history), forecast(name)
    others = np.arange(len(TEST)) != 3
    np.testing.assert_array_equal(got[others], whole[others])
    if name == "climatology":  # It reads no history.
        np.testing.assert_array_equal(got, whole)
        return
    assert np.isnan(got[3, :, 5, 5]).all()


@every_rung
def test_nothing_after_the_training_has_a_part_in_the_fit(name):
    later = fitted(RUNGS[name](), changed(SEA, slice(450, None)))
    assert later.sha256 == FITTED[name].sha256
    earlier = fitted(RUNGS[name](), changed(SEA, slice(400, 450)))
    assert earlier.sha256 != FITTED[name].sha256


@every_rung
def test_a_record_that_grows_changes_no_bit_of_the_fit(name):
    for length in (450, 451, 487):
        cut = Record(SEA.values[:length], SEA.time[:length], SEA.latitude, SEA.longitude, SEA.ocean)
        assert fitted(RUNGS[name](), cut).sha256 == FITTED[name].sha256


@every_rung
def test_a_gap_in_the_training_has_no_part_in_the_fit(name):
    """Whatever stands in a step that is no window's."""
    gap = changed(SEA, slice(200, 202), by=np.nan)
    half = changed(SEA, slice(200, 202), by=np.nan)
    half.values[200, 4, 4] = 1e6
    np.testing.assert_array_equal(
        fitted(RUNGS[name](), half).predict(HISTORY, TEST.init_time),
        fitted(RUNGS[name](), gap).predict(HISTORY, TEST.init_time),
    )


@every_rung
def test_what_it_was_not_fitted_on_is_refused(name):
    short, narrow = HISTORY[:, 1:], HISTORY[..., 1:]
    for history in (short, narrow, HISTORY[0], np.concatenate([HISTORY, HISTORY], axis=1)):
        with pytest.raises(NotFittedError, match=f"{name} was fitted on"):
            forecast(name, history)
    for times in (TEST.init_time[:1], TEST.init_time[0]):
        with pytest.raises(NotFittedError, match="init times"):
            forecast(name, HISTORY, times)


@every_rung
def test_use_before_the_fit_is_refused(name):
    for use in (
        lambda rung: rung.predict(HISTORY, TEST.init_time),
        lambda rung: rung.state(),
        lambda rung: rung.sha256,
    ):
        with pytest.raises(NotFittedError, match="before it is fitted"):
            use(RUNGS[name]())


@every_rung
def test_a_climatology_of_another_grid_is_refused(name):
    small = make_sea(shape=(4, 6))
    climatology = HarmonicClimatology.fit(small.values, small.time, YEARLY, within=SPLITS.train)
    with pytest.raises(NotFittedError, match="grid"):
        RUNGS[name]().fit(SEA, TEST, climatology)


@every_rung
def test_a_cell_that_never_varies_is_forecast_as_it_is(name):
    """As under ice: no anomaly to divide by."""
    values = SEA.values.copy()
    values[:, 5, 5] = -1.8
    record = Record(values, SEA.time, SEA.latitude, SEA.longitude, SEA.ocean)
    got = fitted(RUNGS[name](), record).predict(record.history(TEST), TEST.init_time)
    assert np.isfinite(got[..., SEA.ocean]).all()
    np.testing.assert_allclose(got[..., 5, 5], -1.8, atol=1e-3)


@every_rung
def test_a_history_of_one_step_is_enough(name):
    spec = WindowSpec(history=1, horizon=2)
    windows = find_windows(SEA.time, SEA.usable, SPLITS.test, spec)
    rung = fitted(RUNGS[name](), SEA, spec=spec)
    assert np.isfinite(rung.predict(SEA.history(windows), windows.init_time)[..., SEA.ocean]).all()


def test_the_ladder_is_made_of_rungs():
    of_time = {rung for kind, ladder in LADDERS.items() if kind not in PARTITIONS for rung in ladder}
    assert of_time == RUNGS.keys()
    assert list(of_records.ladder()) == list(LADDERS["records"])
    assert list(text_ladder(WordSpec())) == list(LADDERS["texts"])
    assert all(rung.name == name for name, rung in text_ladder(WordSpec()).items())
    assert all(rung.name == name for name, rung in of_records.ladder().items())
    assert all(rung.name == name for name, rung in RUNGS.items())


def test_persistence_is_the_last_field():
    np.testing.assert_allclose(
        forecast("persistence"), np.broadcast_to(HISTORY[:, -1:], TRUTH.shape), atol=1e-5
    )


def test_climatology_is_the_season_of_the_training():
    climatology = HarmonicClimatology.fit(SEA.values, SEA.time, YEARLY, within=SPLITS.train)
    expected = climatology.at(SEA.time[TEST.horizon_index()])
    np.testing.assert_allclose(forecast("climatology"), expected, atol=1e-5)


def test_damped_persistence_is_a_regression_through_the_origin_at_each_cell_and_lead():
    climatology = HarmonicClimatology.fit(SEA.values, SEA.time, YEARLY, within=SPLITS.train)
    anomaly = (SEA.values - climatology.at(SEA.time)).astype(np.float64)
    training = find_windows(SEA.time, SEA.usable, SPLITS.train, SPEC)
    for lead in (1, 2, 3):
        for cell in ((0, 5), (5, 5), (4, 2)):
            now, then = (anomaly[training.init + shift, *cell] for shift in (0, lead))
            slope = np.linalg.lstsq(now[:, None], then, rcond=None)[0][0]
            expected = (
                climatology.at(SEA.time[TEST.init + lead])[:, *cell] + slope * anomaly[TEST.init, *cell]
            )
            np.testing.assert_allclose(
                forecast("damped-persistence")[:, lead - 1, *cell], expected, atol=1e-4
            )


def test_eof_ridge_comes_near_the_optimum_of_a_linear_process():
    """Three modes of a vector autoregression with known matrix, seen through fixed patterns without noise."""
    rng = np.random.default_rng(5)
    dynamics = 0.95 * np.linalg.qr(rng.normal(size=(3, 3)))[0]
    patterns = rng.normal(size=(3, 6, 6))
    state, states = np.zeros(3), np.empty((3650, 3))
    for day in range(len(states)):
        state = dynamics @ state + rng.normal(size=3)
        states[day] = state
    values = np.tensordot(states, patterns, axes=1).astype(np.float32)
    time = (np.datetime64("2001-01-01") + np.arange(len(states))).astype("datetime64[ns]")
    record = Record(values, time, SEA.latitude, SEA.longitude, np.ones((6, 6), bool))
    train, test = period(0, 2499), period(2600, 3649)
    climatology = HarmonicClimatology.fit(values, time, ClimatologySpec(harmonics=0), within=train)
    rung = EofRidge().fit(record, find_windows(time, record.usable, train, SPEC), climatology)
    windows = find_windows(time, record.usable, test, SPEC)
    got, truth = rung.predict(record.history(windows), windows.init_time), record.truth(windows)
    for lead in (1, 2, 3):
        optimum = states[windows.init] @ np.linalg.matrix_power(dynamics, lead).T
        best = np.mean((np.tensordot(optimum, patterns, axes=1) - truth[:, lead - 1]) ** 2)
        assert np.mean((got[:, lead - 1] - truth[:, lead - 1]) ** 2) < 1.03 * best


def test_eof_ridge_copes_with_fewer_days_than_cells_and_fewer_patterns_than_modes():
    patterns = np.random.default_rng(6).normal(size=(2, 22, 22))
    index = make_sea(450, shape=(3, 3), seed=6).values[:, 2, 1:]
    grid = make_sea(1, shape=(22, 22))
    values = np.tensordot(index, patterns, axes=1).astype(np.float32)
    record = Record(values, SEA.time[:450], grid.latitude, grid.longitude, np.ones((22, 22), bool))
    train, test = period(0, 369), period(370, 449)
    windows = find_windows(record.time, record.usable, test, SPEC)
    persisted = np.sqrt(np.mean((record.history(windows)[:, -1:] - record.truth(windows)) ** 2))
    for rung in (EofRidge((40,)), Blend()):
        got = fitted(rung, record, within=train).predict(record.history(windows), windows.init_time)
        assert np.sqrt(np.mean((got - record.truth(windows)) ** 2)) < 1.5 * persisted


def test_a_blend_is_no_worse_than_its_parts_where_it_was_weighed():
    """On the last fifth of the training windows, with parts that were fitted on the windows before."""
    training = find_windows(SEA.time, SEA.usable, SPLITS.train, SPEC)
    climatology = HarmonicClimatology.fit(SEA.values, SEA.time, YEARLY, within=SPLITS.train)
    cut = len(training) * 4 // 5
    early, late = (
        Windows(SPEC, training.init[part], training.init_time[part])
        for part in (slice(cut - SPEC.length), slice(cut, None))
    )
    expected = climatology.at(SEA.time[late.horizon_index()])
    damped, ridge = (
        part.fit(SEA, early, climatology).predict(SEA.history(late), late.init_time) - expected
        for part in (DampedPersistence(), EofRidge((20,)))
    )
    weights = np.cos(np.radians(SEA.latitude))[:, None] * SEA.ocean

    def error(anomaly):
        missed = np.nan_to_num(anomaly + expected - SEA.truth(late))
        return np.sum(missed**2 * weights, axis=(2, 3)).mean(axis=0) / weights.sum()

    blend = fitted(Blend(), SEA)
    shares = blend.arrays["weights"][..., None, None]
    assert (shares >= 0).all()
    blended = error(shares[:, 0] * damped + shares[:, 1] * ridge)
    assert (blended <= error(damped) * (1 + 1e-5)).all()
    assert (blended <= error(ridge) * (1 + 1e-5)).all()
    np.testing.assert_allclose(blend.deviation, np.sqrt(blended), rtol=1e-3)
