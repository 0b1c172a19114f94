"""The simulated ocean: deterministic, seasonal, and with movement to be learnt."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mirror.land import LATITUDE, LONGITUDE, ocean_mask
from pipeline.mirror.ocean import FILL, SimulatedOcean, _draw, _turn, current
from pipeline.types import Status

START = dt.date(2020, 1, 1)
SEAS = {
    "bengal": ((5, 23), (80, 95)),
    "korean": ((32, 40), (121, 130)),
    "black": ((40.5, 47), (27, 42)),
    "mediterranean": ((30, 46), (-6, 37)),
    "arabian": ((5, 26), (50, 78)),
    "japan": ((34, 48), (127, 142)),
    "bohai": ((37, 41), (117, 123)),
    "okhotsk": ((43, 62), (135, 157)),
    "tasman": ((-45, -37), (147, 155)),
}


@pytest.fixture(scope="module")
def anomalies() -> np.ndarray:
    """(240 days, 180, 360): degree_Celsius, every fourth cell."""
    ocean = SimulatedOcean(seed=11)
    days = (START + dt.timedelta(days=number) for number in range(240))
    return np.stack([ocean.anomaly(day)[::4, ::4] for day in days]) / 100


@settings(max_examples=5)
@given(seed=st.integers(0, 2**40), number=st.integers(-3000, 20000))
def test_a_day_is_the_same_whatever_was_made_before(seed: int, number: int) -> None:
    day = START + dt.timedelta(days=number)
    before = SimulatedOcean(seed=seed).hundredths(day)
    _draw.cache_clear()
    _turn.cache_clear()
    sequential = [SimulatedOcean(seed=seed).hundredths(day + dt.timedelta(days=back)) for back in (-2, -1, 0)]
    assert before.tobytes() == sequential[-1].tobytes()
    assert before.tobytes() != SimulatedOcean(seed=seed + 1).hundredths(day).tobytes()


def test_land_stays_and_values_are_of_the_sea() -> None:
    ocean = SimulatedOcean()
    for number in (0, 91, 182, 273):
        field = ocean.hundredths(START + dt.timedelta(days=number))
        assert field.dtype == np.int16
        assert np.array_equal(field == FILL, ~ocean_mask())
        assert field[ocean_mask()].min() >= -180
        assert field[ocean_mask()].max() <= 3800
    assert 0.6 < ocean_mask().mean() < 0.75


@pytest.mark.parametrize("name", SEAS)
def test_every_sea_of_the_experiments_is_partly_ocean(name: str) -> None:
    (south, north), (west, east) = SEAS[name]
    rows = (south < LATITUDE) & (north > LATITUDE)
    columns = (LONGITUDE - west) % 360 < east - west
    share = ocean_mask()[rows][:, columns].mean()
    assert 0.3 < share < 0.97


def test_the_hemispheres_have_opposite_seasons() -> None:
    ocean = SimulatedOcean()
    winter, summer = (
        np.where(ocean_mask(), ocean.hundredths(day), np.nan)
        for day in (dt.date(2020, 2, 15), dt.date(2020, 8, 15))
    )
    north, south = np.abs(LATITUDE - 40) < 10, np.abs(LATITUDE + 40) < 10
    assert np.nanmean((summer - winter)[north]) > 500
    assert np.nanmean((summer - winter)[south]) < -500


def test_anomalies_persist_and_fade_as_in_the_sea(anomalies: np.ndarray) -> None:
    def persistence(lag: int) -> float:
        return float(np.sqrt(np.mean((anomalies[lag:] - anomalies[:-lag]) ** 2)))

    assert 0.7 < anomalies.std() < 0.9
    assert abs(anomalies.mean()) < 0.1
    assert 0.2 < persistence(1) < 0.4
    assert 0.8 < persistence(14) < 1.2
    errors = [persistence(lag) for lag in (1, 3, 7, 14, 30)]
    assert errors == sorted(errors)


@pytest.mark.parametrize("latitude", [-45, 0, 45])
def test_anomalies_are_carried_by_the_current(anomalies: np.ndarray, latitude: int) -> None:
    rows = slice(90 + latitude - 4, 90 + latitude + 4)
    lag = 14
    later, earlier = anomalies[lag:, rows], anomalies[:-lag, rows]
    shifts = range(-5, 6)
    agreement = [float(np.mean(later * np.roll(earlier, shift, axis=2))) for shift in shifts]
    best = shifts[int(np.argmax(agreement))]
    assert best == pytest.approx(float(current(np.array([float(latitude)]))[0]) * lag, abs=1)
    assert max(agreement) > 1.5 * agreement[5]


def test_a_preliminary_day_differs_slightly_from_its_final() -> None:
    ocean = SimulatedOcean(seed=1)
    final, preliminary = (ocean.hundredths(START, status) for status in (Status.FINAL, Status.PRELIMINARY))
    difference = np.abs(final - preliminary)[ocean_mask()]
    assert 0 < difference.mean() < 10
    assert difference.max() <= 15
    assert not np.array_equal(final, ocean.hundredths(START, revision=1))
