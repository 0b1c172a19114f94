"""Moist air: all that a station derives from pressure, temperature and humidity, rounded as it publishes them.

Reference: Magnus's formula over water with Sonntag's predecessors' constants (6.1078 hPa, 17.08085, 234.175 °C),
which give the genuine tables to their last digit but one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

AT_ZERO, FACTOR, OFFSET = 6.1078, 17.08085, 234.175
KELVIN = 273.15
DRY_GAS = 287.058  # J kg-1 K-1
WATER_TO_AIR = 0.622
KAPPA = 0.286
DRIEST = 12.0  # %


def saturation(temperature: Floats) -> Floats:
    """Saturation vapour pressure over water in hPa, at degree_Celsius."""
    return np.asarray(AT_ZERO * np.exp(FACTOR * temperature / (OFFSET + temperature)))


def dew_point(vapor: Floats) -> Floats:
    """The temperature in degree_Celsius at which `vapor`, in hPa, saturates."""
    ratio = np.log(vapor / AT_ZERO)
    return np.asarray(OFFSET * ratio / (FACTOR - ratio))


def derived(pressure: Floats, temperature: Floats, humidity: Floats) -> dict[str, Floats]:
    """What follows from pressure (hPa), temperature (degree_Celsius) and relative humidity (%), unrounded."""
    most = saturation(temperature)
    vapor = humidity / 100 * most
    specific = 1000 * WATER_TO_AIR * vapor / (pressure - (1 - WATER_TO_AIR) * vapor)
    kelvin = temperature + KELVIN
    virtual = kelvin * (1 + 0.608 * specific / 1000)
    return {
        "potential_temperature": kelvin * (1000 / pressure) ** KAPPA,
        "dew_point_temperature": dew_point(vapor),
        "saturation_vapor_pressure": most,
        "vapor_pressure": vapor,
        "vapor_pressure_deficit": most - vapor,
        "specific_humidity": specific,
        "water_vapor_concentration": 1000 * vapor / pressure,
        "air_density": 1e5 * pressure / (DRY_GAS * virtual),
    }


def state(pressure: Floats, temperature: Floats, dew: Floats) -> dict[str, Floats]:
    """All of moist air's variables, rounded as published; a dew point above the temperature is saturation."""
    pressure, temperature = pressure.round(2), temperature.round(2)
    humidity = np.clip(100 * saturation(dew) / saturation(temperature), DRIEST, 100).round(1)
    rounded = {name: values.round(2) for name, values in derived(pressure, temperature, humidity).items()}
    return {
        "air_pressure": pressure,
        "air_temperature": temperature,
        "relative_humidity": humidity,
    } | rounded
