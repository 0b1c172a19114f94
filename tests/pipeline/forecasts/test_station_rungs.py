"""What the rungs of a station promise, and what each forecasts beside an independent reference."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import NotFittedError, NotFoundError, WindowError
from pipeline.forecasts import linear
from pipeline.forecasts.linear import Linear
from pipeline.forecasts.naive import Naive
from pipeline.forecasts.seasonal_naive import SeasonalNaive
from pipeline.forecasts.series import SeriesRecord
from pipeline.types import Quantity, TimeRange
from pipeline.windows import Windows, WindowSpec, find_windows

RUNGS = {rung.name: rung for rung in (Naive, SeasonalNaive, Linear)}
STEP = np.timedelta64(30, "m")
TRAIN = TimeRange(start="2001-01-01", end="2001-03-31")
TEST = TimeRange(start="2001-04-04", end="2001-04-30")
SPEC = WindowSpec(history=26, horizon=30, sampling=2, first_lead=2)


def station(values, *, target="b", step=STEP):
    values = np.asarray(values, np.float32)
    time = np.datetime64("2001-01-01T00:00", "ns") + np.arange(len(values)) * step
    variables = tuple(Quantity(name, "1", "", name) for name in "abcd"[: values.shape[1]])
    return SeriesRecord(values, time, variables, target, np.array([50.9]), np.array([11.6]))


def weather(hours=5760, *, seed=0):
    """A day's wave and two anomalies that fade, one driven by the other."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(hours, 2))
    state = np.zeros((hours, 2))
    for now in range(1, hours):
        state[now] = 0.98 * state[now - 1] + 0.2 * noise[now]
        state[now, 1] += 0.1 * state[now - 1, 0]
    wave = np.sin(np.arange(hours) * np.pi / 24)
    return station(np.stack([state[:, 0], state[:, 1] + 3 * wave, 1000 + wave], axis=1))


def windows_of(record, within, spec=SPEC):
    return find_windows(record.time, record.usable, within, spec)


def fitted(rung, record, *, spec=SPEC, within=TRAIN):
    return rung.fit(record, windows_of(record, within, spec), None)


RECORD = weather()
JUDGED = windows_of(RECORD, TEST)
HISTORY, TRUTH = RECORD.history(JUDGED), RECORD.truth(JUDGED)
FITTED = {name: fitted(rung(), RECORD) for name, rung in RUNGS.items()}
every_rung = pytest.mark.parametrize("name", RUNGS)


def forecast(name, history=HISTORY, init_time=JUDGED.init_time):
    return FITTED[name].predict(history, init_time)


def test_a_station_is_a_region_of_one_cell():
    assert TRUTH.shape == (len(JUDGED), 29, 1, 1)
    assert HISTORY.shape == (len(JUDGED), 26, 3)
    np.testing.assert_array_equal(HISTORY[:, -1, 1], RECORD.target_values[JUDGED.init, 0, 0])
    np.testing.assert_array_equal(TRUTH[5, :, 0, 0], RECORD.values[JUDGED.init[5] + np.arange(4, 61, 2), 1])
    assert RECORD.ocean.all()
    assert RECORD.ocean.shape == RECORD.cell_weights.shape == (1, 1)
    assert RECORD.quantity.name == "b"
    with pytest.raises(NotFoundError, match="'x'"):
        replace(RECORD, target="x")


def test_a_step_is_usable_where_every_variable_has_a_value():
    values = RECORD.values.copy()
    values[7, 0] = values[9, 2] = np.nan
    assert np.flatnonzero(~replace(RECORD, values=values).usable).tolist() == [7, 9]


@every_rung
def test_a_forecast_has_the_shape_of_its_truth(name):
    got = forecast(name)
    assert got.shape == TRUTH.shape
    assert got.dtype == np.float32
    assert np.isfinite(got).all()


