"""OISST files of every mirror decoded to one and the same `Field`.

Every OISST value is a whole number of hundredths of a degree. Packed mirrors store that number, float mirrors
a float32 near it; both are brought to it and divided by 100 in float32, which rounds once and correctly, so
that the mirrors agree to the last bit.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.sources.netcdf import broken, open_netcdf
from pipeline.types import SST_UNITS, Field, Status

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.sources.base import Granule
    from pipeline.sources.netcdf import Columns, Dataset, Variable
    from pipeline.types import Box

AXES = {"time": ("time",), "latitude": ("lat", "latitude"), "longitude": ("lon", "longitude")}
CELSIUS = {"celsius", "degc", "degree_c", "degrees_c", "deg_c", "degree_celsius", "degrees_celsius", "°c"}
CALENDARS = {None, "standard", "gregorian", "proleptic_gregorian"}
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
TIME_UNITS = re.compile(
    r"(second|minute|hour|day)s?\s+since\s+(\d{1,4})-(\d{1,2})-(\d{1,2})"
    r"(?:[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d*)?)?)?",
    re.IGNORECASE,
)
PRELIMINARY_TITLE = re.compile(r"\b(interim|preliminary|near[- ]real[- ]time)\b", re.IGNORECASE)
FINAL_TITLE = re.compile(r"\bfinal\b", re.IGNORECASE)
TURN = 360.0
NO_VALUE = 1e30  # NetCDF's default fills are beyond it, and no temperature is


def decode(path: Path, granule: Granule, box: Box) -> Field:
    """The cells of `path` whose centres lie in `box`, on the granule's days.

    A file of one day is taken as it is, whatever day the granule promises (a check compares them); of a file
    of many days only the granule's are read. Longitude begins at the box's west and ascends, beyond 180° or
    360° where the box crosses it; latitude ascends.

    Raises
    ------
    GranuleError
        `check` is `structure` where the file is unreadable or lacks a variable, an axis or every day
        promised, and `grid` where it holds no cell of the box.
    """
    with open_netcdf(path) as dataset:
        axes = {axis: _coordinate(dataset, axis, path) for axis in AXES}
        variable = _sst(dataset, {axis: name for axis, (name, _) in axes.items()}, path)
        days = _days(axes["time"][1], path)
        steps = _steps(days, granule, path)
        latitude = _numbers(axes["latitude"][1], "latitude", path)
        rows, flipped = _rows(latitude, box, path)
        columns, longitude = _columns(_numbers(axes["longitude"][1], "longitude", path), box, path)
        raw = variable.read_steps(steps, rows, columns)
        values = _unpack(raw, variable)
        title = str(dataset.attribute("title") or "")
        units = str(variable.attribute("units") or "")
    latitude = latitude[rows]
    if flipped:
        values, latitude = np.ascontiguousarray(values[:, ::-1]), latitude[::-1].copy()
    units = SST_UNITS if units.strip().lower() in CELSIUS else units
    return Field(values, days[steps], latitude, longitude, units, _status(title, granule.status))


def read_days(path: Path) -> tuple[dt.date, ...]:
    """The days that a file holds, ascending; only its time axis is read.

    Raises
    ------
    GranuleError
        As `decode`.
    """
    with open_netcdf(path) as dataset:
        days = _days(_coordinate(dataset, "time", path)[1], path)
    return tuple(np.unique(days).tolist())


def _coordinate(dataset: Dataset, axis: str, path: Path) -> tuple[str, Variable]:
    for name in AXES[axis]:
        variable = dataset.variables.get(name)
        if variable is not None:
            if len(variable.shape) != 1 or not variable.shape[0]:
                raise broken(path, f"has a {name} axis of shape {variable.shape}")
            return name, variable
    raise broken(path, f"has no {axis} axis; it holds {_listed(dataset)}")


def _listed(dataset: Dataset) -> str:
    return ", ".join(sorted(dataset.variables)) or "no variable"


def _sst(dataset: Dataset, axes: dict[str, str], path: Path) -> Variable:
    named = dataset.variables.get("sst")
    if named is not None:
        complaint = _misshapen(named, axes)
        if complaint:
            raise broken(path, f"has a variable sst {complaint}")
        return named
    fitting = {name: each for name, each in dataset.variables.items() if not _misshapen(each, axes)}
    if len(fitting) != 1:
        found = f"several that may be it: {', '.join(sorted(fitting))}" if fitting else _listed(dataset)
        raise broken(path, f"has no variable sst; it holds {found}")
    return next(iter(fitting.values()))


def _misshapen(variable: Variable, axes: dict[str, str]) -> str:
    if len(variable.shape) not in (3, 4) or variable.dtype.kind not in "iuf":
        return f"of shape {variable.shape} and type {variable.dtype}"
    dimensions = variable.dimensions
    wanted = (axes["time"], axes["latitude"], axes["longitude"])
    if len(dimensions) < 3 or (dimensions[0], *dimensions[-2:]) != wanted:
        return f"on ({', '.join(dimensions)}), not on ({', '.join(wanted)})"
    if variable.shape[1:-2] not in ((), (1,)):
        return f"of {variable.shape[1]} levels"
    return ""


def _numbers(variable: Variable, axis: str, path: Path) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # signalling NaN in a broken file
        values = np.asarray(variable.read(), np.float64)
    if not np.isfinite(values).all():
        raise broken(path, f"has a {axis} axis with values that are no numbers")
    return values


def _days(variable: Variable, path: Path) -> NDArray[np.datetime64]:
    units = str(variable.attribute("units") or "")
    calendar = variable.attribute("calendar")
    match = TIME_UNITS.match(units.strip())
    if match is None or (calendar.lower() if calendar else None) not in CALENDARS:
        raise broken(path, f"counts time in units {units!r} of calendar {calendar or 'standard'!r}")
    unit, *rest = match.groups()
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in rest)
        origin = np.datetime64(dt.datetime(year, month, day, hour, minute, second))  # noqa: DTZ001
    except ValueError as error:
        raise broken(path, f"counts time in units {units!r}: {error}") from error
    offset = _numbers(variable, "time", path) * SECONDS[unit.lower()]
    if np.abs(offset).max() > 1e12:
        raise broken(path, f"has an impossible time: {offset.max():g} s since {origin}")
    seconds = np.rint(offset).astype("timedelta64[s]")
    return np.asarray((origin.astype("datetime64[s]") + seconds).astype("datetime64[D]"))


def _steps(days: NDArray[np.datetime64], granule: Granule, path: Path) -> NDArray[np.intp]:
    if len(days) == 1:
        return np.zeros(1, np.intp)
    steps = np.flatnonzero(np.isin(days, np.array(granule.days, "datetime64[D]")))
    if not len(steps):
        raise broken(path, f"holds {days.min()}…{days.max()}, and none of the days asked of it")
    return np.asarray(steps[np.argsort(days[steps], kind="stable")])


def _rows(latitude: NDArray[np.float64], box: Box, path: Path) -> tuple[slice, bool]:
    step = np.diff(latitude)
    if len(step) and not ((step > 0).all() or (step < 0).all()):
        raise broken(path, "has a latitude axis that neither ascends nor descends")
    south, north = box.latitude
    inside = np.flatnonzero((latitude >= south) & (latitude <= north))
    if not len(inside):
        raise broken(
            path,
            f"holds latitudes {latitude.min():g}…{latitude.max():g}, none within {south:g}…{north:g}",
            check="grid",
        )
    return slice(int(inside[0]), int(inside[-1]) + 1), bool(len(step) and step[0] < 0)


def _columns(longitude: NDArray[np.float64], box: Box, path: Path) -> tuple[Columns, NDArray[np.float64]]:
    west = box.longitude[0]
    # Whole turns are added, so that centres stay the very numbers that the file has.
    eastward = longitude + TURN * np.ceil((west - longitude) / TURN)
    inside = np.flatnonzero(eastward <= west + box.width)
    if not len(inside):
        raise broken(
            path,
            f"holds longitudes {longitude.min():g}…{longitude.max():g}, "
            f"none within {west:g}…{box.longitude[1]:g}",
            check="grid",
        )
    order = inside[np.argsort(eastward[inside], kind="stable")]
    first, last = int(order[0]), int(order[-1])
    contiguous = bool((np.diff(order) == 1).all())
    return (slice(first, last + 1) if contiguous else order), eastward[order]


def _unpack(raw: NDArray[Any], variable: Variable) -> NDArray[np.float32]:
    marks = (variable.attribute(name) for name in ("_FillValue", "missing_value"))
    missing = {_representable(mark, raw.dtype) for mark in marks} - {None}
    scale = _number(variable.attribute("scale_factor"), 1.0)
    offset = _number(variable.attribute("add_offset"), 0.0)
    if raw.dtype.kind in "iu" and abs(scale - 0.01) < 1e-7 and offset == 0:
        values: NDArray[np.float32] = np.divide(raw, np.float32(100), dtype=np.float32, casting="unsafe")
    elif raw.dtype.kind in "iu":
        values = _to_hundredths(raw * scale + offset)
    else:
        values = _to_hundredths(raw if (scale, offset) == (1.0, 0.0) else raw * scale + offset)
    for fill in missing:
        np.copyto(values, np.nan, where=raw == fill)
    return values


def _representable(mark: Any, dtype: np.dtype[Any]) -> float | None:
    """`mark` as a value that `dtype` can hold; None where it can hold no such value, and none need be sought."""
    if mark is None:
        return None
    number = float(np.asarray(mark).reshape(-1)[0])
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return float(dtype.type(number))
    limits = np.iinfo(dtype)
    return int(number) if number.is_integer() and limits.min <= number <= limits.max else None


def _to_hundredths(values: NDArray[Any]) -> NDArray[np.float32]:
    known = np.abs(values) < NO_VALUE
    hundredths = np.rint(np.where(known, values, 0) * 100).astype(np.float32)
    rounded: NDArray[np.float32] = np.where(known, hundredths / np.float32(100), np.float32(np.nan))
    return rounded


def _number(value: Any, default: float) -> float:
    return default if value is None else float(value)


def _status(title: str, listed: Status) -> Status:
    if PRELIMINARY_TITLE.search(title):
        return Status.PRELIMINARY
    return Status.FINAL if FINAL_TITLE.search(title) else listed
