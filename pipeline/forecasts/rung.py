"""What the rungs of the ladder share: anomalies on ocean cells in, forecasts of the field out."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pipeline.climatology import HarmonicClimatology
from pipeline.errors import NotFittedError
from pipeline.forecasts.fitted import Fitted
from pipeline.types import TimeRange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipeline.forecasts.base import Record
    from pipeline.windows import Windows

    Array = NDArray[Any]


class Rung(Fitted):
    """A forecaster of fields, whose whole fitted state is a handful of arrays.

    A subclass fits `arrays` from training anomalies and forecasts anomalies from anomalies; this class does
    the climatology, the land and the checks.
    """

    def fit(self, record: Record, windows: Windows, climatology: HarmonicClimatology) -> Self:
        """Fit on the training `windows` alone."""
        self._ocean = record.ocean
        self._spec = windows.spec
        self._step = record.time[1] - record.time[0]
        self._climatology = _on(record.ocean, climatology)
        self._area = record.cell_weights[record.ocean]
        # What is fitted does not change, to the last bit, when the record grows.
        known = slice(int(windows.init[-1]) + windows.spec.horizon + 1)
        anomaly = record.values[known][:, record.ocean] - self._climatology.at(record.time[known])
        fitted = self.fit_anomalies(anomaly, windows, self._area)
        self.arrays = {key: np.ascontiguousarray(value) for key, value in fitted.items()}
        return self

    def predict(self, history: NDArray[np.float32], init_time: NDArray[np.datetime64]) -> NDArray[np.float32]:
        """Forecasts (sample, lead_time, latitude, longitude) in the units of `history`, NaN on land."""
        self._require(history, init_time)
        now, valid = self.climate(init_time)
        cells = history[..., self._ocean]
        steps = np.arange(1 - history.shape[1], 1) * self._step
        past = np.concatenate(
            [self._climatology.at(init_time[:, None] + steps[None, :-1]), now[:, None]], axis=1
        )
        forecast = np.full((len(history), self._spec.horizon, *self._ocean.shape), np.nan, np.float32)
        forecast[..., self._ocean] = self.predict_anomalies(cells - past, now, valid) + valid
        return forecast

    def climate(self, init_time: NDArray[np.datetime64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The ocean cells' climatology: at `init_time` (sample, cell), at leads (sample, lead_time, cell)."""
        leads = np.arange(1, self._spec.horizon + 1) * self._step
        return self._climatology.at(init_time), self._climatology.at(init_time[:, None] + leads)

    @abstractmethod
    def fit_anomalies(
        self, anomaly: NDArray[np.float32], windows: Windows, area: NDArray[np.float64]
    ) -> dict[str, Array]:
        """The fitted arrays, from anomalies (time, cell) at the training windows; `area` weighs the cells."""

    @abstractmethod
    def predict_anomalies(
        self, anomaly: NDArray[np.float32], now: NDArray[np.float32], valid: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Anomalies (sample, lead_time, cell) from those of the history (sample, history, cell).

        `now` (sample, cell) and `valid` (sample, lead_time, cell) are the climatology at `init_time` and at
        each lead.
        """

    def state(self) -> dict[str, Array]:
        """Everything that was fitted, as arrays that `restore` takes."""
        self._require_fitted()
        return {
            "ocean": self._ocean,
            "windows": np.array([self._spec.history, self._spec.horizon, self._spec.stride]),
            "step": np.array(self._step / np.timedelta64(1, "ns")).astype(np.int64),
            "area": self._area,
            "climatology": self._climatology.coefficients,
            "fitted_on": np.array(
                [str(self._climatology.fitted_on.start), str(self._climatology.fitted_on.end)]
            ),
            "snapshot": np.array(self._climatology.snapshot),
            "daily": np.array(self._climatology.daily),
            **{f"fitted/{key}": value for key, value in self.arrays.items()},
        }

    @classmethod
    def restore(cls, state: Mapping[str, Array], *args: Any) -> Self:
        """The rung that `state` was taken from."""
        from pipeline.windows import WindowSpec

        rung = cls(*args)
        history, horizon, stride = (int(value) for value in state["windows"])
        start, end = (str(day) for day in state["fitted_on"])
        rung._ocean = state["ocean"]
        rung._spec = WindowSpec(history=history, horizon=horizon, stride=stride)
        rung._step = np.timedelta64(int(state["step"]), "ns")
        rung._area = state["area"]
        rung._climatology = HarmonicClimatology(
            state["climatology"],
            TimeRange.model_validate({"start": start, "end": end}),
            str(state["snapshot"]),
            int(state["daily"]),
        )
        rung.arrays = {
            key.removeprefix("fitted/"): value for key, value in state.items() if key.startswith("fitted/")
        }
        return rung

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(history, latitude, longitude)."""
        return (self._spec.history, *self._ocean.shape)


def _on(ocean: NDArray[np.bool_], climatology: HarmonicClimatology) -> HarmonicClimatology:
    if climatology.coefficients.shape[1:] != ocean.shape:
        raise NotFittedError(
            f"the climatology has the grid {climatology.coefficients.shape[1:]} and the record {ocean.shape}",
            remedy="fit the climatology on this record",
        )
    return replace(climatology, coefficients=climatology.coefficients[:, ocean])
