"""The regression table is that of the textbook formulas, cell by cell, however the pictures are parted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.evaluation.regression import STATISTICS, RegressionSums, mean_over_cells


def pair(seed: int, pictures: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = (rng.uniform(-2, 30, (3, 2)) + rng.normal(size=(pictures, 3, 2))).astype(np.float32)
    return truth, (truth + rng.normal(scale=0.5, size=truth.shape) + 0.1).astype(np.float32)


@given(seed=st.integers(0, 10_000), origin=st.sampled_from([0.0, 15.0]))
def test_each_statistic_is_that_of_its_formula(seed: int, origin: float) -> None:
    truth, forecast = pair(seed)
    table = RegressionSums.of(truth, forecast, origin=origin).finish()
    assert list(table) == list(STATISTICS)
    for cell in np.ndindex(3, 2):
        one, other = truth[:, *cell].astype(np.float64), forecast[:, *cell].astype(np.float64)
        fit = stats.linregress(one, other)
        around = ((one - one.mean()) ** 2).sum()
        expected = {
            "mse": np.mean((other - one) ** 2),
            "mae": np.mean(np.abs(other - one)),
            "rmse": np.sqrt(np.mean((other - one) ** 2)),
            "rse": ((other - one) ** 2).sum() / around,
            "pc": fit.rvalue,
            "r2": 1 - ((other - one) ** 2).sum() / around,
        }
        for name, value in expected.items():
            assert table[name][cell] == pytest.approx(value, rel=1e-6, abs=1e-9), name


@given(seed=st.integers(0, 10_000), at=st.integers(1, 39))
def test_parts_combine(seed: int, at: int) -> None:
    truth, forecast = pair(seed)
    whole = RegressionSums.of(truth, forecast).finish()
    parts = RegressionSums.of(truth[:at], forecast[:at]) + RegressionSums.of(truth[at:], forecast[at:])
    for name, column in parts.finish().items():
        np.testing.assert_allclose(column, whole[name], rtol=1e-9)


def test_a_perfect_forecast_and_the_mean_are_the_two_ends_of_the_scale() -> None:
    truth, _ = pair(1)
    perfect = mean_over_cells(RegressionSums.of(truth, truth).finish())
    assert perfect == pytest.approx({"mse": 0, "mae": 0, "rmse": 0, "rse": 0, "pc": 1, "r2": 1})
    level = np.broadcast_to(truth.mean(axis=0), truth.shape)
    flat = RegressionSums.of(truth, level).finish()
    np.testing.assert_allclose(flat["r2"], 0, atol=1e-5)
    assert np.isnan(flat["pc"]).all()


def test_a_forecast_that_lacks_where_there_is_a_truth_spreads() -> None:
    truth, forecast = pair(6)
    forecast[5, 0, 0] = np.nan
    for column in RegressionSums.of(truth, forecast).finish().values():
        assert np.isnan(column[0, 0])
        assert np.isfinite(column[0, 1])


def test_where_the_truth_is_missing_nothing_counts() -> None:
    truth, forecast = pair(2)
    truth[3, 0, 0] = truth[5, 0, 0] = forecast[5, 0, 0] = np.nan
    truth[:, 1, 1] = np.nan
    table = RegressionSums.of(truth, forecast)
    kept = [at for at in range(40) if at not in (3, 5)]
    known = RegressionSums.of(truth[kept, :1, :1], forecast[kept, :1, :1]).finish()
    assert table.count[0, 0] == 38
    for name, column in table.finish().items():
        assert column[0, 0] == pytest.approx(known[name][0, 0])
        assert np.isnan(column[1, 1])
        assert np.isfinite(column[0, 1])


def test_pooled_is_the_table_of_all_cells_as_one() -> None:
    truth, forecast = pair(3)
    pooled = RegressionSums.of(truth, forecast).pooled().finish()
    one = RegressionSums.of(truth.reshape(-1, 1), forecast.reshape(-1, 1)).finish()
    for name, value in pooled.items():
        assert value == pytest.approx(one[name][0])


def test_the_mean_is_one_of_the_cells_and_passes_over_those_without() -> None:
    truth, forecast = pair(4)
    truth[:, 2, 0] = np.nan
    table = RegressionSums.of(truth, forecast).finish()
    rest = [table["rmse"][cell] for cell in np.ndindex(3, 2) if cell != (2, 0)]
    assert mean_over_cells(table)["rmse"] == pytest.approx(np.mean(rest))
    assert np.isnan(mean_over_cells(RegressionSums.of(truth * np.nan, forecast).finish())["mse"])


def test_sums_from_different_origins_are_not_added() -> None:
    truth, forecast = pair(5)
    with pytest.raises(ValueError, match="cannot be added"):
        RegressionSums.of(truth, forecast) + RegressionSums.of(truth, forecast, origin=1.0)
