"""The regression table of movies: for each cell, over all pictures, how far the forecasts are off.

The statistics are those of Deeplearning4j's `RegressionEvaluation`: mean squared and mean absolute error, the root of
the first, the relative squared error (the squared errors over the squared departures of the truth from its own mean),
Pearson's correlation, and R², which is one less the relative squared error. Sums are taken first and finished last, so
that parts combine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Cells = NDArray[np.float64]

STATISTICS: dict[str, tuple[str, str]] = {
    "mse": ("MSE", "mean squared error"),
    "mae": ("MAE", "mean absolute error"),
    "rmse": ("RMSE", "root of the mean squared error"),
    "rse": ("RSE", "squared errors over squared departures of the truth from its mean"),
    "pc": ("PC", "Pearson's correlation of forecast and truth"),
    "r2": ("R²", "one less the RSE"),
}
"""Name → the heading of its column, and what it is."""


def summands(truth: NDArray[np.floating], forecast: NDArray[np.floating]) -> Cells:
    """float64 (8, …): what is added up, of truth and forecast of one shape.

    These are whether the truth is known, truth, forecast, their squares, their product, squared and absolute error.
    Where the truth is NaN nothing counts; a forecast that lacks where there is a truth spreads as NaN.
    """
    known = np.isfinite(truth)
    one, other = (np.where(known, each.astype(np.float64), 0.0) for each in (truth, forecast))
    error = other - one
    return np.stack(
        [known, one, other, one**2, other**2, one * other, error**2, abs(error)], dtype=np.float64
    )


def regression_table(sums: Cells) -> dict[str, Cells]:
    """STATISTICS by name, float64 (…, cell, …), of sums (8, …, cell, …) of `summands` over pictures.

    NaN where nothing is known, or the truth never varies. What varies by less than a ten-thousandth of its size loses
    digits of `rse` and `pc`, and by less than a millionth it has neither.
    """
    count, truth, forecast, truth_squared, forecast_squared, product, squared, absolute = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = truth_squared - truth**2 / count
        shown = forecast_squared - forecast**2 / count
        shared = product - truth * forecast / count
        # What is left over of equal numbers is rounding.
        steady = spread <= 1e-12 * truth_squared
        still = shown <= 1e-12 * forecast_squared
        mse = squared / count
        rse = np.where(steady, np.nan, squared / spread)
        pc = np.where(steady | still, np.nan, shared / np.sqrt(spread * shown))
        mae = absolute / count
    table = {
        "mse": mse,
        "mae": mae,
        "rmse": np.sqrt(mse),
        "rse": rse,
        "pc": np.clip(pc, -1, 1),
        "r2": 1 - rse,
    }
    return {name: np.asarray(column) for name, column in table.items()}


def mean_over_cells(column: Cells) -> Cells:
    """(…,) the mean of a column (…, y, x) over the cells that have it, NaN where none has; of RMSE, one of roots."""
    known = np.isfinite(column)
    many = known.sum(axis=(-2, -1))
    total = np.where(known, column, 0).sum(axis=(-2, -1))
    return np.asarray(np.where(many > 0, total / np.maximum(many, 1), np.nan))
