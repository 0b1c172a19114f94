"""Yearly files in PSL's format: float32 (time, lat, lon), days since 1800."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.mirror.hdf5 import copied, put, template
from pipeline.mirror.land import LATITUDE, LONGITUDE
from pipeline.mirror.ocean import FILL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

ORIGIN = dt.date(1800, 1, 1)
MISSING = np.float32(-9.96921e36)


def yearly_file(days: Iterable[tuple[dt.date, NDArray[np.int16]]]) -> bytes:
    """A file of the days given with their fields, int16 (720, 1440) in 0.01 degree_Celsius, −999 on land."""
    with copied(_template()) as (file, result):
        sst, time = file["sst"], file["time"]
        for step, (day, hundredths) in enumerate(days):
            time.resize(step + 1, axis=0)
            time[step] = (day - ORIGIN).days
            put(sst, degrees(hundredths, MISSING), step)
    return result[0]


def degrees(hundredths: NDArray[np.int16], missing: np.float32) -> NDArray[np.float32]:
    """float32 degree_Celsius, `missing` on land."""
    values = hundredths.astype(np.float32) / np.float32(100)
    values[hundredths == FILL] = missing
    return values


@cache
def _template() -> bytes:
    return template(_build)


def _build(dataset: Any) -> None:
    dataset.createDimension("time", None)
    dataset.createDimension("lat", LATITUDE.size)
    dataset.createDimension("lon", LONGITUDE.size)
    time = dataset.createVariable("time", "f8", ("time",), chunksizes=(512,))
    time.setncatts(
        {"long_name": "Time", "units": "days since 1800-01-01 00:00:00", "standard_name": "time", "axis": "T"}
    )
    latitude = dataset.createVariable("lat", "f4", ("lat",))
    latitude.setncatts({"long_name": "Latitude", "standard_name": "latitude", "units": "degrees_north"})
    longitude = dataset.createVariable("lon", "f4", ("lon",))
    longitude.setncatts({"long_name": "Longitude", "standard_name": "longitude", "units": "degrees_east"})
    latitude[:] = LATITUDE
    longitude[:] = LONGITUDE
    sst = dataset.createVariable(
        "sst", "f4", ("time", "lat", "lon"), zlib=True, complevel=2, fill_value=MISSING,
        chunksizes=(1, LATITUDE.size, LONGITUDE.size),
    )  # fmt: skip
    sst.setncatts(
        {
            "long_name": "Daily Sea Surface Temperature",
            "units": "degC",
            "valid_range": np.array([-3, 45], np.float32),
            "missing_value": MISSING,
            "dataset": "NOAA High-resolution Blended Analysis",
            "var_desc": "Sea Surface Temperature",
            "statistic": "Mean",
        }
    )
    dataset.setncatts(
        {
            "Conventions": "CF-1.5",
            "title": "NOAA/NCEI 1/4 Degree Daily Optimum Interpolation Sea Surface Temperature (OISST) "
            "Analysis, Version 2.1",
            "institution": "Isotherm's mirror",
            "source": "Isotherm's simulated ocean",
            "comment": "Simulated by Isotherm for demonstrations and tests.",
        }
    )
