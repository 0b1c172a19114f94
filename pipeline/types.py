"""Value objects that travel between the parts, in the field's own terms."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, field_validator, model_validator

if TYPE_CHECKING:
    from numpy.typing import NDArray

Dim = Literal["time", "init_time", "lead_time", "latitude", "longitude"]

Protocol = Literal["clean", "as-published"]
"""How a record is read: gap-aware and without sentinels, or row by row as a textbook has it."""

SST_UNITS = "degree_Celsius"
SST_STANDARD_NAME = "sea_surface_temperature"


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a variable is, in CF's terms.

    Parameters
    ----------
    name
        As its array is called.
    units
        In UDUNITS spelling.
    standard_name
        Of the CF table, or empty where it has none.
    long_name
        As people call it, without a unit.
    """

    name: str
    units: str
    standard_name: str
    long_name: str


SST = Quantity("sst", SST_UNITS, SST_STANDARD_NAME, "daily sea surface temperature")


class Spec(BaseModel):
    """Base of every configuration: frozen, and closed against unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Status(IntEnum):
    """What a time step of a cube holds."""

    MISSING = 0
    PRELIMINARY = 1
    FINAL = 2


class TimeRange(Spec):
    """Whole days from `start` to `end`, both included."""

    start: dt.date
    end: dt.date

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"end {self.end} lies before start {self.start}")
        return self

    def days(self) -> NDArray[np.datetime64]:
        """Every day of the range, datetime64[D]."""
        return np.arange(np.datetime64(self.start), np.datetime64(self.end) + 1)

    def __contains__(self, day: dt.date) -> bool:
        return self.start <= day <= self.end

    def __str__(self) -> str:
        return f"{self.start}…{self.end}"


class Box(Spec):
    """A region in degrees: south to north, and west eastwards to east (which may cross 0° or 180°)."""

    latitude: tuple[float, float]
    longitude: tuple[float, float]

    @field_validator("latitude")
    @classmethod
    def _on_earth(cls, value: tuple[float, float]) -> tuple[float, float]:
        south, north = value
        if not -90 <= south < north <= 90:
            raise ValueError(f"latitude is [south, north] within −90…90 and got [{south}, {north}]")
        return value

    @field_validator("longitude")
    @classmethod
    def _within_a_turn(cls, value: tuple[float, float]) -> tuple[float, float]:
        west, east = value
        if not (-180 <= west <= 360 and -180 <= east <= 360 and west != east):
            raise ValueError(f"longitude is [west, east] within −180…360 and got [{west}, {east}]")
        return value

    @property
    def width(self) -> float:
        """Degrees of longitude from west eastwards to east, in (0, 360]."""
        return (self.longitude[1] - self.longitude[0]) % 360 or 360.0


@dataclass(frozen=True, slots=True)
class Field:
    """Decoded days of one granule, in Isotherm's terms.

    Parameters
    ----------
    values
        float32 (time, latitude, longitude) in `units`; NaN where the source has no value.
    time
        datetime64[D] (time,).
    latitude, longitude
        float64 cell centres in degrees; latitude ascends, longitude is as the source has it.
    units
        As the file says, spelled the CF way where it is known (`degree_Celsius`).
    status
        Preliminary or final, as the file says.
    """

    values: NDArray[np.float32]
    time: NDArray[np.datetime64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    units: str
    status: Status


@dataclass(frozen=True, slots=True)
class Table:
    """Decoded rows of one granule of a station, as published.

    Parameters
    ----------
    time
        datetime64[s] (row,), local standard time, in the order of the file.
    values
        float64 (row, variable); sentinels are kept.
    variables
        Isotherm's names of the columns.
    line
        int64 (row,): the line of the file, from 1.
    """

    time: NDArray[np.datetime64]
    values: NDArray[np.float64]
    variables: tuple[str, ...]
    line: NDArray[np.int64]
