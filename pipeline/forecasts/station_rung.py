"""What the rungs of a station's ladder share: histories of all variables in, forecasts of the target out."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pipeline.forecasts.fitted import Fitted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipeline.climatology import HarmonicClimatology
    from pipeline.forecasts.series import SeriesRecord
    from pipeline.windows import Windows

    Array = NDArray[Any]

SHAPE = ("history", "horizon", "stride", "sampling", "first_lead")


class StationRung(Fitted):
    """A forecaster of one variable of a station.

    A subclass fits `arrays` from the training windows and forecasts the target from the histories; this class
    does the axes, the checks and the state.
    """

    def fit(
        self, record: SeriesRecord, windows: Windows, climatology: HarmonicClimatology | None = None
    ) -> Self:
        """Fit on the training `windows` alone; the climatology of half a year is no help and is not used."""
        del climatology
        self._spec = windows.spec
        self._step = record.time[1] - record.time[0]
        self._variables = tuple(variable.name for variable in record.variables)
        self._target = record.target_index
        fitted = self.fit_windows(record, windows)
        self.arrays = {key: np.ascontiguousarray(value) for key, value in fitted.items()}
        return self

    def predict(self, history: NDArray[np.float32], init_time: NDArray[np.datetime64]) -> NDArray[np.float32]:
        """Forecasts (sample, lead_time, 1, 1) of the target in its units.

        Parameters
        ----------
        history
            float32 (sample, history, variable), oldest first.
        init_time
            datetime64[ns] (sample,), the time of the last history step.

        Raises
        ------
        NotFittedError
            `fit` was not called, or `history` has other variables or another length.
        """
        self._require(history, init_time)
        return self.predict_target(history).astype(np.float32)[..., None, None]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(history, variable)."""
        return self._spec.history, len(self._variables)

    @abstractmethod
    def fit_windows(self, record: SeriesRecord, windows: Windows) -> dict[str, Array]:
        """The fitted arrays, from the training windows."""

    @abstractmethod
    def predict_target(self, history: NDArray[np.float32]) -> NDArray[np.float32]:
        """The target (sample, lead_time) from histories (sample, history, variable)."""

    def state(self) -> dict[str, Array]:
        """Everything that was fitted, as arrays that `restore` takes."""
        self._require_fitted()
        return {
            "windows": np.array([getattr(self._spec, name) for name in SHAPE]),
            "step": np.array(self._step / np.timedelta64(1, "ns")).astype(np.int64),
            "variables": np.array(self._variables),
            "target": np.array(self._target),
            **{f"fitted/{key}": value for key, value in self.arrays.items()},
        }

    @classmethod
    def restore(cls, state: Mapping[str, Array], *args: Any) -> Self:
        """The rung that `state` was taken from."""
        from pipeline.windows import WindowSpec

        rung = cls(*args)
        rung._spec = WindowSpec(**dict(zip(SHAPE, state["windows"].tolist(), strict=True)))
        rung._step = np.timedelta64(int(state["step"]), "ns")
        rung._variables = tuple(state["variables"].tolist())
        rung._target = int(state["target"])
        rung.arrays = {
            key.removeprefix("fitted/"): value for key, value in state.items() if key.startswith("fitted/")
        }
        return rung
