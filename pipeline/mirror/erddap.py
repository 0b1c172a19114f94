"""ERDDAP's griddap, as far as OISST needs it: a data set's last time, and subsets as NetCDF-3."""

from __future__ import annotations

import datetime as dt
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.mirror.land import LATITUDE, LONGITUDE
from pipeline.mirror.psl import degrees
from pipeline.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

FILL = np.float32(-9.99)
ORIGIN = dt.date(1970, 1, 1)
NOON = 43200
RANGE = re.compile(r"\[\(([^)]*)\)(?::1:\(([^)]*)\))?\]")


@dataclass(frozen=True, slots=True)
class Subset:
    """A query's answer: which days, rows and columns, and the longitudes as the data set writes them."""

    start: dt.date
    end: dt.date
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    longitude: NDArray[np.float64]


def parse(query: str, *, west: float) -> Subset:
    """The subset that `sst[(t0):1:(t1)][(z)][(lat0):1:(lat1)][(lon0):1:(lon1)]` asks for.

    Parameters
    ----------
    west
        Where the data set's longitudes begin: 0 or −180 degrees.

    Raises
    ------
    ValueError
        The query is none, or lies outside the grid.
    """
    ranges = [(low, high or low) for low, high in RANGE.findall(query.removeprefix("sst"))]
    if not query.startswith("sst[") or len(ranges) != 4:
        raise ValueError(f"cannot read the query {query!r}")
    (start, end), _, latitude, longitude = ranges
    eastward = (LONGITUDE - west) % 360 + west
    order = np.argsort(eastward)
    columns = order[_within(eastward[order], longitude)]
    return Subset(
        dt.date.fromisoformat(start[:10]),
        dt.date.fromisoformat(end[:10]),
        _within(LATITUDE, latitude),
        columns,
        eastward[columns],
    )


def _within(axis: NDArray[np.float64], bounds: tuple[str, str]) -> NDArray[np.intp]:
    low, high = (int(np.abs(axis - float(bound)).argmin()) for bound in bounds)
    if any(abs(float(bound) - axis[at]) > 0.25 for bound, at in zip(bounds, (low, high), strict=True)):
        raise ValueError(f"{bounds} lies outside {axis[0]}…{axis[-1]}")
    if high < low:
        raise ValueError(f"{bounds} is the wrong way round")
    return np.arange(low, high + 1)


def subset_file(
    subset: Subset, days: Sequence[dt.date], fields: Iterable[NDArray[np.int16]], status: Status, name: str
) -> bytes:
    """The subset of global `fields`, int16 (720, 1440) in 0.01 degree_Celsius, as NetCDF-3 classic."""
    from scipy.io import netcdf_file

    buffer = io.BytesIO()
    file = netcdf_file(buffer, "w", version=1)
    axes: dict[str, tuple[str, Any, dict[str, Any]]] = {
        "time": (
            "f8",
            [(day - ORIGIN).days * 86400 + NOON for day in days],
            {"units": "seconds since 1970-01-01T00:00:00Z", "axis": "T", "standard_name": "time"},
        ),
        "zlev": ("f4", [0.0], {"units": "m", "positive": "down"}),
        "latitude": ("f4", LATITUDE[subset.rows], {"units": "degrees_north", "axis": "Y"}),
        "longitude": ("f4", subset.longitude, {"units": "degrees_east", "axis": "X"}),
    }
    for axis, (kind, values, attributes) in axes.items():
        file.createDimension(axis, len(values))
        variable = file.createVariable(axis, kind, (axis,))
        variable[:] = np.asarray(values)
        for key, value in attributes.items():
            setattr(variable, key, value)
    sst = file.createVariable("sst", "f4", tuple(axes))
    for step, field in enumerate(fields):
        sst[step, 0] = degrees(field[np.ix_(subset.rows, subset.columns)], FILL)
    for key, value in {
        "_FillValue": FILL,
        "units": "degree_C",
        "long_name": "Daily sea surface temperature",
        "standard_name": "sea_surface_temperature",
        "valid_min": np.float32(-3),
        "valid_max": np.float32(45),
    }.items():
        setattr(sst, key, value)
    kind = "Final" if status is Status.FINAL else "Near Real Time"
    longitudes = ", Lon+/-180" if name.endswith("_LonPM180") else ""
    title = "SST, Daily Optimum Interpolation (OI), AVHRR Only, Version 2.1"
    for key, value in {
        "title": f"{title}, {kind}, Global, 0.25 degrees{longitudes}",
        "Conventions": "CF-1.6, ACDD-1.3, COARDS",
        "comment": "Simulated by Isotherm for demonstrations and tests.",
        "id": name,
    }.items():
        setattr(file, key, value)
    file.flush()
    return buffer.getvalue()
