"""The record of one station, as forecasters see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import NotFoundError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.forecasts.base import Kind
    from pipeline.types import Protocol, Quantity
    from pipeline.windows import Windows


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """The whole record of one station: a region of one cell, of which one variable is forecast from all.

    Parameters
    ----------
    values
        float32 (time, variable) in the variables' units; NaN where missing.
    time
        datetime64[ns] (time,), one constant step.
    variables
        What each column is.
    target
        The name of the variable that is forecast.
    latitude, longitude
        float64 (1,), of the station.
    protocol
        How it was read.

    Raises
    ------
    NotFoundError
        No variable has the name `target`.
    """

    values: NDArray[np.float32]
    time: NDArray[np.datetime64]
    variables: tuple[Quantity, ...]
    target: str
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    protocol: Protocol = "clean"

    def __post_init__(self) -> None:
        names = [variable.name for variable in self.variables]
        if self.target not in names:
            raise NotFoundError(
                f"the station has no variable {self.target!r} to forecast",
                remedy=f"choose one of {', '.join(names)}",
                target=self.target,
            )

    @property
    def kind(self) -> Kind:
        """A series."""
        return "series"

    @property
    def target_index(self) -> int:
        """The column of the target."""
        return [variable.name for variable in self.variables].index(self.target)

    @property
    def quantity(self) -> Quantity:
        """The target."""
        return self.variables[self.target_index]

    @property
    def usable(self) -> NDArray[np.bool_]:
        """bool (time,): True where every variable has a value."""
        return np.asarray(np.isfinite(self.values).all(axis=1))

    @property
    def ocean(self) -> NDArray[np.bool_]:
        """bool (latitude, longitude): the one cell, which holds values."""
        return np.ones((1, 1), bool)

    @property
    def cell_weights(self) -> NDArray[np.float64]:
        """float64 (latitude, longitude): one."""
        return np.ones((1, 1))

    @property
    def target_values(self) -> NDArray[np.float32]:
        """float32 (time, latitude, longitude) of the target."""
        return self.values[:, self.target_index, None, None]

    def history(self, windows: Windows) -> NDArray[np.float32]:
        """float32 (sample, history, variable), oldest first."""
        return self.values[windows.history_index()]

    def truth(self, windows: Windows) -> NDArray[np.float32]:
        """float32 (sample, lead_time, latitude, longitude) of the target."""
        return self.target_values[windows.horizon_index()]
