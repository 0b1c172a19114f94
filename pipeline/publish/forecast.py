"""A forecast as a product, its arrays described after CF-1.11."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.forecasts.archive import field_of
from pipeline.forecasts.layout import STAMP
from pipeline.forecasts.stamps import read_stamp
from pipeline.publish.metadata import Credits, bounds, is_point, product_attributes
from pipeline.publish.product import write_product
from pipeline.publish.providers import provider
from pipeline.types import SST, Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import xarray as xr
    from numpy.typing import NDArray

    from pipeline.lineage import Lineage

DIMS = ("init_time", "lead_time", "latitude", "longitude")
TILE = 360
"""Cells at most of a chunk along latitude and longitude."""


# CF 1.11, section 3.1.2, asks whether temperatures are on a scale or differences.
TEMPERATURES = {"degree_Celsius", "K"}
LEAPS = {"units_metadata": "leap_seconds: none"}
_DAY = np.timedelta64(1, "D")
_SINCE = {"days": "days since 1970-01-01", "hours": "seconds since 1970-01-01"}


def export(
    forecast: xr.Dataset,
    folder: Path,
    *,
    lineage: Lineage,
    source: str = "oisst",
    terms: Credits | None = None,
) -> Path:
    """Publish forecasts of one or more init times as one immutable Zarr v3 product.

    Parameters
    ----------
    forecast
        As the archive gives it: the variable (init_time, lead_time, latitude, longitude) and, on init_time,
        `issued_at`.
    folder
        Where the product `forecast-<version>.zarr` is put.
    source
        A name of PROVIDERS.

    Returns
    -------
    Path
        Of the product; the same content gives the same product.

    Raises
    ------
    ConfigError
        The source has no provider.
    DiskFullError
        There is no space; nothing is left behind.
    """
    product = forecast_product(forecast, lineage=lineage, source=source, terms=terms or Credits())
    return write_product(product, folder, prefix="forecast-", encoding=encoding_of(product))


def encoding_of(product: xr.Dataset) -> dict[str, dict[str, Any]]:
    """How the arrays of a product are stored: times in days where all are whole ones, else in seconds and hours."""
    field = field_of(product)
    leads, *cells = (product.sizes[name] for name in DIMS[1:])
    encoding: dict[str, dict[str, Any]] = {str(name): {"_FillValue": None} for name in product.variables}
    encoding[str(field.name)] = {
        "chunks": (1, leads, *(min(TILE, n) for n in cells)),
        "_FillValue": np.float32("nan"),
    }
    for name in ("init_time", "valid_time", *({"input_time"} & {*product.variables})):
        times = product[name].values
        unit = "days" if np.all(times == times.astype("datetime64[D]")) else "hours"
        encoding[name] |= {"units": _SINCE[unit], "dtype": "float64"}
    encoding["lead_time"] |= {"units": lead_unit(product.lead_time.values), "dtype": "float64"}
    return encoding


def lead_unit(leads: NDArray[np.timedelta64]) -> str:
    """`days` where all leads are whole ones, else `hours`."""
    return "hours" if np.any(leads % _DAY) else "days"


def forecast_product(forecast: xr.Dataset, *, lineage: Lineage, source: str, terms: Credits) -> xr.Dataset:
    """The dataset of a product, in memory, with every attribute that CF and ACDD ask for; its times are UTC."""
    import xarray as xr

    observed = provider(source)
    field = field_of(forecast).transpose(*DIMS).astype(np.float32).load()
    lead, latitude, longitude = (field[name].values for name in DIMS[1:])
    init = observed.utc(field.init_time.values)
    point = is_point(forecast)
    shifted = forecast.assign_coords(init_time=init, issued_at=("init_time", forecast.issued_at.values))
    edges = (
        {} if point else {f"{name}_bnds": ((name, "bounds"), bounds(field[name].values)) for name in DIMS[2:]}
    )
    about = coordinate_attributes(lead, point=point)
    return xr.Dataset(
        {str(field.name): (DIMS, field.values, variable_attributes(field)), **edges, **_inputs(forecast)},
        {
            "init_time": ("init_time", init, about["init_time"]),
            "lead_time": ("lead_time", lead, about["lead_time"]),
            "valid_time": (("init_time", "lead_time"), init[:, None] + lead, about["valid_time"]),
            "latitude": ("latitude", latitude, about["latitude"]),
            "longitude": ("longitude", longitude, about["longitude"]),
        },
        product_attributes(shifted, lineage, observed, terms),
    )


def _inputs(forecast: xr.Dataset) -> dict[str, Any]:
    """Of one forecast, the status of each day of its history, where the archive knows it; days as published."""
    if forecast.sizes["init_time"] != 1 or STAMP not in forecast or not str(forecast[STAMP].values[0]):
        return {}
    days, status = read_stamp(str(forecast[STAMP].values[0]), forecast.init_time.values[0])
    about = {
        "standard_name": "status_flag",
        "long_name": "what the day held when the forecast was made",
        "flag_values": [int(each) for each in Status],
        "flag_meanings": " ".join(each.name.lower() for each in Status),
        "coverage_content_type": "qualityInformation",
    }
    axis = {"standard_name": "time", "long_name": "day of the history", **LEAPS}
    return {
        "input_time": ("input_time", days.astype("datetime64[ns]"), axis),
        # Attributes in JSON have no types, and CF wants flags and their values to have one.
        "input_status": ("input_time", status.astype(np.int64), about),
    }


def variable_attributes(field: xr.DataArray) -> dict[str, str]:
    """Attributes of the variable, from those that the archive keeps of it."""
    units = str(field.attrs["units"])
    given = {
        "standard_name": field.attrs.get("standard_name", ""),
        "long_name": field.attrs["long_name"],
        "units": units,
        "units_metadata": "temperature: on_scale" if units in TEMPERATURES else "",
        "cell_methods": "area: mean where sea" if str(field.name) == SST.name else "",
        "coverage_content_type": "modelResult",
    }
    return {key: value for key, value in given.items() if value}


def coordinate_attributes(leads: NDArray[np.timedelta64], *, point: bool) -> Mapping[str, dict[str, str]]:
    """Attributes of the coordinates: of days or of times, of cells with bounds or of a station."""
    what = "day" if lead_unit(leads) == "days" and not point else "time"
    place = "of the station" if point else "of the cell's centre"

    def axis(name: str, letter: str, units: str) -> dict[str, str]:
        edges = {} if point else {"bounds": f"{name}_bnds"}
        long_name = f"{name} {place}"
        return {"standard_name": name, "long_name": long_name, "units": units, "axis": letter} | edges

    return {
        "init_time": {
            "standard_name": "forecast_reference_time",
            "long_name": f"last observed {what}",
            "axis": "T",
            **LEAPS,
        },
        "lead_time": {
            "standard_name": "forecast_period",
            "long_name": f"time since the last observed {what}",
        },
        "valid_time": {"standard_name": "time", "long_name": f"{what} that is forecast", **LEAPS},
        "latitude": axis("latitude", "Y", "degrees_north"),
        "longitude": axis("longitude", "X", "degrees_east"),
    }
