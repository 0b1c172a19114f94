"""Measures of rain: whether it is where it was forecast, cell by cell and within neighbourhoods, by lead.

Events are cells of at least a threshold. Contingency tables and fractions come from the library `scores`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from pipeline.movies.decibels import UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Pictures = NDArray[np.float32]

THRESHOLDS = (0.5, 2.0, 5.0)
"""mm h-1 of rain."""
SCALES = (1.0, 3.0, 5.0, 9.0, 17.0, 33.0)
"""Sides of square neighbourhoods, in cells; those that do not fit into the picture have no score."""
COUNTS = ("tp_count", "fp_count", "fn_count", "tn_count")


class Events:
    """Critical success index, probability of detection and false alarm ratio of events, cell by cell.

    Of hits h, misses m and false alarms f they are h / (h + m + f), h / (h + m) and f / (h + f), NaN where there is
    nothing to divide by.
    """

    names: tuple[str, ...] = ("csi", "pod", "far")
    long_names: Mapping[str, str] = MappingProxyType(
        {
            "csi": "critical success index",
            "pod": "probability of detection",
            "far": "false alarm ratio",
        }
    )
    units: Mapping[str, str] = MappingProxyType(dict.fromkeys(names, "1"))
    coords: Mapping[str, tuple[float, ...]] = MappingProxyType({"threshold": THRESHOLDS})
    dims: Mapping[str, tuple[str, ...]] = MappingProxyType(dict.fromkeys(names, ("threshold",)))
    pictures = UNITS

    def statistics(self, forecast: Pictures, truth: Pictures) -> dict[str, Array]:
        """The contingency table of each window, lead and threshold, of cells where both are known."""
        import xarray as xr
        from scores.categorical import ThresholdEventOperator

        dims = ("window", "lead", "y", "x")
        given, asked = (xr.DataArray(each, dims=dims) for each in (forecast, truth))
        tables = [
            ThresholdEventOperator()
            .make_contingency_manager(given, asked, event_threshold=threshold)
            .transform(preserve_dims=["window", "lead"])
            .get_counts()
            for threshold in THRESHOLDS
        ]
        return {
            name: np.stack([each[name].values for each in tables], axis=-1).astype(np.float64)
            for name in COUNTS
        }

    def measures(self, total: Mapping[str, Array]) -> dict[str, Array]:
        """Of summed contingency tables."""
        import xarray as xr
        from scores.categorical import BasicContingencyManager

        dims = tuple(f"dim_{at}" for at in range(total[COUNTS[0]].ndim))
        counts = {name: xr.DataArray(total[name], dims=dims) for name in COUNTS}
        counts["total_count"] = xr.DataArray(sum(total[name] for name in COUNTS), dims=dims)
        table = BasicContingencyManager(counts)
        found = {
            "csi": table.critical_success_index(),
            "pod": table.probability_of_detection(),
            "far": table.false_alarm_ratio(),
        }
        return {name: np.asarray(each.values, np.float64) for name, each in found.items()}


class Fractions:
    """Fractions skill score: how well the shares of events within neighbourhoods agree.

    Of shares f that were forecast and o that were, it is 1 − Σ(f − o)² / (Σf² + Σo²) over the neighbourhoods of all
    cells, and of one row and one column more, just beyond the far edges; NaN where there is no event at all. Beyond the
    picture, and in cells that are not known, in the forecast or in truth, there is no event in either. Roberts and Lean
    (2008), doi:10.1175/2007MWR2123.1.
    """

    names: tuple[str, ...] = ("fss",)
    long_names: Mapping[str, str] = MappingProxyType({"fss": "fractions skill score"})
    units: Mapping[str, str] = MappingProxyType({"fss": "1"})
    coords: Mapping[str, tuple[float, ...]] = MappingProxyType({"threshold": THRESHOLDS, "scale": SCALES})
    dims: Mapping[str, tuple[str, ...]] = MappingProxyType({"fss": ("threshold", "scale")})
    pictures = UNITS

    def statistics(self, forecast: Pictures, truth: Pictures) -> dict[str, Array]:
        """Means of the three squares of each window, lead, threshold and scale."""
        windows, leads, *size = forecast.shape
        known = np.isfinite(forecast) & np.isfinite(truth)
        given, asked = (np.where(known, each, -np.inf) for each in (forecast, truth))
        found = np.full((3, windows, leads, len(THRESHOLDS), len(SCALES)), np.nan)
        for at in np.ndindex(windows, leads):
            for place, threshold in enumerate(THRESHOLDS):
                for step, scale in enumerate(SCALES):
                    if scale <= min(size):
                        found[:, *at, place, step] = _squares(given[at], asked[at], threshold, int(scale))
        return dict(zip(("forecast", "observed", "difference"), found, strict=True))

    def measures(self, total: Mapping[str, Array]) -> dict[str, Array]:
        """Of summed squares."""
        both = total["forecast"] + total["observed"]
        with np.errstate(divide="ignore", invalid="ignore"):
            return {"fss": np.where(both > 0, 1 - total["difference"] / both, np.nan)}


def _squares(forecast: Pictures, truth: Pictures, threshold: float, side: int) -> tuple[float, float, float]:
    """Mean squares of the events of neighbourhoods (y, x): forecast, observed, and of their difference."""
    from scores.fast.fss.fss_backends import get_compute_backend
    from scores.fast.fss.typing import FssComputeMethod
    from scores.utils import NumpyThresholdOperator

    # fss_2d gives the score alone, of which no other sum or resample can be made.
    parts = get_compute_backend(FssComputeMethod.NUMPY)(
        forecast,
        truth,
        event_threshold=threshold,
        threshold_operator=NumpyThresholdOperator(np.greater_equal),
        window_size=(side, side),
        zero_padding=True,
    ).compute_fss_decomposed()
    given, observed, difference = parts.item()
    return given, observed, difference
