"""Daily files in NCEI's format, version 2.1 (doi:10.25921/RE9P-PT57)."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.mirror.hdf5 import chunk, copied, put, put_chunk, put_text, template
from pipeline.mirror.land import LATITUDE, LONGITUDE, ocean_mask
from pipeline.mirror.ocean import FILL
from pipeline.types import Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORIGIN = dt.date(1978, 1, 1)
TITLE = (
    "NOAA/NCEI 1/4 Degree Daily Optimum Interpolation Sea Surface Temperature (OISST) Analysis, Version 2.1"
)
VARIABLES = {
    "sst": ("Daily sea surface temperature", "Celsius", -300, 4500),
    "anom": ("Daily sea surface temperature anomalies", "Celsius", -1200, 1200),
    "err": ("Estimated error standard deviation of analysed_sst", "Celsius", 0, 1000),
    "ice": ("Sea ice concentration", "%", 0, 100),
}
AXES = {
    "time": ("Center time of the day", "days since 1978-01-01 12:00:00"),
    "zlev": ("Sea surface height", "meters"),
    "lat": ("Latitude", "degrees_north"),
    "lon": ("Longitude", "degrees_east"),
}
GRIDS = {
    "lat": "Uniform grid from -89.875 to 89.875 by 0.25",
    "lon": "Uniform grid from 0.125 to 359.875 by 0.25",
}
GLOBALS: dict[str, Any] = {
    "Conventions": "CF-1.6, ACDD-1.3",
    "title": "",
    "references": "Huang et al. (2021), https://doi.org/10.1175/JCLI-D-20-0166.1, describe the genuine record.",
    "source": "Isotherm's simulated ocean",
    "id": "",
    "naming_authority": "gov.noaa.ncei",
    "summary": "A simulated ocean in the format of NOAA's 1/4-degree daily OISST: not an observation.",
    "cdm_data_type": "Grid",
    "history": "Simulated.",
    "date_modified": "",
    "date_created": "",
    "product_version": "Version v02r01",
    "processing_level": "NOAA Level 4",
    "institution": "Isotherm's mirror",
    "creator_url": "https://www.ncei.noaa.gov/",
    "creator_email": "oisst-help@noaa.gov",
    "keywords": "Earth Science > Oceans > Ocean Temperature > Sea Surface Temperature",
    "keywords_vocabulary": "Global Change Master Directory (GCMD) Earth Science Keywords",
    "platform": "None: simulated",
    "platform_vocabulary": "Global Change Master Directory (GCMD) Platform Keywords",
    "instrument": "None: simulated",
    "instrument_vocabulary": "Global Change Master Directory (GCMD) Instrument Keywords",
    "standard_name_vocabulary": "CF Standard Name Table (v40, 25 January 2017)",
    "geospatial_lat_min": np.float32(-90),
    "geospatial_lat_max": np.float32(90),
    "geospatial_lon_min": np.float32(0),
    "geospatial_lon_max": np.float32(360),
    "geospatial_lat_units": "degrees_north",
    "geospatial_lat_resolution": np.float32(0.25),
    "geospatial_lon_units": "degrees_east",
    "geospatial_lon_resolution": np.float32(0.25),
    "time_coverage_start": "",
    "time_coverage_end": "",
    "metadata_link": "https://doi.org/10.25921/RE9P-PT57",
    "ncei_template_version": "NCEI_NetCDF_Grid_Template_v2.0",
    "comment": "Simulated by Isotherm for demonstrations and tests.",
    "sensor": "None: simulated",
}


def file_name(day: dt.date, status: Status) -> str:
    """As NCEI names it."""
    mark = "_preliminary" if status is Status.PRELIMINARY else ""
    return f"oisst-avhrr-v02r01.{day:%Y%m%d}{mark}.nc"


def daily_file(
    day: dt.date, status: Status, sst: NDArray[np.int16], anomaly: NDArray[np.int16], created: dt.datetime
) -> bytes:
    """A daily file with `sst` and `anomaly`, int16 (720, 1440) in 0.01 degree_Celsius, −999 on land."""
    with copied(_template()) as (file, result):
        stamp = f"{created:%Y-%m-%dT%H:%M:%SZ}"
        put_text(
            file,
            title=f"{TITLE} - {'Interim' if status is Status.PRELIMINARY else 'Final'}",
            id=file_name(day, status),
            date_modified=stamp,
            date_created=stamp,
            time_coverage_start=f"{day}T00:00:00Z",
            time_coverage_end=f"{day}T23:59:59Z",
        )
        file["time"][0] = (day - ORIGIN).days
        land = sst == FILL
        put(file["sst"], sst)
        put(file["anom"], anomaly)
        put_chunk(file["err"], _error())
        put(file["ice"], _ice(sst, land))
    return result[0]


@cache
def _error() -> bytes:
    rows = (22 + 12 * np.abs(np.sin(np.radians(2 * LATITUDE)))).astype(np.int16)
    return chunk(np.where(ocean_mask(), rows[:, None], FILL).astype(np.int16))


def _ice(sst: NDArray[np.int16], land: NDArray[np.bool_]) -> NDArray[np.int16]:
    # Steps of 5 %: the quick deflating of a coarse field.
    share = (-120 - sst) // 4 * 5 + 15
    return np.where(land | (share < 15), FILL, np.minimum(share, 100)).astype(np.int16)


@cache
def _template() -> bytes:
    return template(_build)


def _build(dataset: Any) -> None:
    for name, size in (("time", None), ("zlev", 1), ("lat", LATITUDE.size), ("lon", LONGITUDE.size)):
        dataset.createDimension(name, size)
    for name, (long_name, units) in AXES.items():
        packing = {"zlib": True, "complevel": 4, "chunksizes": (1,)} if name == "time" else {}
        variable = dataset.createVariable(name, "f4", (name,), **packing)
        variable.long_name = long_name
        variable.units = units
    dataset["zlev"].positive = "down"
    dataset["zlev"].actual_range = "0, 0"
    for name, grid in GRIDS.items():
        dataset[name].grids = grid
    dataset["time"][0] = 0
    dataset["zlev"][:] = 0
    dataset["lat"][:] = LATITUDE
    dataset["lon"][:] = LONGITUDE
    dimensions = ("time", "zlev", "lat", "lon")
    for name, (long_name, units, lowest, highest) in VARIABLES.items():
        variable = dataset.createVariable(
            name, "i2", dimensions, zlib=True, complevel=4, fill_value=FILL,
            chunksizes=(1, 1, LATITUDE.size, LONGITUDE.size),
        )  # fmt: skip
        variable.setncatts(
            {
                "long_name": long_name,
                "units": units,
                "add_offset": np.float32(0),
                "scale_factor": np.float32(0.01),
                "valid_min": np.int16(lowest),
                "valid_max": np.int16(highest),
            }
        )
    dataset.setncatts(GLOBALS)
