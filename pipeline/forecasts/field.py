"""Forecasts, truth and climatology of windows as labelled arrays of one form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xarray as xr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.forecasts.base import AnyRecord
    from pipeline.windows import Windows

DIMS = ("init_time", "lead_time", "latitude", "longitude")


def as_field(record: AnyRecord, windows: Windows, values: NDArray[Any]) -> xr.DataArray:
    """`values` (sample, lead_time, latitude, longitude) with the coordinates of these windows.

    Name and attributes are those of the quantity that is forecast.
    """
    quantity = record.quantity
    return xr.DataArray(
        values,
        dims=DIMS,
        coords={
            "init_time": windows.init_time,
            "lead_time": windows.spec.lead_time(record.time[1] - record.time[0]),
            "latitude": record.latitude,
            "longitude": record.longitude,
        },
        name=quantity.name,
        attrs={
            "standard_name": quantity.standard_name,
            "long_name": f"forecast of {quantity.long_name}",
            "units": quantity.units,
        },
    )
