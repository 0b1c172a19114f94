"""The columns of Jena's roof station: which quantity each is, however its header spells it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pipeline.types import Quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CELSIUS = "degree_Celsius"

COLUMNS: dict[str, Quantity] = {
    "p (mbar)": Quantity("air_pressure", "hPa", "air_pressure", "air pressure"),
    "T (degC)": Quantity("air_temperature", _CELSIUS, "air_temperature", "air temperature"),
    "Tpot (K)": Quantity(
        "potential_temperature",
        "K",
        "air_potential_temperature",
        "potential temperature, reduced to 1000 hPa",
    ),
    "Tdew (degC)": Quantity(
        "dew_point_temperature", _CELSIUS, "dew_point_temperature", "dew point temperature"
    ),
    "rh (%)": Quantity("relative_humidity", "%", "relative_humidity", "relative humidity"),
    "VPmax (mbar)": Quantity("saturation_vapor_pressure", "hPa", "", "saturation water vapour pressure"),
    "VPact (mbar)": Quantity(
        "vapor_pressure", "hPa", "water_vapor_partial_pressure_in_air", "water vapour pressure"
    ),
    "VPdef (mbar)": Quantity(
        "vapor_pressure_deficit",
        "hPa",
        "water_vapor_saturation_deficit_in_air",
        "water vapour pressure deficit",
    ),
    "sh (g/kg)": Quantity("specific_humidity", "g kg-1", "specific_humidity", "specific humidity"),
    "H2OC (mmol/mol)": Quantity(
        "water_vapor_concentration",
        "mmol mol-1",
        "mole_fraction_of_water_vapor_in_air",
        "water vapour concentration",
    ),
    "rho (g/m**3)": Quantity("air_density", "g m-3", "air_density", "air density"),
    "wv (m/s)": Quantity("wind_speed", "m s-1", "wind_speed", "wind speed"),
    "max. wv (m/s)": Quantity("wind_gust", "m s-1", "wind_speed_of_gust", "highest wind speed"),
    "wd (deg)": Quantity("wind_direction", "degree", "wind_from_direction", "wind direction"),
    "rain (mm)": Quantity("precipitation", "mm", "lwe_thickness_of_precipitation_amount", "precipitation"),
    "raining (s)": Quantity("precipitation_duration", "s", "", "duration of precipitation"),
    "SWDR (W/m²)": Quantity(
        "shortwave_radiation",
        "W m-2",
        "surface_downwelling_shortwave_flux_in_air",
        "downward shortwave radiation",
    ),
    "PAR (µmol/m²/s)": Quantity(
        "photosynthetic_radiation",
        "µmol m-2 s-1",
        "surface_downwelling_photosynthetic_photon_flux_in_air",
        "photosynthetically active radiation",
    ),
    "max. PAR (µmol/m²/s)": Quantity(
        "photosynthetic_radiation_maximum",
        "µmol m-2 s-1",
        "",
        "highest photosynthetically active radiation",
    ),
    "Tlog (degC)": Quantity("logger_temperature", _CELSIUS, "", "temperature of the logger"),
    "CO2 (ppm)": Quantity(
        "carbon_dioxide", "ppm", "mole_fraction_of_carbon_dioxide_in_air", "carbon dioxide concentration"
    ),
}
"""As published → what it is; the first 14 are those of the classic file, in its order."""

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in COLUMNS.values()}
COMMON_VARIABLES: tuple[str, ...] = tuple(QUANTITIES)[:14]
"""What every file must hold."""
SYNONYMS = {"OT": "CO2 (ppm)", "OT (ppm)": "CO2 (ppm)"}
TIME_COLUMNS = ("Date Time", "date")


def _key(column: str) -> str:
    """What is left of a column's spelling when case, marks, digits and broken characters are gone.

    Powers are written `²`, `2`, `**3` or as U+FFFD, and µ in two ways or as U+FFFD: no two columns differ in
    these alone.
    """
    return re.sub(r"[^a-z/]", "", column.lower())


TIME_KEYS = frozenset(map(_key, TIME_COLUMNS))
_BY_KEY = {_key(column): quantity.name for column, quantity in COLUMNS.items()}
_BY_KEY |= {_key(column): COLUMNS[meant].name for column, meant in SYNONYMS.items()}
_PUBLISHED = {quantity.name: column for column, quantity in COLUMNS.items()}


def is_time(column: str) -> bool:
    """Whether a column is called as that of the time is."""
    return _key(column) in TIME_KEYS


def variable_of(column: str) -> str | None:
    """Isotherm's name of a published column; None where the station has no such column."""
    return _BY_KEY.get(_key(column))


def published(variable: str) -> str:
    """The column in which a variable is published."""
    return _PUBLISHED[variable]


def missing_complaint(header: Sequence[str], missing: Iterable[str], unknown: Sequence[str]) -> str:
    """What to say of a header that lacks `missing` variables, naming the columns that come nearest."""
    told = []
    for variable in missing:
        column = published(variable)
        near = get_close_matches(column, header, n=1, cutoff=0.6)
        told.append(f"{column!r} (the nearest is {near[0]!r})" if near else repr(column))
    words = f"lacks the {'columns' if len(told) > 1 else 'column'} {', '.join(told)}"
    if unknown:
        words += f"; it has {', '.join(map(repr, unknown[:4]))}, which the roof station has not"
    return words
