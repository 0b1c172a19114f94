"""What the store of a station looks like: the clean series, the rows as published, the files they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from pipeline.errors import StoreError
from pipeline.quality.series import STEP
from pipeline.store.schema import array
from pipeline.types import Quantity, Spec, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

CHUNK = 2**16
"""Steps of a chunk: 15 months of ten minutes, 256 KiB. A file that grows by a day writes the newest chunk of each
variable anew; but an epoch is streamed from smaller ones too slowly, by `benchmarks/bench_streaming.py` 0.45 times
as fast as from memory with 2¹⁵ and 0.31 times with 2¹³, where it is 0.57 times with 2¹⁶."""
ROW_CHUNK = 2**13
"""Rows as published, which are read whole."""
TABLE_CHUNK = 64
"""Files."""
CHUNKS = {"time": CHUNK, "row": ROW_CHUNK, "granule": TABLE_CHUNK}
"""By dimension."""
ROWS, GRANULES = "rows", "granules"
NO_GRANULE = -1
TEMPERATURE_UNITS = ("degree_Celsius", "K")
_SECONDS = "seconds since 1970-01-01"


class Station(Spec):
    """Where a series was observed.

    Parameters
    ----------
    latitude, longitude
        Degrees north and east.
    """

    name: str
    latitude: float
    longitude: float


def create_group(root: zarr.Group, station: Station) -> zarr.Group:
    """An empty series."""
    about: dict[str, Any] = {
        "Conventions": "CF-1.11",
        "featureType": "timeSeries",
        "title": f"Record of the weather station {station.name}",
        "time_step": f"PT{STEP // np.timedelta64(60, 's')}M",
        "comment": "Times are local standard time without daylight saving; a stamp ends its ten minutes.",
    }
    group = root.create_group(station.name, attributes=about)
    for name, value, units in (
        ("latitude", station.latitude, "degrees_north"),
        ("longitude", station.longitude, "degrees_east"),
    ):
        told: dict[str, Any] = {"standard_name": name, "long_name": f"{name} of the station", "units": units}
        group.create_array(name, shape=(), dtype="float64", attributes=told)[...] = value
    named: dict[str, Any] = {"long_name": "name of the station", "cf_role": "timeseries_id"}
    group.create_array("station", shape=(), dtype=str, attributes=named)[...] = station.name
    axis = {"standard_name": "time", "axis": "T", "long_name": "end of the ten minutes, local standard time"}
    files = {"long_name": f"file that the step is from: its place in the group {GRANULES}, or {NO_GRANULE}"}
    add_array(group, "time", "int64", 0, calendar(axis))
    add_array(group, "status", "int8", int(Status.MISSING), status_flags("what the step holds"))
    add_array(group, "granule", "int16", NO_GRANULE, files)
    rows = group.create_group(ROWS, attributes={"title": "The rows as published, file after file"})
    add_array(rows, "time", "int64", 0, calendar({"long_name": "stamp of the row"}), dim="row")
    return group


def add_variables(group: zarr.Group, quantities: Iterable[Quantity]) -> None:
    """Arrays of NaN, over the axis and over the rows, for the quantities that have none yet."""
    places = "latitude longitude station status granule"
    for quantity in quantities:
        if quantity.name in group:
            continue
        told = {"long_name": quantity.long_name, "units": quantity.units}
        if quantity.standard_name:
            told["standard_name"] = quantity.standard_name
        if quantity.units in TEMPERATURE_UNITS:
            told["units_metadata"] = "temperature: on_scale"
        rows = subgroup(group, ROWS)
        for where, dim, length, more in (
            (group, "time", len_of(group), {"coordinates": places}),
            (rows, "row", len_of(rows), {}),
        ):
            add_array(where, quantity.name, "float32", np.nan, told | more, dim=dim, length=length)


def add_array(
    group: zarr.Group,
    name: str,
    dtype: Any,
    fill: Any,
    attributes: dict[str, Any],
    *,
    dim: str = "time",
    length: int = 0,
) -> None:
    """An array of `length` fill values along `dim`."""
    group.create_array(
        name,
        shape=(length,),
        chunks=(CHUNKS[dim],),
        dtype=dtype,
        fill_value=fill,
        compressors="auto" if dtype is str else BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle"),
        dimension_names=(dim,),
        attributes=attributes,
    )


def status_flags(long_name: str) -> dict[str, Any]:
    """Attributes of an array of `Status`."""
    return {
        "long_name": long_name,
        "flag_values": [int(s) for s in Status],
        "flag_meanings": " ".join(s.name.lower() for s in Status),
    }


def calendar(attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes of an array of times, in seconds."""
    told = {"units": _SECONDS, "calendar": "proleptic_gregorian", "units_metadata": "leap_seconds: none"}
    return attributes | told


