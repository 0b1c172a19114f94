"""The seam of a forecaster: persistence, a regression and a network are asked in the same way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, Self

import numpy as np

from pipeline.types import SST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.climatology import HarmonicClimatology
    from pipeline.types import Protocol as Reading
    from pipeline.types import Quantity
    from pipeline.windows import Windows

Kind = Literal["fields", "series", "records", "texts", "movies"]


class AnyRecord(Protocol):
    """What windows, climatology, scores and forecasts ask of a record, of fields or of a station.

    A station is a region of one cell: what is forecast has the axes latitude and longitude of length one.
    """

    @property
    def kind(self) -> Kind:
        """What it is a record of."""
        ...

    @property
    def values(self) -> NDArray[np.float32]:
        """float32 (time, …), all that was observed; NaN where there is none."""
        ...

    @property
    def time(self) -> NDArray[np.datetime64]:
        """datetime64[ns] (time,), one constant step."""
        ...

    @property
    def latitude(self) -> NDArray[np.float64]:
        """Cell centres."""
        ...

    @property
    def longitude(self) -> NDArray[np.float64]:
        """Cell centres."""
        ...

    @property
    def ocean(self) -> NDArray[np.bool_]:
        """bool (latitude, longitude): the cells that hold values."""
        ...

    @property
    def usable(self) -> NDArray[np.bool_]:
        """bool (time,): True where nothing is missing."""
        ...

    @property
    def cell_weights(self) -> NDArray[np.float64]:
        """float64 (latitude, longitude): relative area, mean one over the cells that hold values."""
        ...

    @property
    def protocol(self) -> Reading:
        """How it was read."""
        ...

    @property
    def quantity(self) -> Quantity:
        """What is forecast."""
        ...

    @property
    def target_values(self) -> NDArray[np.float32]:
        """float32 (time, latitude, longitude) of what is forecast."""
        ...

    def history(self, windows: Windows) -> NDArray[np.float32]:
        """float32 (sample, history, …), what a forecaster is given."""
        ...

    def truth(self, windows: Windows) -> NDArray[np.float32]:
        """float32 (sample, lead_time, latitude, longitude) of what is forecast."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """The whole record of one region, as forecasters see it.

    Parameters
    ----------
    values
        float32 (time, latitude, longitude), degree_Celsius; NaN on land and at gaps.
    time
        datetime64[ns] (time,), one constant step.
    latitude, longitude
        float64 cell centres.
    ocean
        bool (latitude, longitude): the cells that hold values.
    """

    values: NDArray[np.float32]
    time: NDArray[np.datetime64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    ocean: NDArray[np.bool_]

    @property
    def kind(self) -> Kind:
        """Fields."""
        return "fields"

    @property
    def protocol(self) -> Reading:
        """Fields are always read clean."""
        return "clean"

    @property
    def quantity(self) -> Quantity:
        """Sea-surface temperature."""
        return SST

    @property
    def target_values(self) -> NDArray[np.float32]:
        """The values themselves."""
        return self.values

    @property
    def usable(self) -> NDArray[np.bool_]:
        """bool (time,): True where every ocean cell has a value."""
        return np.asarray(np.isfinite(self.values[:, self.ocean]).all(axis=1))

    @property
    def cell_weights(self) -> NDArray[np.float64]:
        """float64 (latitude, longitude): relative area of each cell; zero on land, mean one over ocean."""
        area = np.cos(np.radians(self.latitude))[:, None] * self.ocean
        return np.asarray(area / area[self.ocean].mean())

    def history(self, windows: Windows) -> NDArray[np.float32]:
        """float32 (sample, history, latitude, longitude)."""
        return self.values[windows.history_index()]

    def truth(self, windows: Windows) -> NDArray[np.float32]:
        """float32 (sample, lead_time, latitude, longitude)."""
        return self.values[windows.horizon_index()]


class Forecaster(Protocol):
    """What every rung of the ladder and every trained model offers."""

    name: str

    @property
    def id(self) -> str:
        """The name and a hash: another id forecasts otherwise."""
        ...

    def fit(self, record: Record, windows: Windows, climatology: HarmonicClimatology) -> Self:
        """Fit on the training `windows` alone; `climatology` was fitted on the training times."""
        ...

    def predict(self, history: NDArray[np.float32], init_time: NDArray[np.datetime64]) -> NDArray[np.float32]:
        """Forecasts (sample, lead_time, latitude, longitude) in degree_Celsius, NaN on land.

        Parameters
        ----------
        history
            float32 (sample, history, latitude, longitude), degree_Celsius, oldest first.
        init_time
            datetime64[ns] (sample,), the time of the last history step.

        Raises
        ------
        NotFittedError
            `fit` was not called, or `history` has another grid or length.
        """
        ...
