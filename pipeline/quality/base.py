"""The seam of a check: a field and what is known beside it go in, findings come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from pipeline.types import Spec

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from pipeline.sources.base import Granule
    from pipeline.types import Field


class Limits(Spec):
    """Bounds of the checks; the defaults are those of the sea surface."""

    minimum: float = -3.0
    """degree_Celsius, below which a value is refused (OISST: valid_min)."""
    maximum: float = 45.0
    """degree_Celsius, above which a value is refused (OISST: valid_max)."""
    mean_jump: float = 1.0
    """degree_Celsius, by which the area's mean may differ from the day before."""
    land_changed: float = 0.005
    """Fraction of cells that may turn from ocean to land or back; ten times that is refused."""
    ocean_present: float = 0.9
    """Fraction of the known ocean cells that must have a value."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check has to say of a granule's day; `refuse` keeps the day out of the store."""

    check: str
    severity: Literal["refuse", "warn"]
    day: dt.date | None
    message: str


@dataclass(frozen=True, slots=True)
class Context:
    """What a check may compare a field with; None where it is not known yet.

    `previous` is the day before the field's first day on the field's own grid, `ocean` the cells known to be
    ocean (latitude, longitude).
    """

    granule: Granule
    limits: Limits
    latitude: NDArray[np.float64] | None = None
    longitude: NDArray[np.float64] | None = None
    ocean: NDArray[np.bool_] | None = None
    previous: NDArray[np.float32] | None = None


class Check(Protocol):
    """What every entry of CHECKS is: a function without state."""

    def __call__(self, field: Field, context: Context) -> Iterable[Finding]:
        """Look at `field`; yield nothing where all is well."""
        ...