@every_rung
def test_what_is_restored_forecasts_bit_for_bit_the_same(name, tmp_path):
    np.savez(tmp_path / "rung.npz", **FITTED[name].state())
    with np.load(tmp_path / "rung.npz", allow_pickle=False) as stored:
        back = RUNGS[name].restore(dict(stored))
    np.testing.assert_array_equal(back.predict(HISTORY, JUDGED.init_time), forecast(name))
    assert back.id == FITTED[name].id
    assert back.id.startswith(f"{name}-")
    assert back.state().keys() == FITTED[name].state().keys()


@every_rung
def test_nothing_outside_the_training_windows_has_a_part_in_the_fit(name):
    training = windows_of(RECORD, TRAIN)
    last = int(training.horizon_index().max())
    values = RECORD.values.copy()
    values[last + 1 :] += 100
    again = RUNGS[name]().fit(replace(RECORD, values=values), training, None)
    assert again.sha256 == FITTED[name].sha256
    short = replace(RECORD, values=RECORD.values[: last + 1], time=RECORD.time[: last + 1])
    assert RUNGS[name]().fit(short, training, None).sha256 == FITTED[name].sha256


@every_rung
@settings(max_examples=10)
@given(samples=st.lists(st.integers(0, len(JUDGED) - 1), min_size=1, max_size=5))
def test_a_sample_is_forecast_alike_in_any_company(name, samples):
    some = forecast(name, HISTORY[samples], JUDGED.init_time[samples])
    np.testing.assert_allclose(some, forecast(name)[samples], rtol=0, atol=2e-5)


@every_rung
def test_an_unexpected_nan_reaches_its_sample_and_no_other(name):
    history = HISTORY.copy()
    history[3, -1] = np.nan
    got, whole = forecast(name, history), forecast(name)
    others = np.arange(len(JUDGED)) != 3
    np.testing.assert_allclose(got[others], whole[others], rtol=0, atol=2e-5)
    assert np.isnan(got[3, -7]).all()


@every_rung
def test_what_it_was_not_fitted_on_is_refused(name):
    for history in (HISTORY[:, 1:], HISTORY[..., 1:], HISTORY[0]):
        with pytest.raises(NotFittedError, match=f"{name} was fitted on"):
            forecast(name, history)
    with pytest.raises(NotFittedError, match="init times"):
        forecast(name, HISTORY, JUDGED.init_time[:1])
    with pytest.raises(NotFittedError, match="before it is fitted"):
        RUNGS[name]().predict(HISTORY, JUDGED.init_time)


@every_rung
@given(level=st.floats(-80, 1100, width=32))
@settings(max_examples=5)
def test_what_never_changes_is_forecast_exactly(name, level):
    record = station(np.full((5760, 2), level))
    windows = windows_of(record, TEST)
    got = fitted(RUNGS[name](), record).predict(record.history(windows), windows.init_time)
    np.testing.assert_array_equal(got, record.truth(windows))


@given(
    day=st.lists(st.floats(-40, 40, width=32), min_size=24, max_size=24),
    first=st.integers(1, 80),
    more=st.integers(0, 60),
)
@settings(max_examples=20)
def test_seasonal_naive_is_exact_on_whatever_repeats_every_day(day, first, more):
    record = station(np.tile(np.repeat(day, 2), 20)[:, None], target="a")
    spec = WindowSpec(history=24, horizon=first + more, sampling=2, first_lead=first)
    windows = Windows(spec, np.arange(46, 680), record.time[46:680])
    rung = SeasonalNaive().fit(record, windows, None)
    np.testing.assert_array_equal(
        rung.predict(record.history(windows), windows.init_time), record.truth(windows)
    )


def test_seasonal_naive_looks_back_no_further_than_it_must():
    """At 24 hours it is the last value, at 25 the one a day before."""
    got, leads = forecast("seasonal-naive"), SPEC.leads
    np.testing.assert_array_equal(got[:, leads == 24, 0, 0], HISTORY[:, -1:, 1])
    np.testing.assert_array_equal(got[:, leads == 25, 0, 0], HISTORY[:, -24:-23, 1])
    np.testing.assert_array_equal(got[:, leads == 2, 0, 0], HISTORY[:, -23:-22, 1])


