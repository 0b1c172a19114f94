"""A forecast as a product, its arrays described after CF-1.11."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.publish.metadata import Credits, bounds, product_attributes
from pipeline.publish.product import write_product
from pipeline.types import SST_STANDARD_NAME, SST_UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import xarray as xr

    from pipeline.lineage import Lineage

DIMS = ("init_time", "lead_time", "latitude", "longitude")
TILE = 360
"""Cells at most of a chunk along latitude and longitude."""


SST = {
    "standard_name": SST_STANDARD_NAME,
    "long_name": "forecast of daily sea surface temperature",
    "units": SST_UNITS,
    "units_metadata": "temperature: on_scale",
    "cell_methods": "area: mean where sea",
    "coverage_content_type": "modelResult",
}
COORDINATES: Mapping[str, dict[str, str]] = {
    "init_time": {
        "standard_name": "forecast_reference_time",
        "long_name": "last observed day",
        "axis": "T",
        "units_metadata": "leap_seconds: none",
    },
    "lead_time": {"standard_name": "forecast_period", "long_name": "time since the last observed day"},
    "valid_time": {
        "standard_name": "time",
        "long_name": "day that is forecast",
        "units_metadata": "leap_seconds: none",
    },
    "latitude": {
        "standard_name": "latitude",
        "long_name": "latitude of the cell's centre",
        "units": "degrees_north",
        "axis": "Y",
        "bounds": "latitude_bnds",
    },
    "longitude": {
        "standard_name": "longitude",
        "long_name": "longitude of the cell's centre",
        "units": "degrees_east",
        "axis": "X",
        "bounds": "longitude_bnds",
    },
}


def export(forecast: xr.Dataset, folder: Path, *, lineage: Lineage, terms: Credits | None = None) -> Path:
    """Publish forecasts of one or more init times as one immutable Zarr v3 product.

    Parameters
    ----------
    forecast
        As the archive gives it: `sst` (init_time, lead_time, latitude, longitude) and, on init_time,
        `issued_at`.
    folder
        Where the product `forecast-<version>.zarr` is put.

    Returns
    -------
    Path
        Of the product; the same content gives the same product.

    Raises
    ------
    DiskFullError
        There is no space; nothing is left behind.
    """
    product = forecast_product(forecast, lineage=lineage, terms=terms or Credits())
    leads, *cells = (product.sizes[name] for name in DIMS[1:])
    encoding: dict[str, dict[str, Any]] = {str(name): {"_FillValue": None} for name in product.variables}
    encoding["sst"] = {"chunks": (1, leads, *(min(TILE, n) for n in cells)), "_FillValue": np.float32("nan")}
    for name in ("init_time", "valid_time"):
        encoding[name] |= {"units": "days since 1970-01-01", "dtype": "float64"}
    encoding["lead_time"] |= {"units": "days", "dtype": "float64"}
    return write_product(product, folder, prefix="forecast-", encoding=encoding)


def forecast_product(forecast: xr.Dataset, *, lineage: Lineage, terms: Credits) -> xr.Dataset:
    """The dataset of a product, in memory, with every attribute that CF and ACDD ask for."""
    import xarray as xr

    field = forecast["sst"].transpose(*DIMS).astype(np.float32).load()
    init, lead, latitude, longitude = (field[name].values for name in DIMS)
    return xr.Dataset(
        {
            "sst": (DIMS, field.values, SST),
            "latitude_bnds": (("latitude", "bounds"), bounds(latitude)),
            "longitude_bnds": (("longitude", "bounds"), bounds(longitude)),
        },
        {
            "init_time": ("init_time", init, COORDINATES["init_time"]),
            "lead_time": ("lead_time", lead, COORDINATES["lead_time"]),
            "valid_time": (("init_time", "lead_time"), init[:, None] + lead, COORDINATES["valid_time"]),
            "latitude": ("latitude", latitude, COORDINATES["latitude"]),
            "longitude": ("longitude", longitude, COORDINATES["longitude"]),
        },
        product_attributes(forecast, lineage, terms),
    )
