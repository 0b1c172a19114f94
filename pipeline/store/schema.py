"""What a cube looks like: arrays, attributes, chunks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from pipeline.errors import StoreError
from pipeline.grid import Grid
from pipeline.types import SST_STANDARD_NAME, SST_UNITS, Status

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from numpy.typing import NDArray

TILE = 90
"""Cells at most of a chunk along latitude and longitude."""
CHUNK_CELLS = 2**17
"""Values of a chunk, about, and so 16 days of a tile of 90 × 90, and 32 of a sea of 64 × 64.

`benchmarks/bench_chunks.py` measures the layouts. Of a global 1° cube of four years, a day's map takes 19 ms, a
place's record 121 ms and one more day 53 ms; with (1, 180, 360) they take 6, 1402 and 17 ms, with (32, 36, 36)
77, 75 and 272 ms, and with (16, 45, 45) in shards of (64, 180, 360) 55, 109 and 108 ms.
"""
MOST_DAYS = 32
"""Of a chunk. Each day that is new or final writes its chunk anew, and each kept snapshot keeps its version of it."""
FORMER_MOST_DAYS = 128
"""Of a chunk of a cube that an older Isotherm made."""
PROVENANCE_CHUNK = 512
"""Days: a commit writes no more provenance than that, and 40 years of it are read in 29 pieces."""
AXIS_CHUNK = 2**14
"""Days: `time` and `status` of 44 years are one chunk, which compresses to a few hundred bytes."""
MANIFEST_CHUNKS = 64
"""Chunks along time of one manifest."""

PROVENANCE = ("source_sha256", "source_url", "source_version")
REVISION = ("revision_bias", "revision_rmse")
"""Of format 2: what a final file changed in the preliminary day that it replaced."""
_EPOCH = np.datetime64("1970-01-01", "D")


def chunks(grid: Grid) -> tuple[int, int, int]:
    """Days, rows and columns of a chunk: tiles of even size, and a power of two of days."""
    rows, columns = (math.ceil(n / math.ceil(n / TILE)) for n in grid.shape)
    days = 2 ** round(math.log2(CHUNK_CELLS / (rows * columns)))
    return min(max(days, 16), MOST_DAYS), rows, columns


def create_group(
    root: zarr.Group, region: str, grid: Grid, first_day: dt.date, attributes: Mapping[str, Any]
) -> None:
    """An empty cube of `region` whose time axis begins at `first_day`."""
    group = root.create_group(region, attributes=dict(attributes) | {"first_day": first_day.isoformat()})
    codec = BloscCodec(typesize=4, cname="lz4", clevel=5, shuffle="bitshuffle")
    dims = ("time", "latitude", "longitude")
    sst: dict[str, Any] = {
        "standard_name": SST_STANDARD_NAME,
        "long_name": "daily sea surface temperature",
        "units": SST_UNITS,
        "cell_methods": "time: mean area: mean where sea",
    }
    group.create_array(
        "sst",
        shape=(0, *grid.shape),
        chunks=chunks(grid),
        dtype="float32",
        fill_value=np.nan,
        compressors=codec,
        dimension_names=dims,
        attributes=sst | {"coordinates": " ".join(("status", *PROVENANCE, "ingested_at"))},
    )
    _create_time_arrays(group, 0)
    write_axis(group, "latitude", grid.latitude, "degrees_north")
    write_axis(group, "longitude", grid.longitude, "degrees_east")


def upgrade(group: zarr.Group) -> None:
    """Add the arrays that a group written by an older Isotherm lacks."""
    if any(name not in group for name in REVISION):
        _create_time_arrays(group, len(status_of(group)))


def _create_time_arrays(group: zarr.Group, length: int) -> None:
    """The coordinates on time that are not there yet, of `length` days."""
    for name, dtype, fill, days, attrs in _time_arrays():
        if name in group:
            continue
        group.create_array(
            name,
            shape=(length,),
            chunks=(days,),
            dtype=dtype,
            fill_value=fill,
            compressors="auto" if dtype is str else BloscCodec(cname="zstd", shuffle="shuffle"),
            dimension_names=("time",),
            attributes=attrs,
        )


def _time_arrays() -> list[tuple[str, Any, Any, int, dict[str, Any]]]:
    """Name, type, fill value, chunk and attributes of each coordinate on time."""
    calendar = {"calendar": "proleptic_gregorian"}
    axis = calendar | {"standard_name": "time", "axis": "T", "units": "days since 1970-01-01"}
    flags = {
        "long_name": "what the day holds",
        "flag_values": [int(s) for s in Status],
        "flag_meanings": " ".join(s.name.lower() for s in Status),
    }
    ingested = calendar | {"long_name": "time of ingestion", "units": "seconds since 1970-01-01"}
    about = ("SHA-256", "address", "version in its listing")
    revised = "of the final day minus the preliminary one, over the sea"
    return [
        ("time", "int64", 0, AXIS_CHUNK, axis),
        ("status", "int8", int(Status.MISSING), AXIS_CHUNK, flags),
        ("ingested_at", "float64", np.nan, PROVENANCE_CHUNK, ingested),
        *(
            (name, "float32", np.nan, AXIS_CHUNK, {"long_name": f"{what} {revised}", "units": SST_UNITS})
            for name, what in zip(REVISION, ("mean", "root mean square"), strict=True)
        ),
        *(
            (name, str, "", PROVENANCE_CHUNK, {"long_name": f"{what} of the source file"})
            for name, what in zip(PROVENANCE, about, strict=True)
        ),
    ]


def write_axis(group: zarr.Group, name: str, centres: NDArray[np.float64], units: str) -> None:
    """A latitude or longitude coordinate of `group`."""
    axis = group.create_array(
        name,
        shape=centres.shape,
        chunks=centres.shape,
        dtype="float64",
        dimension_names=(name,),
        attributes={
            "standard_name": name.removeprefix("source_"),
            "units": units,
            "axis": "Y" if name.endswith("latitude") else "X",
        },
    )
    axis[:] = centres


def write_source_grid(root: zarr.Group, grid: Grid) -> None:
    """Note the grid that the first granules came on, with which later ones are compared."""
    if "source_latitude" not in root:
        write_axis(root, "source_latitude", grid.latitude, "degrees_north")
        write_axis(root, "source_longitude", grid.longitude, "degrees_east")


def source_grid(root: zarr.Group) -> Grid | None:
    """What `write_source_grid` noted."""
    if "source_latitude" not in root:
        return None
    axes = (array(root, f"source_{name}") for name in ("latitude", "longitude"))
    return Grid(*(np.asarray(axis[:]) for axis in axes))


def array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    """The array `name` of a cube's group."""
    found = group[name]
    assert isinstance(found, zarr.Array)
    return found


def grid_of(group: zarr.Group) -> Grid:
    """The grid of a cube's group."""
    return Grid(np.asarray(array(group, "latitude")[:]), np.asarray(array(group, "longitude")[:]))


def status_of(group: zarr.Group) -> NDArray[np.int8]:
    """int8 (time,), of `Status`."""
    return np.asarray(array(group, "status")[:], np.int8)


def origin(group: zarr.Group) -> np.datetime64:
    """Day of position 0 of the time axis."""
    return np.datetime64(str(group.attrs["first_day"]), "D")


def encode_days(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Days as the time axis stores them."""
    return (days.astype("datetime64[D]") - _EPOCH).astype(np.int64)


def region_group(root: zarr.Group, region: str) -> zarr.Group:
    """The group of `region`.

    Raises
    ------
    StoreError
        There is none; the message names those there are.
    """
    if region not in root:
        names = ", ".join(sorted(name for name, _ in root.groups())) or "none"
        raise StoreError(
            f"the cube has no region {region!r}; it has {names}", remedy="ingest it first", region=region
        )
    group = root[region]
    assert isinstance(group, zarr.Group)
    return group