def test_seasonal_naive_refuses_what_holds_no_day():
    with pytest.raises(WindowError, match="looks back 24 samples and the history holds 23"):
        fitted(SeasonalNaive(), RECORD, spec=WindowSpec(history=23, horizon=24, sampling=2))
    with pytest.raises(WindowError, match="same time of every day"):
        fitted(SeasonalNaive(), RECORD, spec=WindowSpec(history=30, horizon=2, sampling=7))


def test_linear_recovers_a_linear_system_without_noise():
    """A turning pair of modes with a trend in its level: four numbers of the history decide all that follows."""
    rng = np.random.default_rng(2)
    phases = np.arange(5760)[:, None] * np.array([0.031, 0.0087])
    modes = np.concatenate([np.cos(phases), np.sin(phases)], axis=1)
    record = station(280 + modes @ rng.normal(size=(4, 3)))
    windows = windows_of(record, TEST)
    got = fitted(Linear(), record).predict(record.history(windows), windows.init_time)
    np.testing.assert_allclose(got, record.truth(windows), atol=5e-3)


def test_linear_is_the_ridge_regression_that_its_folds_chose():
    """Its coefficients solve the penalised normal equations for one of the penalties, at each lead."""
    training = windows_of(RECORD, TRAIN)
    history, truth = RECORD.history(training).astype(np.float64), RECORD.truth(training)[..., 0, 0]
    arrays = FITTED["linear"].arrays
    departures = (history[:, :-1] - history[:, -1:] - arrays["mean"][0]) / arrays["deviation"][0]
    last = (history[:, -1] - arrays["mean"][1]) / arrays["deviation"][1]
    predictors = np.concatenate([departures.reshape(len(history), -1), last], axis=1)
    for lead in (0, 10, 28):
        got = arrays["coefficients"][:, lead]
        change = truth[:, lead] - history[:, -1, 1]
        sizes = (75,) if not got[75:].any() else (78,)
        candidates = []
        for size in sizes:
            centred = predictors[:, :size] - predictors[:, :size].mean(axis=0)
            for penalty in linear.PENALTIES:
                rows = np.sqrt(penalty * np.sum(centred**2)) * np.eye(size)
                stacked = np.concatenate([centred, rows]), np.append(change - change.mean(), np.zeros(size))
                candidates.append(np.linalg.lstsq(*stacked, rcond=None)[0])
        assert min(np.abs(got[: sizes[0]] - each).max() for each in candidates) < 2e-3 * np.abs(got).max()


def test_linear_beats_the_naive_forecasts_where_there_is_something_to_learn():
    error = {name: np.abs(forecast(name) - TRUTH).mean() for name in RUNGS}
    assert error["linear"] < 0.9 * error["seasonal-naive"] < error["naive"]


def test_linear_thins_the_windows_of_a_long_record(monkeypatch):
    training = windows_of(RECORD, TRAIN)
    monkeypatch.setattr(linear, "MOST_WINDOWS", len(training) // 3)
    thinned = Linear().fit(RECORD, training, None)
    monkeypatch.undo()
    assert thinned.sha256 == Linear().fit(RECORD, training.thinned(4), None).sha256


def test_linear_does_with_a_history_of_one_sample():
    spec = WindowSpec(history=1, horizon=2, sampling=2)
    windows = windows_of(RECORD, TEST, spec)
    rung = fitted(Linear(), RECORD, spec=spec)
    assert np.isfinite(rung.predict(RECORD.history(windows), windows.init_time)).all()


def test_linear_refuses_windows_too_few_to_be_parted():
    with pytest.raises(WindowError, match="too few"):
        fitted(Linear(), RECORD, within=TimeRange(start="2001-01-01", end="2001-01-10"))


def test_linear_bears_a_variable_that_varies_for_the_first_time_after_the_training():
    values = RECORD.values.copy()
    values[:, 0] = 0.1
    values[JUDGED.init[0] :, 0] = 7.0
    record = replace(RECORD, values=values)
    got = fitted(Linear(), record).predict(record.history(JUDGED), JUDGED.init_time)
    assert np.abs(got).max() < 2 * np.abs(RECORD.values[:, 1]).max()
