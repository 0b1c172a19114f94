"""Radar composites made in NumPy, in the genuine file format: rain that drifts, within a ring of nothing known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.movies.base import MovieTable
from pipeline.sources import source
from pipeline.sources.base import Fetched
from pipeline.sources.cache import sha256_of

MISSING = 65535
FIRST = np.datetime64("2010-08-26T00:00:00")
STEP = np.timedelta64(300, "s")
SHAPE = (24, 20)
FORMULA = "GEO=0.01*PV+0.0"
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


def drifting(count: int, shape: tuple[int, int] = SHAPE, *, seed: int = 0) -> NDArray[np.uint16]:
    """Counts (frame, row, column) of showers that move by a pixel a frame to the east; the outer ring is missing."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    counts = np.zeros((count, *shape))
    for _ in range(6):
        row, column, strength = rng.uniform(0, shape[0]), rng.uniform(-count, shape[1]), rng.uniform(20, 120)
        for frame in range(count):
            away = (rows - row) ** 2 + (columns - column - frame) ** 2
            counts[frame] += strength * np.exp(-away / 8)
    drawn = np.rint(counts).astype(np.uint16)
    for ring in (np.s_[:, 0], np.s_[:, -1], np.s_[:, :, 0], np.s_[:, :, -1]):
        drawn[ring] = MISSING
    return drawn


def stamp(time: np.datetime64) -> str:
    """As the files have it."""
    day, clock = str(time.astype("datetime64[s]")).split("T")
    year, month, number = day.split("-")
    return f"{number}-{MONTHS[int(month) - 1]}-{year};{clock}.000"


def write_composite(path: Path, counts: NDArray[Any], time: np.datetime64, **told: Any) -> Path:
    """A file of `counts`; `told` replaces what it says of itself."""
    say: dict[str, Any] = {
        "formula": FORMULA,
        "parameter": "ACCUMULATED_PRECIPITATION_[MM]",
        "seconds": 300,
        "pixel": "KM,KM",
        "row_offset": 3650.0,
        "missing": MISSING,
        "end": stamp(time),
        **told,
    }
    with h5py.File(path, "w") as file:
        start = time - np.timedelta64(say["seconds"], "s")
        _put(
            file.create_group("overview"),
            product_datetime_start=[np.bytes_(stamp(start))],
            product_datetime_end=[np.bytes_(say["end"])],
        )
        ground = file.create_group("geographic")
        _put(
            ground,
            geo_dim_pixel=np.bytes_(say["pixel"]),
            geo_number_rows=[counts.shape[0]],
            geo_number_columns=[counts.shape[1]],
            geo_pixel_size_x=[1.0],
            geo_pixel_size_y=[-1.0],
            geo_row_offset=[say["row_offset"]],
            geo_column_offset=[0.0],
        )
        _put(
            ground.create_group("map_projection"), projection_proj4_params=np.bytes_("+proj=stere +lat_0=90")
        )
        image = file.create_group("image1")
        _put(image, image_geo_parameter=np.bytes_(say["parameter"]))
        _put(
            image.create_group("calibration"),
            calibration_formulas=np.bytes_(say["formula"]),
            calibration_missing_data=[say["missing"]],
            calibration_out_of_image=[MISSING],
        )
        image.create_dataset("image_data", data=counts, compression="gzip")
    return path


def write_composites(folder: Path, counts: NDArray[np.uint16], *, first: np.datetime64 = FIRST) -> list[Path]:
    """A file a frame, 5 minutes apart, named as KNMI names them."""
    folder.mkdir(parents=True, exist_ok=True)
    times = [first + at * STEP for at in range(len(counts))]
    return [
        write_composite(folder / name_of(time), frame, time)
        for time, frame in zip(times, counts, strict=True)
    ]


def name_of(time: np.datetime64) -> str:
    """Of the file of a time."""
    digits = "".join(each for each in str(time.astype("datetime64[m]")) if each.isdigit())
    return f"RAD_NL25_RAP_5min_{digits}.h5"


def decoded(folder: Path, config: Mapping[str, Any] | None = None) -> MovieTable:
    """What the source makes of the files in a folder."""
    return decode_files(sorted(folder.glob("*")), config)


def decode_files(paths: Sequence[Path], config: Mapping[str, Any] | None = None) -> MovieTable:
    """What the source makes of these files."""
    made: Any = source("knmi-radar", files=tuple(map(str, paths)), **(config or {}))
    granules = made.list_granules("files", lambda _: b"")
    found = [Fetched(each, Path(each.url), sha256_of(Path(each.url))) for each in granules]
    table: MovieTable = made.decode_movies(found)
    return table


def _put(group: h5py.Group, **attributes: Any) -> None:
    for name, value in attributes.items():
        group.attrs[name] = value
