"""What a group of the forecast archive looks like: arrays, attributes, chunks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from zarr.codecs import BloscCodec

from pipeline.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    import zarr
    from numpy.typing import NDArray

    Arrays = Mapping[str, zarr.Array[Any]]

CHUNK_VALUES = 2**14
"""Values of a chunk, about 64 KB. A chunk holds all leads, for forecasts are written and published whole, and of a
small sea few init times: one more forecast writes the newest chunk anew, and each kept snapshot keeps its version of
it (`benchmarks/bench_retention.py`). A year of forecasts of 7 × 32 × 32 is read in 270 ms with one in a chunk, in
237 ms with 2, in 132 ms with 4 and in 52 ms with 32."""
MOST_INIT_TIMES = 32
"""Of a chunk, as of a station, whose forecasts are smaller than what a commit notes of them."""
TILE = 360
"""Cells at most of a chunk along latitude and longitude."""
COORDINATE_CHUNK = 128
MANIFEST_CHUNKS = 64
"""Chunks along init_time of one manifest, so that one more forecast costs the same after ten years."""
PROVENANCE = ("model_id", "cube_snapshot")
STAMP = "input_status"
"""A letter a day of the history; an archive of format 1 has none until it is next written to."""

_SECOND = np.timedelta64(1, "s")
_EPOCH = np.datetime64("1970-01-01", "s")
_SINCE = {"units": "seconds since 1970-01-01", "calendar": "proleptic_gregorian"}


def seconds(init_time: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Init times as they are stored."""
    return ((init_time - _EPOCH) // _SECOND).astype(np.int64)


def chunks(leads: int, rows: int, columns: int) -> tuple[int, int, int, int]:
    """Init times, leads, rows and columns of a chunk; of init times a power of two."""
    rows, columns = (math.ceil(n / math.ceil(n / TILE)) for n in (rows, columns))
    inits = 2 ** round(math.log2(max(1.0, CHUNK_VALUES / (leads * rows * columns))))
    return min(inits, MOST_INIT_TIMES), leads, rows, columns


def create(root: zarr.Group, name: str, field: xr.DataArray) -> None:
    """An empty group on the grid and leads of `field` (init_time, lead_time, latitude, longitude).

    Name, `standard_name`, `long_name` and `units` of its array are those of `field`.
    """
    group = root.create_group(name, attributes={"Conventions": "CF-1.11"})
    about = {key: field.attrs[key] for key in ("standard_name", "long_name", "units") if field.attrs[key]}
    about["coordinates"] = " ".join((*PROVENANCE, STAMP, "issued_at"))
    _forecasts(group, str(field.name), (0, *field.shape[1:]), about)
    start = {"standard_name": "forecast_reference_time", "long_name": "last observed time"}
    _growing(group, "init_time", "int64", 0, _SINCE | start)
    _growing(group, "issued_at", "int64", 0, _SINCE | {"long_name": "time at which the forecast was made"})
    _growing(group, "model_id", str, "", {"long_name": "trained model or fitted baseline"})
    _growing(group, "cube_snapshot", str, "", {"long_name": "snapshot of the observations"})
    _stamp(group, 0)
    # The attribute `dtype` is xarray's own mark of durations.
    period = {"standard_name": "forecast_period", "units": "seconds", "dtype": "timedelta64[ns]"}
    _axis(group, "lead_time", field.lead_time.values // _SECOND, period)
    _axis(group, "latitude", field.latitude.values, {"units": "degrees_north", "axis": "Y"})
    _axis(group, "longitude", field.longitude.values, {"units": "degrees_east", "axis": "X"})


def upgrade(group: zarr.Group) -> None:
    """Add the array that a group written by an older Isotherm lacks."""
    if STAMP in group:
        return
    held = dict(group.arrays())
    _stamp(group, held["init_time"].shape[0])
    for each in held.values():
        if "coordinates" in each.attrs:
            each.attrs["coordinates"] = f"{each.attrs['coordinates']} {STAMP}"


def rechunk(group: zarr.Group, name: str) -> None:
    """Cut the forecasts `name` as new archives do, where an older Isotherm put more init times into a chunk.

    They are read whole: they are many megabytes at most where several are in a chunk.
    """
    held = dict(group.arrays())[name]
    if held.chunks[0] <= chunks(*held.shape[1:])[0]:
        return
    values, attributes = np.asarray(held[:]), dict(held.attrs)
    del group[name]
    _forecasts(group, name, held.shape, attributes)[:] = values


def _forecasts(
    group: zarr.Group, name: str, shape: tuple[int, ...], attributes: dict[str, Any]
) -> zarr.Array[Any]:
    return group.create_array(
        name,
        shape=shape,
        chunks=chunks(*shape[1:]),
        dtype="float32",
        fill_value=np.nan,
        compressors=BloscCodec(typesize=4, cname="zstd", clevel=1, shuffle="bitshuffle"),
        dimension_names=("init_time", "lead_time", "latitude", "longitude"),
        attributes=attributes,
    )


def _stamp(group: zarr.Group, length: int) -> None:
    letters = "status of the days of the history, oldest first: F final, P preliminary, M missing"
    _growing(group, STAMP, str, "", {"long_name": letters}, length)


def arrays(root: zarr.Group, name: str) -> Arrays:
    """The arrays of the group `name`."""
    return dict(root.require_group(name).arrays())


def require_same_axes(group: Arrays, name: str, field: xr.DataArray) -> None:
    """Refuse forecasts of another variable, on another grid or with other leads than those of the group.

    Raises
    ------
    StoreError
        Naming the variable or the axis.
    """
    if str(field.name) not in group:
        raise StoreError(
            f"the archive has {name} of another variable than {field.name}",
            remedy="give the experiment another name, or remove its archive and forecast again",
            group=name,
            variable=str(field.name),
        )
    given = {
        "lead_time": field.lead_time.values // _SECOND,
        "latitude": field.latitude.values,
        "longitude": field.longitude.values,
    }
    for axis, values in given.items():
        held = np.asarray(group[axis][:])
        if not np.array_equal(held, values):
            raise StoreError(
                f"the archive has {name} with another {axis}: {held[0]}…{held[-1]} ({len(held)}), "
                f"and was given {values[0]}…{values[-1]} ({len(values)})",
                remedy="give the experiment another name, or remove its archive and forecast again",
                group=name,
                axis=axis,
            )


def _growing(
    group: zarr.Group, name: str, dtype: Any, fill: Any, attributes: dict[str, Any], length: int = 0
) -> None:
    group.create_array(
        name,
        shape=(length,),
        chunks=(COORDINATE_CHUNK,),
        dtype=dtype,
        fill_value=fill,
        dimension_names=("init_time",),
        attributes=attributes,
    )


def _axis(group: zarr.Group, name: str, values: NDArray[Any], attributes: dict[str, Any]) -> None:
    array = group.create_array(
        name,
        shape=values.shape,
        chunks=values.shape,
        dtype=values.dtype.name if values.dtype.kind == "f" else "int64",
        dimension_names=(name,),
        attributes={"standard_name": name, **attributes},
    )
    array[:] = values
