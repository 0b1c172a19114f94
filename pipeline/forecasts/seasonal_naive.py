"""The seasonal naive forecast: tomorrow is as today, hour by hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import WindowError
from pipeline.forecasts.station_rung import StationRung

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.forecasts.series import SeriesRecord
    from pipeline.windows import Windows, WindowSpec

DAY = np.timedelta64(1, "D")


class SeasonalNaive(StationRung):
    """The value at the same time of day on the last day that was observed at that time (m = 24 h)."""

    name = "seasonal-naive"

    def fit_windows(self, record: SeriesRecord, windows: Windows) -> dict[str, NDArray[Any]]:
        """`behind` (lead_time,): samples from the end of the history back to the value, 1 the last.

        Raises
        ------
        WindowError
            As `require_windows`.
        """
        return {"behind": _behind(windows.spec, record.time[1] - record.time[0])}

    @classmethod
    def require_windows(cls, windows: WindowSpec, step: np.timedelta64) -> None:
        """Refuse samples that are at other times each day, and a history that is too short to hold the value.

        Raises
        ------
        WindowError
            See above.
        """
        _behind(windows, step)

    def predict_target(self, history: NDArray[np.float32]) -> NDArray[np.float32]:
        """The last observed values (sample, lead_time) at the leads' times of day."""
        return history[:, -self.arrays["behind"], self._target]


def _behind(windows: WindowSpec, step: np.timedelta64) -> NDArray[np.int64]:
    name, sample = SeasonalNaive.name, windows.sampling * step
    if DAY % sample != np.timedelta64(0):
        raise WindowError(
            f"{name} needs samples at the same time of every day, and these are {sample} apart",
            remedy="choose a sampling that divides 24 hours, or leave this rung out of the ladder",
        )
    behind = 1 + -windows.leads % int(DAY / sample)
    if behind.max() > windows.history:
        raise WindowError(
            f"{name} looks back {behind.max()} samples and the history holds {windows.history}",
            remedy="lengthen the history to a day, or leave this rung out of the ladder",
            history=windows.history,
        )
    return np.asarray(behind)
