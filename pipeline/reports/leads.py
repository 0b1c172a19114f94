"""Leads as people count them: in days where all are whole ones, else in hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pipeline.reports import markup

if TYPE_CHECKING:
    import xarray as xr

UNITS = {"day": np.timedelta64(1, "D"), "hour": np.timedelta64(1, "h")}
# Leads that a page can show; the last one is always among them.
_SHOWN = {"day": (1, 3, 7, 14), "hour": (1, 3, 6, 12, 24, 36, 48)}
_HEADLINE = {"hour": 24}


@dataclass(frozen=True, slots=True)
class Leads:
    """The leads of a dataset.

    Parameters
    ----------
    unit
        What they are counted in.
    values
        Whole numbers of it, ascending.
    """

    unit: Literal["day", "hour"]
    values: tuple[int, ...]

    @classmethod
    def of(cls, data: xr.Dataset | xr.DataArray) -> Leads:
        """Those of the coordinate `lead_time`."""
        lead = data["lead_time"].values
        unit: Literal["day", "hour"] = "day" if not np.any(lead % UNITS["day"]) else "hour"
        return cls(unit, tuple(int(one) for one in np.round(lead / UNITS[unit])))

    @property
    def axis(self) -> str:
        """The label of an axis or of a column."""
        return f"Lead ({self.unit}s)"

    @property
    def headline(self) -> int:
        """The position that stands for all: of 24 hours if it is there, else of the last."""
        wanted = _HEADLINE.get(self.unit)
        return self.values.index(wanted) if wanted in self.values else len(self.values) - 1

    def shown(self, wanted: tuple[int, ...] = ()) -> list[int]:
        """Positions of the wanted leads, or of a usual few, that are there, and of the last."""
        some = wanted or _SHOWN[self.unit]
        return [at for at, lead in enumerate(self.values) if lead in some or at == len(self.values) - 1]

    def named(self, at: int) -> str:
        """`day 3` or `hour 24`."""
        return f"{self.unit} {self.values[at]}"

    def ahead(self, at: int) -> str:
        """`3 days` or `24 hours`."""
        return markup.count(self.values[at], self.unit)

    def step(self, at: int) -> np.timedelta64:
        """How far ahead it is."""
        distance: np.timedelta64 = self.values[at] * UNITS[self.unit]
        return distance
