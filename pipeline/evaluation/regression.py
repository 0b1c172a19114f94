"""The regression table of movies: for each cell, over all pictures, how far the forecasts are off.

The statistics are those of Deeplearning4j's `RegressionEvaluation`: mean squared and mean absolute error, the root of
the first, the relative squared error (the squared errors over the squared departures of the truth from its own mean),
Pearson's correlation, and R², which is one less the relative squared error. Sums are taken first and finished last, so
that parts combine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

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


@dataclass(frozen=True, slots=True)
class RegressionSums:
    """What the statistics are made of: sums over pictures of deviations from `origin`.

    Parameters
    ----------
    sums
        float64 (8, cell, …): the pictures in which the truth is known, and over these truth, forecast, their squares,
        their products, squared and absolute errors.
    origin
        Near the values, so that no digits are lost where they vary little.
    """

    sums: Cells
    origin: float = 0.0

    @classmethod
    def of(cls, truth: NDArray[np.floating], forecast: NDArray[np.floating], *, origin: float = 0.0) -> Self:
        """The sums over the first axis of truth and forecast (picture, …); see `summands`."""
        return cls(summands(truth, forecast, origin=origin).sum(axis=1), origin)

    @property
    def count(self) -> Cells:
        """float64 (cell, …): pictures in which the truth is known."""
        return np.asarray(self.sums[0])

    def __add__(self, other: RegressionSums) -> RegressionSums:
        """Those of both parts.

        Raises
        ------
        ValueError
            They were taken from different origins.
        """
        if self.origin != other.origin:
            raise ValueError(f"sums from {self.origin} and from {other.origin} cannot be added")
        return RegressionSums(self.sums + other.sums, self.origin)

    def pooled(self) -> RegressionSums:
        """Those of all cells together."""
        return RegressionSums(self.sums.reshape(len(self.sums), -1).sum(axis=1), self.origin)

    def finish(self) -> dict[str, Cells]:
        """STATISTICS by name, float64 (cell, …); NaN where nothing is known, or the truth never varies."""
        count, truth, forecast, truth_squared, forecast_squared, product, squared, absolute = self.sums
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


def summands(truth: NDArray[np.floating], forecast: NDArray[np.floating], *, origin: float = 0.0) -> Cells:
    """float64 (8, …): what is added up, of truth and forecast of one shape.

    Where the truth is NaN nothing counts; a forecast that lacks where there is a truth spreads as NaN.
    """
    known = np.isfinite(truth)
    one, other = (np.where(known, each.astype(np.float64) - origin, 0.0) for each in (truth, forecast))
    error = other - one
    return np.stack(
        [known, one, other, one**2, other**2, one * other, error**2, abs(error)], dtype=np.float64
    )


def mean_over_cells(table: dict[str, Cells]) -> dict[str, float]:
    """The mean of each column over the cells that have it, as published tables give it; of the RMSE, one of roots."""
    return {
        name: float(np.nanmean(column)) if np.isfinite(column).any() else np.nan
        for name, column in table.items()
    }
