"""One of KNMI's radar composites: what a file says of itself is read, and held against what it must be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

    from pipeline.sources.base import Fetched

MAGIC = b"\x89HDF\r\n\x1a\n"
STEP = 300
COUNT = 0.01
"""Millimetres of one count."""
PER_HOUR = 3600 / STEP
HIGHEST = 500.0
"""In mm/h: what is more is no rain."""
ACCUMULATION = "ACCUMULATED_PRECIPITATION_[MM]"
_FORMULA = re.compile(r"\s*GEO\s*=\s*([-+.\deE]+)\s*\*\s*PV\s*([-+][\s.\deE]+)?\s*")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_STAMP = re.compile(r"(\d{2})-([A-Z]{3})-(\d{4});(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?")


class Ground(NamedTuple):
    """Where the pixels are: what has to be the same for all files of a set."""

    shape: tuple[int, int]
    pixel: tuple[float, float]
    offset: tuple[float, float]
    projection: str

    def __str__(self) -> str:
        return f"{self.shape[0]} × {self.shape[1]} pixels of {self.pixel[0]:g} × {abs(self.pixel[1]):g} km"


@dataclass(frozen=True, slots=True)
class Composite:
    """A file that is as promised.

    Parameters
    ----------
    time
        datetime64[s]: the end of the 5 minutes.
    counts
        (row, column), hundredths of a millimetre, rows from the north.
    known
        bool (row, column).
    """

    file: Fetched
    source: int
    time: np.datetime64
    ground: Ground
    counts: NDArray[np.integer]
    known: NDArray[np.bool_]


class UnusableError(Exception):
    """A composite cannot be taken: the check in a word, and why."""

    def __init__(self, check: str, message: str) -> None:
        super().__init__(message)
        self.check, self.message = check, message


def content_complaint(head: bytes) -> str:
    """What is wrong with a file that begins so; empty where it may be HDF5."""
    if not head:
        return "is empty"
    if head.lstrip()[:1] == b"<":
        return "is a page of HTML or XML, not HDF5"
    if not head.startswith(MAGIC):
        return f"does not begin as HDF5 does, but with {head[:8]!r}"
    return ""


def read_composite(file: Fetched, source: int) -> Composite:
    """The composite in a file, which is at place `source` among the sources.

    Raises
    ------
    UnusableError
        It is no HDF5, or lacks what it must have; its units, calibration, period or pixels are others; or it rains more
        than can be.
    """
    import h5py

    with file.path.open("rb") as opened:
        complaint = content_complaint(opened.read(64))
    if complaint:
        raise UnusableError("structure", complaint)
    try:
        with h5py.File(file.path, "r") as composite:
            counts = composite["image1/image_data"][()]
            if counts.dtype.kind != "u" or counts.ndim != 2:
                raise UnusableError("structure", f"its image is {counts.dtype} of {counts.ndim} dimensions")
            missing = _calibration(composite)
            time = _time(composite["overview"].attrs)
            ground = _ground(composite, counts.shape)
    except (OSError, KeyError, ValueError, TypeError, IndexError, RuntimeError) as error:
        raise UnusableError("structure", f"cannot be read: {_one_line(error)}") from error
    known = ~np.isin(counts, missing)
    highest = float(counts[known].max(initial=0)) * COUNT * PER_HOUR
    if highest > HIGHEST:
        raise UnusableError(
            "range", f"rains {highest:.0f} mm/h in a pixel, and more than {HIGHEST:.0f} cannot be"
        )
    return Composite(file, source, time, ground, counts, known)


def _calibration(composite: h5py.File) -> list[int]:
    """The counts that stand for no value."""
    about = composite["image1"].attrs
    parameter = _text(about["image_geo_parameter"])
    if parameter != ACCUMULATION:
        raise UnusableError("units", f"shows {parameter}, and must show {ACCUMULATION}")
    told = composite["image1/calibration"].attrs
    formula = _text(told["calibration_formulas"])
    parts = _FORMULA.fullmatch(formula)
    factor, offset = (
        (float((each or "0").replace(" ", "")) for each in parts.groups()) if parts else (0.0, 0.0)
    )
    if not np.isclose(factor, COUNT) or not np.isclose(offset, 0):
        raise UnusableError("calibration", f"is calibrated by {formula!r}, and must be by GEO = 0.01·PV")
    names = ("calibration_missing_data", "calibration_out_of_image")
    return [int(_number(told[name])) for name in names if name in told]


def _time(overview: Any) -> np.datetime64:
    start, end = (_stamp(_text(overview[f"product_datetime_{name}"])) for name in ("start", "end"))
    seconds = int((end - start) / np.timedelta64(1, "s"))
    if seconds != STEP:
        raise UnusableError("period", f"is of {seconds} s, {start} to {end}, and must be of {STEP}")
    return end


def _stamp(text: str) -> np.datetime64:
    parts = _STAMP.fullmatch(text.strip())
    if parts is None or parts[2] not in _MONTHS:
        raise UnusableError("time", f"is of {text!r}, which is no time")
    day, name, year, *clock = parts.groups()
    return np.datetime64(f"{year}-{_MONTHS.index(name) + 1:02}-{day}T{':'.join(clock)}", "s")


def _ground(composite: h5py.File, shape: tuple[int, ...]) -> Ground:
    about = composite["geographic"].attrs
    if _text(about["geo_dim_pixel"]).upper() != "KM,KM":
        raise UnusableError(
            "grid", f"has pixels in {_text(about['geo_dim_pixel'])}, and must have them in km"
        )
    told = tuple(int(_number(about[f"geo_number_{name}"])) for name in ("rows", "columns"))
    if told != shape:
        raise UnusableError(
            "size", f"says that it has {told[0]} × {told[1]} pixels, and has {shape[0]} × {shape[1]}"
        )
    if _number(about["geo_pixel_size_y"]) >= 0:
        raise UnusableError("grid", "has rows from the south, and must have them from the north")
    return Ground(
        shape=(shape[0], shape[1]),
        pixel=(_number(about["geo_pixel_size_x"]), _number(about["geo_pixel_size_y"])),
        offset=(_number(about["geo_row_offset"]), _number(about["geo_column_offset"])),
        projection=_text(composite["geographic/map_projection"].attrs["projection_proj4_params"]),
    )


def _text(value: Any) -> str:
    first = np.asarray(value).reshape(-1)[0]
    return first.decode("ascii", "replace") if isinstance(first, bytes) else str(first)


def _number(value: Any) -> float:
    return float(np.asarray(value).reshape(-1)[0])


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
