"""Scaling fitted on training times: fields to standardised anomalies and back, as an exact pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import NotFittedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.climatology import HarmonicClimatology
    from pipeline.forecasts.base import Record


@dataclass(frozen=True, slots=True)
class AnomalyScaling:
    """The anomaly against a climatology, in units of its deviation over the whole training record.

    Parameters
    ----------
    climatology
        Fitted on the training times.
    deviation
        Root mean square anomaly of the training times over the area, in the data's units.
    """

    climatology: HarmonicClimatology
    deviation: float

    @classmethod
    def fit(cls, record: Record, climatology: HarmonicClimatology) -> AnomalyScaling:
        """Fit on those steps of `record` that the climatology was fitted on.

        Raises
        ------
        NotFittedError
            They are all as the climatology has them, or none is usable.
        """
        within = climatology.fitted_on
        day = record.time.astype("datetime64[D]")
        inside = (day >= np.datetime64(within.start)) & (day <= np.datetime64(within.end)) & record.usable
        anomaly = (record.values[inside] - climatology.at(record.time[inside]))[:, record.ocean]
        weights = record.cell_weights[record.ocean]
        deviation = float(np.sqrt(np.mean(np.mean(anomaly**2, axis=0) * weights))) if inside.any() else 0.0
        if not deviation > 0:
            raise NotFittedError(
                f"the training days {within} have no variability to scale by",
                remedy="see that the record holds observations of more than one value",
                usable=int(inside.sum()),
            )
        return cls(climatology, deviation)

    def encode(self, values: NDArray[np.float32], time: NDArray[np.datetime64]) -> NDArray[np.float32]:
        """Standardised anomalies of `values` (*time.shape, latitude, longitude).

        Raises
        ------
        NotFittedError
            The grid is another.
        """
        self._require(values)
        return np.asarray((values - self.climatology.at(time)) / np.float32(self.deviation))

    def decode(self, scaled: NDArray[np.float32], time: NDArray[np.datetime64]) -> NDArray[np.float32]:
        """The inverse of `encode`."""
        self._require(scaled)
        return np.asarray(scaled * np.float32(self.deviation) + self.climatology.at(time))

    def _require(self, values: NDArray[np.float32]) -> None:
        grid = self.climatology.coefficients.shape[1:]
        if values.shape[-len(grid) :] != grid:
            raise NotFittedError(
                f"the scaling was fitted on the grid {grid} and got {values.shape[-len(grid) :]}",
                remedy="scale fields of the grid that it was fitted on",
                expected=grid,
                got=values.shape,
            )
