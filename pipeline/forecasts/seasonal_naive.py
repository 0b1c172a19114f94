"""The seasonal naive forecast: tomorrow is as today, hour by hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import WindowError
from pipeline.forecasts.station_rung import StationRung

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.forecasts.series import SeriesRecord
    from pipeline.windows import Windows

DAY = np.timedelta64(1, "D")


class SeasonalNaive(StationRung):
    """The value at the same time of day on the last day that was observed at that time (m = 24 h)."""

    name = "seasonal-naive"

    def fit_windows(self, record: SeriesRecord, windows: Windows) -> dict[str, NDArray[Any]]:
        """`behind` (lead_time,): samples from the end of the history back to the value, 1 the last.

        Raises
        ------
        WindowError
            A day is no whole number of samples, or the history is too short to hold the value.
        """
        sample = windows.spec.sampling * (record.time[1] - record.time[0])
        if DAY % sample != np.timedelta64(0):
            raise WindowError(
                f"{self.name} needs samples at the same time of every day, and these are {sample} apart",
                remedy="choose a sampling that divides 24 hours, or leave this rung out of the ladder",
            )
        day = int(DAY / sample)
        behind = 1 + -windows.spec.leads % day
        if behind.max() > windows.spec.history:
            raise WindowError(
                f"{self.name} looks back {behind.max()} samples and the history holds {windows.spec.history}",
                remedy="lengthen the history to a day, or leave this rung out of the ladder",
                history=windows.spec.history,
            )
        return {"behind": behind}

    def predict_target(self, history: NDArray[np.float32]) -> NDArray[np.float32]:
        """The last observed values (sample, lead_time) at the leads' times of day."""
        return history[:, -self.arrays["behind"], self._target]