def subgroup(group: zarr.Group, name: str) -> zarr.Group:
    """The group of the rows or of the files."""
    found = group[name]
    assert isinstance(found, zarr.Group)
    return found


def is_series(group: zarr.Group) -> bool:
    """Whether a group is that of a station, and not a region of a cube."""
    return GRANULES in group


def series_group(root: zarr.Group, station: str) -> zarr.Group:
    """The group of `station`.

    Raises
    ------
    StoreError
        There is none; the message names those there are.
    """
    groups = dict(root.groups())
    if station not in groups or not is_series(groups[station]):
        names = ", ".join(sorted(name for name, group in groups.items() if is_series(group))) or "none"
        raise StoreError(
            f"the store has no station {station!r}; it has {names}",
            remedy="ingest it first",
            station=station,
        )
    return groups[station]


def len_of(group: zarr.Group) -> int:
    """Steps of a series, or rows."""
    return int(array(group, "time").shape[0])


def times_of(group: zarr.Group) -> NDArray[np.datetime64]:
    """datetime64[s] of the axis, or of the rows."""
    return np.asarray(array(group, "time")[:], np.int64).astype("datetime64[s]")


def origin(group: zarr.Group) -> np.datetime64:
    """Time of position 0 of an axis that is not empty."""
    return np.datetime64(int(np.asarray(array(group, "time")[:1])[0]), "s")


def day_of(time: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """The day, datetime64[D], in which the interval lies that a stamp ends."""
    return (time.astype("datetime64[s]") - np.timedelta64(1, "s")).astype("datetime64[D]")


def day_status(group: zarr.Group) -> tuple[NDArray[np.datetime64], NDArray[np.int8]]:
    """Every day of the axis, and its status: missing where no step of it has a value, else the least of those.

    Returns
    -------
    datetime64[D] (day,) and int8 (day,)
    """
    status = np.asarray(array(group, "status")[:], np.int8)
    if not len(status):
        return np.empty(0, "datetime64[D]"), np.empty(0, np.int8)
    day = day_of(times_of(group))
    starts = np.flatnonzero(np.diff(day, prepend=day[0] - 1))
    least = np.minimum.reduceat(np.where(status == Status.MISSING, np.int8(127), status), starts)
    return day[starts], np.where(least == 127, np.int8(Status.MISSING), least).astype(np.int8)


def quantities_of(group: zarr.Group) -> dict[str, Quantity]:
    """The variables of a series, by name."""
    found = {}
    for name, each in group.arrays():
        if each.dtype == np.float32:
            told = {key: str(each.attrs.get(key, "")) for key in ("units", "standard_name", "long_name")}
            found[name] = Quantity(name, **told)
    return found


def read_columns(group: zarr.Group, names: Sequence[str], span: slice = slice(None)) -> NDArray[np.float32]:
    """float32 (time or row, variable)."""
    first, last, _ = span.indices(len_of(group))
    values = np.empty((max(0, last - first), len(names)), np.float32)
    for place, name in enumerate(names):
        values[:, place] = array(group, name)[first:last]
    return values
