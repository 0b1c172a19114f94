"""What is derived of a station's variables at reading: the components of its wind, and the time as cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.types import Quantity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

DIRECTION = "wind_direction"
_COMPONENTS = {
    "wind_speed": (
        Quantity("eastward_wind", "m s-1", "eastward_wind", "eastward wind"),
        Quantity("northward_wind", "m s-1", "northward_wind", "northward wind"),
    ),
    "wind_gust": (
        Quantity("gust_eastward", "m s-1", "", "eastward component of the highest wind speed"),
        Quantity("gust_northward", "m s-1", "", "northward component of the highest wind speed"),
    ),
}
WIND: dict[str, Quantity] = {each.name: each for pair in _COMPONENTS.values() for each in pair}
SPEED_OF = {each.name: speed for speed, pair in _COMPONENTS.items() for each in pair}
"""Component → the speed that it is of."""
TIME_FEATURES = (
    Quantity("hour_of_day_sine", "1", "", "sine of the hour of the day"),
    Quantity("hour_of_day_cosine", "1", "", "cosine of the hour of the day"),
    Quantity("time_of_year_sine", "1", "", "sine of the time of the year"),
    Quantity("time_of_year_cosine", "1", "", "cosine of the time of the year"),
)


def in_components(names: Sequence[str]) -> tuple[str, ...]:
    """`names` with two components in the place of each speed, and without the direction."""
    found: list[str] = []
    for name in names:
        if name in _COMPONENTS:
            found += (each.name for each in _COMPONENTS[name])
        elif name != DIRECTION:
            found.append(name)
    return tuple(found)


def component(name: str, columns: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """A component of the wind, m s-1, of speed and of the direction in degrees from which it comes.

    Eastward is −speed · sin(direction), northward −speed · cos(direction); NaN where either is missing.
    """
    turn = np.sin if "eastward" in name else np.cos
    angle = np.radians(columns[DIRECTION], dtype=np.float64)
    return np.asarray(-columns[SPEED_OF[name]] * turn(angle), np.float32)


def time_cycles(time: NDArray[np.datetime64]) -> NDArray[np.float32]:
    """float32 (time, 4): `TIME_FEATURES`, of the stamps as they are.

    The hour counts from midnight, the time of the year from its first instant to its last, leap year or not.
    """
    seconds = time.astype("datetime64[s]")
    year = seconds.astype("datetime64[Y]")
    start, end = year.astype("datetime64[s]"), (year + 1).astype("datetime64[s]")
    of_day = (seconds - seconds.astype("datetime64[D]")) / np.timedelta64(86400, "s")
    of_year = (seconds - start) / (end - start)
    cycles = [turn(2 * np.pi * part) for part in (of_day, of_year) for turn in (np.sin, np.cos)]
    return np.stack(cycles, axis=1).astype(np.float32)
