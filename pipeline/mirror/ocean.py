"""A simulated ocean: seasons, land, and anomalies that persist, fade and are carried along by a current.

The anomaly is a sum of fields drawn at regular times, each of which grows, fades and drifts eastwards or
westwards with its latitude's current. Drift is a turn of phase in longitude, so that any day is computed alone,
and to the same bytes whatever was computed before.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pipeline.mirror.land import LATITUDE, LONGITUDE, ocean_mask
from pipeline.types import Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILL = -999
FREEZING = -180
EPOCH = dt.date(1981, 1, 1)
ROWS = 180  # the anomaly is computed on 1° of latitude
WAVES = 160
SCALE = 1.06  # degrees: standard deviation of the smoothing, whence anomalies are correlated over about 1.5°
DRIFT = 0.17  # degrees of longitude a day
NOISE = 3


@dataclass(frozen=True, slots=True)
class Weather:
    """One family of random fields: one every `every` days, seen for `life` of them."""

    number: int
    every: int
    life: int
    spread: float
    """degree_Celsius."""

    def strength(self, age: int) -> float:
        """Weight of a field `age` days old."""
        if self.every == 1:
            return 0.55**age
        return float((1 - np.exp(-age / 4)) * np.exp(-age / 20))


EDDIES = Weather(number=1, every=8, life=72, spread=0.75)
SPELLS = Weather(number=2, every=1, life=7, spread=0.28)


@dataclass(frozen=True, slots=True)
class SimulatedOcean:
    """Daily global fields on the grid of OISST, each a pure function of the seed, the day and the status.

    Parameters
    ----------
    first
        The first day that is served.
    today
        The day of serving: days before it exist, its last 14 as preliminary ones.
    """

    seed: int = 0
    first: dt.date = dt.date(2019, 1, 1)
    today: dt.date = dt.date(2021, 1, 1)

    def hundredths(self, day: dt.date, status: Status = Status.FINAL, revision: int = 0) -> NDArray[np.int16]:
        """Sea-surface temperature: int16 (720, 1440), 0.01 degree_Celsius, −999 on land.

        A preliminary field has twice the noise of a final one; every `revision` of it differs.
        """
        mean, amplitude = _climate()
        turn = 2 * np.pi * ((day - EPOCH).days - 232) / 365.2425
        field = amplitude * np.float32(np.cos(turn))
        field += mean
        field += self.anomaly(day)
        generator = _generator(self.seed, NOISE, (day - EPOCH).days, 2 * revision + (status is Status.FINAL))
        levels = 8 if status is Status.FINAL else 16
        field += generator.integers(0, levels, field.shape, np.uint8)
        field -= np.float32((levels - 1) / 2)
        np.rint(field, out=field)
        np.maximum(field, FREEZING, out=field)
        packed: NDArray[np.int16] = field.astype(np.int16)
        packed[~ocean_mask()] = FILL
        return packed

    def anomaly(self, day: dt.date) -> NDArray[np.float32]:
        """Departure from the mean of the season: float32 (720, 1440), 0.01 degree_Celsius, also over land."""
        return _anomaly(self.seed, (day - EPOCH).days)


def current(latitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees of longitude a day, eastwards: east in middle latitudes, west in the tropics."""
    return np.asarray(DRIFT * np.tanh((np.abs(latitude) - 25) / 8))


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64([part & 0xFFFFFFFF for part in key]))


@lru_cache(maxsize=2)  # a day's sst and anom
def _anomaly(seed: int, number: int) -> NDArray[np.float32]:
    from scipy.fft import irfft

    waves = np.zeros((ROWS, WAVES), np.complex64)
    for weather in (EDDIES, SPELLS):
        newest = number // weather.every
        for index in range(newest, (number - weather.life) // weather.every, -1):
            age = number - index * weather.every
            weight = np.float32(100 * weather.spread * weather.strength(age) / _norm(weather))
            waves += weight * _turn(age) * _draw(seed, weather.number, index)
    rows = irfft(waves, n=LONGITUDE.size, axis=1, norm="forward")
    lower, upper, share = _between()
    field = rows[lower]
    field += share * (rows[upper] - field)
    field.setflags(write=False)
    return np.asarray(field, np.float32)


@cache
def _climate() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    latitude, longitude = np.radians(LATITUDE)[:, None], np.radians(LONGITUDE)[None, :]
    wander = np.cos(longitude + 2 * latitude) + 0.6 * np.cos(3 * longitude - latitude)
    mean = -1.8 + 30 * np.cos(latitude) ** 2.2 + wander * np.cos(latitude)
    amplitude = 5 * np.sin(1.9 * latitude) * (1 + 0.1 * np.cos(2 * longitude))
    return (100 * mean).astype(np.float32), (100 * amplitude).astype(np.float32)


@cache
def _norm(weather: Weather) -> float:
    ages = np.arange(weather.life)
    return float(np.sqrt(sum(weather.strength(int(age)) ** 2 for age in ages) / weather.every))


@lru_cache(maxsize=128)
def _turn(age: int) -> NDArray[np.complex64]:
    rows = np.arange(ROWS, dtype=np.float64) - (ROWS - 1) / 2
    angle = np.radians(current(rows) * age)[:, None] * np.arange(WAVES)
    return np.asarray(np.exp(-1j * angle), np.complex64)


@lru_cache(maxsize=64)
def _draw(seed: int, family: int, index: int) -> NDArray[np.complex64]:
    """A field of variance one, by row and wave number."""
    from scipy.ndimage import gaussian_filter1d

    parts = _generator(seed, family, index).standard_normal((2, ROWS, WAVES), np.float32)
    smooth = gaussian_filter1d(parts, SCALE, axis=1, mode="nearest")
    smooth *= np.sqrt(2 * np.sqrt(np.pi) * SCALE)
    decline = np.exp(-((np.arange(WAVES) * np.radians(SCALE)) ** 2) / 2)
    decline /= np.sqrt((decline**2).sum())
    # The inverse transform adds each wave's conjugate, the mean but once.
    decline[1:] /= 2
    return np.asarray((smooth[0] + 1j * smooth[1]) * decline, np.complex64)


@cache
def _between() -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    position = np.clip(LATITUDE + (ROWS - 1) / 2, 0, ROWS - 1)
    lower = np.minimum(position.astype(np.intp), ROWS - 2)
    return lower, lower + 1, (position - lower).astype(np.float32)[:, None]
