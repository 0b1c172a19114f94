"""The regression table is that of the textbook formulas, cell by cell, however the pictures are parted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.evaluation.regression import STATISTICS, mean_over_cells, regression_table, summands


def pair(seed: int, pictures: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = (rng.uniform(-2, 30, (3, 2)) + rng.normal(size=(pictures, 3, 2))).astype(np.float32)
    return truth, (truth + rng.normal(scale=0.5, size=truth.shape) + 0.1).astype(np.float32)


def table_of(truth: np.ndarray, forecast: np.ndarray) -> dict[str, np.ndarray]:
    """Over the first axis of truth and forecast (picture, y, x)."""
    return regression_table(summands(truth, forecast).sum(axis=1))


@given(seed=st.integers(0, 10_000))
def test_each_statistic_is_that_of_its_formula(seed: int) -> None:
    truth, forecast = pair(seed)
    table = table_of(truth, forecast)
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
    whole = table_of(truth, forecast)
    parts = [summands(truth[some], forecast[some]).sum(axis=1) for some in (slice(at), slice(at, None))]
    for name, column in regression_table(parts[0] + parts[1]).items():
        np.testing.assert_allclose(column, whole[name], rtol=1e-9)


def test_a_perfect_forecast_and_the_mean_are_the_two_ends_of_the_scale() -> None:
    truth, _ = pair(1)
    best = {"mse": 0, "mae": 0, "rmse": 0, "rse": 0, "pc": 1, "r2": 1}
    for name, column in table_of(truth, truth).items():
        np.testing.assert_allclose(column, best[name], atol=1e-9)
    level = np.broadcast_to(truth.mean(axis=0), truth.shape)
    flat = table_of(truth, level)
    np.testing.assert_allclose(flat["r2"], 0, atol=1e-5)
    assert np.isnan(flat["pc"]).all()


def test_a_forecast_that_lacks_where_there_is_a_truth_spreads() -> None:
    truth, forecast = pair(6)
    forecast[5, 0, 0] = np.nan
    for column in table_of(truth, forecast).values():
        assert np.isnan(column[0, 0])
        assert np.isfinite(column[0, 1])


def test_where_the_truth_is_missing_nothing_counts() -> None:
    truth, forecast = pair(2)
    truth[3, 0, 0] = truth[5, 0, 0] = forecast[5, 0, 0] = np.nan
    truth[:, 1, 1] = np.nan
    table = table_of(truth, forecast)
    kept = [at for at in range(40) if at not in (3, 5)]
    known = table_of(truth[kept, :1, :1], forecast[kept, :1, :1])
    for name, column in table.items():
        assert column[0, 0] == pytest.approx(known[name][0, 0])
        assert np.isnan(column[1, 1])
        assert np.isfinite(column[0, 1])


def test_what_varies_little_beside_its_size_keeps_its_digits_and_rounding_is_no_variation() -> None:
    rng = np.random.default_rng(7)
    truth = 290 + rng.normal(scale=0.03, size=(400, 1, 1))
    forecast = truth + rng.normal(scale=0.01, size=truth.shape)
    table = table_of(truth, forecast)
    assert table["pc"][0, 0] == pytest.approx(
        stats.pearsonr(truth.ravel(), forecast.ravel()).statistic, abs=1e-6
    )
    still = table_of(np.full((400, 1, 1), 290.1), forecast)
    assert np.isnan([still[name][0, 0] for name in ("rse", "pc", "r2")]).all()


def test_the_mean_is_one_of_the_cells_and_passes_over_those_without() -> None:
    truth, forecast = pair(4)
    truth[:, 2, 0] = np.nan
    table = table_of(truth, forecast)
    rest = [table["rmse"][cell] for cell in np.ndindex(3, 2) if cell != (2, 0)]
    assert float(mean_over_cells(table["rmse"])) == pytest.approx(np.mean(rest))
    assert np.isnan(mean_over_cells(table_of(truth * np.nan, forecast)["mse"]))
