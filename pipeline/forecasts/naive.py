"""The naive forecast: it stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.forecasts.station_rung import StationRung

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.forecasts.series import SeriesRecord
    from pipeline.windows import Windows


class Naive(StationRung):
    """The last value at every lead."""

    name = "naive"

    def fit_windows(self, record: SeriesRecord, windows: Windows) -> dict[str, NDArray[Any]]:
        """Nothing to fit."""
        del record, windows
        return {}

    def predict_target(self, history: NDArray[np.float32]) -> NDArray[np.float32]:
        """The last value (sample, lead_time)."""
        return np.repeat(history[:, -1:, self._target], len(self._spec.leads), axis=1)
