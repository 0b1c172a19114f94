"""The regression table of movies as a group of measures: for each cell, and in the mean of the cells."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from pipeline.evaluation.regression import STATISTICS, mean_over_cells, regression_table, summands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Pictures = NDArray[np.float32]

WITHOUT_UNITS = ("rse", "pc", "r2")


class Regression:
    """STATISTICS of each cell, `cell_…` (y, x), and their means over the cells, `mean_…`; see `regression_table`.

    The mean of the cells' RMSE is one of roots, as published tables have it; `rmse` is the root of the mean.
    """

    names: tuple[str, ...] = tuple(f"{part}_{name}" for part in ("mean", "cell") for name in STATISTICS)
    long_names: Mapping[str, str] = MappingProxyType(
        {f"mean_{name}": f"{told}, mean over cells" for name, (_, told) in STATISTICS.items()}
        | {f"cell_{name}": f"{told}, of each cell" for name, (_, told) in STATISTICS.items()}
    )
    units: Mapping[str, str] = MappingProxyType(
        {f"{part}_{name}": "1" for part in ("mean", "cell") for name in WITHOUT_UNITS}
    )
    coords: Mapping[str, tuple[float, ...]] = MappingProxyType({})
    dims: Mapping[str, tuple[str, ...]] = MappingProxyType(
        {f"cell_{name}": ("y", "x") for name in STATISTICS}
    )
    pictures = ""

    def statistics(self, forecast: Pictures, truth: Pictures) -> dict[str, Array]:
        """The sums of each cell, (window, lead, sum, y, x)."""
        return {"sums": np.moveaxis(summands(truth, forecast), 0, 2)}

    def measures(self, total: Mapping[str, Array]) -> dict[str, Array]:
        """Of each cell (…, lead, y, x), and (…, lead) in the mean of those that have it."""
        table = regression_table(np.moveaxis(total["sums"], -3, 0))
        means = {f"mean_{name}": mean_over_cells(column) for name, column in table.items()}
        return means | {f"cell_{name}": column for name, column in table.items()}
