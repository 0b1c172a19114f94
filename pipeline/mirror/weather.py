"""A simulated station: ten-minute weather whose tomorrow its own pressure, wind and moisture tell in part.

Lows drift by: pressure is a smooth random process, and where it falls the wind turns to the south. Southerly and, in
winter, westerly wind warms the air over the days that follow, as cloud damps the course of the day. Random numbers
are drawn year by year, and what the filters remember is handed from one year to the next, so that any year is the
same whatever was asked for before. Moisture follows Magnus's formula, as the station's own tables do.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pipeline.mirror import moisture
from pipeline.sources.jena_columns import QUANTITIES
from pipeline.types import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Series = dict[str, Floats]

SENTINEL = -9999.0
EPOCH = 2003
A_DAY = 144
STEP = np.timedelta64(600, "s")
LATITUDE, LONGITUDE, ZONE = 50.91, 11.57, 15.0  # degrees; the zone's meridian
WEATHER, FAULTS = 1, 2
MISSED = 9  # rows

CHAINS: dict[str, tuple[float, ...]] = {
    "pressure": (2.2, 0.5),
    "southerly": (0.7, 0.2),
    "westerly": (1.4, 0.3),
    "moisture": (0.8, 0.1),
    "air_mass": (2.5, 0.3),
    "gustiness": (0.02,),
    "veering": (0.04,),
    "flicker": (0.015,),
}
"""Random process → time constants in days of the filters that white noise goes through, one after another."""
CARRIED = ("southerly", "westerly")
MEMORY = 2.0  # days, over which the wind's warmth adds up


@dataclass(frozen=True, slots=True)
class SimulatedWeather:
    """Rows of the station, each a pure function of the seed and the time.

    Parameters
    ----------
    first
        The first day that is served.
    today
        The day of serving: the rows before its first minute exist.
    """

    seed: int = 0
    first: dt.date = dt.date(2019, 1, 1)
    today: dt.date = dt.date(2021, 1, 1)

    def table(self, start: dt.date, end: dt.date, revision: int = 0) -> Table:
        """The rows of the days `start`…`end` that there are, as published.

        Of each year a few values are −9999, nine rows in a row are missing, one is repeated, and one stamp has two
        rows that differ. Every `revision` has another pressure.
        """
        start, last = max(start, self.first), min(end, self.today - dt.timedelta(days=1))
        after, until = np.datetime64(start, "s"), np.datetime64(last, "s") + np.timedelta64(1, "D")
        years = [_published(self.seed, year) for year in range(start.year, last.year + 1)]
        empty = np.empty(0, "datetime64[s]"), np.empty((0, len(QUANTITIES)))
        time = np.concatenate([empty[0], *(each[0] for each in years)])
        values = np.concatenate([empty[1], *(each[1] for each in years)])
        kept = (time > after) & (time <= until)
        time, values = time[kept], values[kept]
        values[:, 0] += 0.01 * revision
        return Table(time, values.round(2), tuple(QUANTITIES), np.arange(2, len(time) + 2, dtype=np.int64))


@lru_cache(maxsize=3)
def _published(seed: int, year: int) -> tuple[NDArray[np.datetime64], Floats]:
    """Stamps (row,) and values (row, variable) of a year, faults and all."""
    time = _stamps(year)
    series = _simulated(time, _processes(seed, year)[0])
    values = np.stack([series[name] for name in QUANTITIES], axis=1)
    random = _generator(seed, FAULTS, year)
    names = list(QUANTITIES)
    for name, count in (("wind_speed", 4), ("wind_gust", 4), ("photosynthetic_radiation_maximum", 9)):
        values[random.integers(0, len(time), count), names.index(name)] = SENTINEL
    values[random.integers(0, len(time), 12), names.index("carbon_dioxide")] = SENTINEL
    twice, conflict, gap = (
        int(random.integers(*span)) for span in ((800, 8000), (10_000, 20_000), (23_000, 43_000))
    )
    rows = np.arange(len(time))
    parts = rows[: twice + 1], rows[twice : conflict + 1], rows[conflict:gap], rows[gap + MISSED :]
    order = np.concatenate(parts)
    time, values = time[order], values[order]
    values[conflict + 2, names.index("air_temperature")] += 1.5
    values.setflags(write=False)
    return time, values


def _stamps(year: int) -> NDArray[np.datetime64]:
    start, end = (np.datetime64(f"{each}-01-01", "s") for each in (year, year + 1))
    return np.arange(start + STEP, end + STEP, STEP)


def _simulated(time: NDArray[np.datetime64], process: Series) -> Series:
    days = (time - np.datetime64("2000-01-01", "s")) / np.timedelta64(1, "D") - 1 / 288
    summer = -np.cos(2 * np.pi * (days - 16) / 365.2425)  # −1 in mid-January, 1 in mid-July
    hour = 24 * (days % 1)
    p, south, west = process["pressure"], process["southerly"], process["westerly"]
    wet = -0.5 * p + 0.4 * west + 0.25 * south + 0.7 * process["moisture"]
    cloud = 1 / (1 + np.exp(-1.5 * wet))
    warmth = 4.6 * process["warmth_southerly"] - 1.6 * (summer - 0.3) * process["warmth_westerly"]
    mean = 9.6 + 9.3 * summer + warmth + 1.4 * process["air_mass"]
    turn = 2 * np.pi * (hour - 14.6) / 24
    course = (2.9 + 1.9 * summer) * (1.25 - 0.9 * cloud) * (np.cos(turn) + 0.2 * np.cos(2 * turn - 0.5))
    temperature = mean + course + 0.15 * process["flicker"]
    depression = (1.5 + 6.5 * (1 - cloud)) * (0.75 + 0.3 * summer) - 1.2 * process["moisture"]
    pressure = 989.3 + 8.2 * p + 0.4 * np.cos(4 * np.pi * (hour - 9.5) / 24)
    light = _light(days, summer) * (1 - 0.78 * cloud**2.2)
    light *= np.clip(1 + 0.8 * cloud * (1 - cloud) * process["flicker"], 0.2, 1.3)
    air = moisture.state(pressure, temperature, mean - depression)
    return air | _wind(south, west, hour, process) | _rest(time, air, light, cloud, wet, summer, process)


def _light(days: Floats, summer: Floats) -> Floats:
    """Shortwave radiation under a clear sky, W m-2."""
    declination = np.radians(23.44) * (-np.cos(2 * np.pi * (days + 10) / 365.2425))
    angle = 2 * np.pi * (days % 1 - 0.5 - (ZONE - LONGITUDE) / 360)
    latitude = np.radians(LATITUDE)
    height = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    return np.asarray((1010 - 30 * summer) * np.clip(height, 0, None) ** 1.15)


def _wind(south: Floats, west: Floats, hour: Floats, process: Series) -> Series:
    eastward, northward = 1.4 + 2.0 * west, 0.5 + 2.0 * south
    by_day = 0.62 + 0.2 * np.cos(2 * np.pi * (hour - 14) / 24)
    speed = np.hypot(eastward, northward) * by_day * np.exp(0.28 * process["gustiness"])
    direction = np.degrees(np.arctan2(-eastward, -northward)) + 14 * process["veering"]
    gust = speed * (1.5 + 0.25 * np.abs(process["flicker"])) + 0.25
    return {
        "wind_speed": speed.round(2),
        "wind_gust": gust.round(2),
        "wind_direction": (direction % 360).round(1),
    }


def _rest(
    time: NDArray[np.datetime64],
    air: Series,
    light: Floats,
    cloud: Floats,
    wet: Floats,
    summer: Floats,
    process: Series,
) -> Series:
    """What the later files have besides."""
    rain = 0.35 * np.clip(wet + 0.35 * process["flicker"] - 1.25, 0, None) ** 1.5
    rain = rain.round(1)
    photons = 1.95 * light
    years = (time - np.datetime64("2019-01-01", "s")) / np.timedelta64(365, "D")
    calm = (light <= 0) * (1 - 0.7 * cloud)
    co2 = 411 + 2.4 * years - 5 * summer + 22 * calm + 3 * process["veering"]
    logger = 9.5 + 0.9 * air["air_temperature"] + 0.007 * light
    return {
        "precipitation": rain,
        "precipitation_duration": np.where(rain > 0, np.minimum(600, 60 * np.ceil(30 * rain)), 0.0),
        "shortwave_radiation": light.round(2),
        "photosynthetic_radiation": photons.round(2),
        "photosynthetic_radiation_maximum": (photons * (1.05 + 0.2 * np.abs(process["flicker"]))).round(2),
        "logger_temperature": logger.round(2),
        "carbon_dioxide": co2.round(1),
    }


def _processes(seed: int, year: int) -> tuple[Series, tuple[Floats, ...]]:
    """Random processes of variance one, (row,) of a year, and what its filters remember at its end."""
    size = len(_stamps(year))
    noise = _generator(seed, WEATHER, year).standard_normal((len(CHAINS), size))
    states = iter(_memory(seed, year))
    kept: list[Floats] = []
    made: Series = {}
    for row, (name, constants) in zip(noise, CHAINS.items(), strict=True):
        series = row
        for constant in constants:
            series = _filtered(series, constant, states, kept)
        made[name] = series / _spread(constants)
    fall, state = _lagged(made["pressure"], next(states))
    kept.append(state)
    made["southerly"] = 0.78 * fall / _spread(CHAINS["pressure"], falling=True) + 0.63 * made["southerly"]
    for name in CARRIED:
        raw = _filtered(made[name], MEMORY, states, kept)
        made[f"warmth_{name}"] = raw / _spread((*CHAINS[name], MEMORY)) * _spread(CHAINS[name])
    return made, tuple(kept)


@lru_cache(maxsize=256)
def _memory(seed: int, year: int) -> tuple[Floats, ...]:
    """What the filters remember when a year begins; nothing in the first."""
    if year <= EPOCH:
        count = sum(map(len, CHAINS.values())) + 1 + len(CARRIED)
        return (np.zeros(1),) * count
    return _processes(seed, year - 1)[1]


def _filtered(series: Floats, constant: float, states: Iterator[Floats], kept: list[Floats]) -> Floats:
    from scipy.signal import lfilter

    fade = np.exp(-1 / (constant * A_DAY))
    made, state = lfilter([1 - fade], [1, -fade], series, zi=next(states))
    kept.append(state)
    return np.asarray(made)


def _lagged(series: Floats, before: Floats) -> tuple[Floats, Floats]:
    """By how much each value lies below the one before, and the last value."""
    return -np.diff(series, prepend=before), series[-1:]


@cache
def _spread(constants: tuple[float, ...], *, falling: bool = False) -> float:
    """Standard deviation of white noise that has gone through the filters; if `falling`, of the steps after that."""
    from scipy.signal import lfilter

    answer = np.zeros(60 * A_DAY)
    answer[0] = 1
    for constant in constants:
        fade = np.exp(-1 / (constant * A_DAY))
        answer = lfilter([1 - fade], [1, -fade], answer)
    scale = float(np.sqrt((answer**2).sum()))
    return float(np.sqrt((np.diff(answer, prepend=0) ** 2).sum())) / scale if falling else scale


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64([part & 0xFFFFFFFF for part in key]))
