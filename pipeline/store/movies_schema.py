"""What the store of movies looks like: all pictures one after another, and where each movie begins among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.store import collection_schema as common
from pipeline.store.collection_schema import EXCLUDED, SOURCES, put
from pipeline.store.schema import array

if TYPE_CHECKING:
    import zarr
    from numpy.typing import NDArray

    from pipeline.movies.base import Axis, MovieTable, Picture

KIND = "movies"
CHUNK = 2**19
"""Cells of a chunk: 2 MiB of float32, and one picture at least."""
NO_TIME = np.iinfo(np.int64).min
_TITLES = {
    SOURCES: "The files that the movies came from",
    EXCLUDED: "Frames and movies that were left out, and why",
}


def create_group(root: zarr.Group, name: str, picture: Picture) -> zarr.Group:
    """An empty group of movies, in the place of the one that there is."""
    told = picture.model_dump(mode="json")
    return common.create_group(root, name, KIND, f"Movies {name}", _TITLES, picture=told)


def put_movies(group: zarr.Group, table: MovieTable) -> None:
    """The pictures, where movies begin, and the axes."""
    _put_pictures(group, "value", table.values, table.picture, table.picture.long_name)
    if table.truth is not None:
        _put_pictures(
            group, "truth", table.truth, table.picture, f"{table.picture.long_name}, as it is asked for"
        )
    put(group, {"source": table.source}, "picture", {"source": f"its file: place in the group {SOURCES}"})
    if not np.isnat(table.time).all():
        put(group, {"time": _seconds(table.time)}, "picture", {"time": "when it was valid"})
        group["time"].update_attributes(
            {"units": "seconds since 1970-01-01", "calendar": "standard", "_FillValue": NO_TIME}
        )
    put(group, {"id": np.array(table.ids, dtype=object)}, "movie", {"id": "identifier of the movie"})
    told = {"offset": "pictures of movie i are from offset[i] to before offset[i + 1]"}
    put(group, {"offset": table.offset}, "edge", told)
    for axis in (table.y, table.x):
        put(group, {axis.name: np.array(axis.values)}, axis.name, {axis.name: axis.long_name})
        group[axis.name].update_attributes({"units": axis.units})
    put_rows(group, SOURCES, [each.model_dump() for each in table.sources])
    put_rows(group, EXCLUDED, [each.model_dump() for each in table.exclusions])


def put_rows(group: zarr.Group, table: str, rows: list[dict[str, Any]]) -> None:
    """The rows of one of the tables."""
    common.put_rows(group, table, rows, common.TABLES[table])


def read_pictures(group: zarr.Group, name: str, picture: Picture) -> NDArray[np.float32]:
    """float32 (picture, y, x) in units, NaN where there is none."""
    held = np.asarray(array(group, name)[:])
    if picture.scale is None:
        return np.asarray(held, np.float32)
    values = (held * np.float64(picture.scale)).astype(np.float32)
    values[held == _missing(held.dtype)] = np.nan
    return values


def read_time(group: zarr.Group) -> NDArray[np.datetime64]:
    """datetime64[ns] (picture,); NaT where time has no meaning."""
    if "time" not in group:
        return np.full(array(group, "source").shape, np.datetime64("NaT"), "datetime64[ns]")
    seconds = np.asarray(array(group, "time")[:])
    return seconds.astype("datetime64[s]").astype("datetime64[ns]")


def axis_of(group: zarr.Group, name: Any) -> Axis:
    """An axis."""
    from pipeline.movies.base import Axis

    held = array(group, name)
    told = held.attrs.asdict()
    return Axis(
        name=name,
        long_name=str(told["long_name"]),
        units=str(told["units"]),
        values=tuple(np.asarray(held[:]).tolist()),
    )


def _put_pictures(
    group: zarr.Group, name: str, values: NDArray[np.float32], picture: Picture, long_name: str
) -> None:
    held, told = _counts(values, picture)
    count, rows, columns = held.shape
    whole = group.create_array(
        name,
        shape=held.shape,
        chunks=(min(max(CHUNK // max(rows * columns, 1), 1), max(count, 1)), rows, columns),
        dtype=held.dtype,
        compressors=common.compressor(),
        dimension_names=("picture", "y", "x"),
        attributes={"long_name": long_name, "units": picture.units, **told},
    )
    whole[...] = held


def _counts(values: NDArray[np.float32], picture: Picture) -> tuple[NDArray[Any], dict[str, Any]]:
    """Whole numbers, where there is a scale, and how they are read."""
    if picture.scale is None:
        return values, {}
    counts = np.round(values / np.float64(picture.scale))
    known = np.isfinite(counts)
    most = np.abs(counts, where=known, out=np.zeros_like(counts)).max(initial=0)
    kind = np.dtype(np.int16 if most < np.iinfo(np.int16).max else np.int32)
    missing = _missing(kind)
    return np.where(known, counts, missing).astype(kind), {
        "scale_factor": picture.scale,
        "_FillValue": missing,
    }


def _missing(kind: np.dtype[Any]) -> int:
    """The count that stands for no value."""
    return -(1 << (8 * kind.itemsize - 1))


def _seconds(time: NDArray[np.datetime64]) -> NDArray[np.int64]:
    # NaT is the least integer in any unit.
    return time.astype("datetime64[s]").astype(np.int64)
