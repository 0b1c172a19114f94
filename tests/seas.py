"""A sea of ten by ten cells in local files, and an experiment on it that runs in seconds."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

FIRST, LAST = dt.date(2019, 1, 1), dt.date(2020, 8, 31)
LATITUDE = np.arange(-39.875, -37.4, 0.25)
LONGITUDE = np.arange(150.125, 152.6, 0.25)
LAND = np.zeros((10, 10), bool)
LAND[:4, :4] = True

EXPERIMENT = """
title = "A small sea, two days ahead"

[source]
name = "oisst"

[period]
start = 2019-01-01
end = {end}

[regions.small]
title = "A small sea"
latitude = [-40.0, -37.5]
longitude = [150.0, 152.5]

[grid]
resolution = 0.5

[splits]
train = {{ start = 2019-01-01, end = 2020-01-31 }}
validation = {{ start = 2020-02-01, end = 2020-04-15 }}
test = {{ start = 2020-04-16, end = 2020-08-31 }}

[windows]
history = 3
horizon = 2

[climatology]
harmonics = 1

[model]
name = "convlstm"
filters = 2
head = 2
patch = 1

[training]
epochs = {epochs}
batch_size = 64

[evaluation]
block_length = 10
resamples = 50
"""


def write_experiment(folder: Path, name: str = "small", *, epochs: int = 1, end: dt.date = LAST) -> Path:
    """`folder/name.toml`, an experiment whose source is to be given by `--from-files`."""
    folder.mkdir(parents=True, exist_ok=True)
    text = EXPERIMENT.format(epochs=epochs, end=end)
    tomllib.loads(text)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def days(first: dt.date = FIRST, last: dt.date = LAST) -> list[dt.date]:
    """Every day from `first` to `last`."""
    return [first + dt.timedelta(number) for number in range((last - first).days + 1)]


def sea(of: Iterable[dt.date]) -> xr.Dataset:
    """A season, a gradient and anomalies that drift; the same values for a day whatever days are asked with it."""
    chosen = list(of)
    number = np.array([(day - FIRST).days for day in chosen], float)[:, None, None]
    season = 3 * np.cos(2 * np.pi * (number - 40) / 365.25)
    column, row = np.meshgrid(np.arange(10), np.arange(10))
    waves = [0.6 * np.sin((column + row * k) / 3 - number / (4 + 3 * k) + 7 * k) for k in (1, 2, 3)]
    values = np.where(LAND, np.nan, 16 + row / 5 + season + sum(waves))
    packed = np.where(np.isfinite(values), np.round(values * 100), -999) / 100
    values = np.where(packed < -9, np.nan, packed).astype(np.float32)
    return xr.Dataset(
        {"sst": (("time", "lat", "lon"), values, {"units": "Celsius"})},
        {"time": np.array(chosen, "datetime64[ns]"), "lat": LATITUDE, "lon": LONGITUDE},
    )


def write(path: Path, dataset: xr.Dataset) -> Path:
    """As NOAA packs it: hundredths of a degree in int16, −999 where there is land."""
    path.parent.mkdir(parents=True, exist_ok=True)
    packing: dict[str, Any] = {
        "dtype": "int16",
        "scale_factor": np.float32(0.01),
        "_FillValue": np.int16(-999),
    }
    counting = {"units": "days since 1978-01-01", "dtype": "float64"}
    dataset.to_netcdf(path, engine="h5netcdf", encoding={"sst": packing, "time": counting})
    return path


def daily_name(day: dt.date) -> str:
    """The name that NCEI gives to a final daily file."""
    return f"oisst-avhrr-v02r01.{day:%Y%m%d}.nc"


def write_day(folder: Path, day: dt.date, dataset: xr.Dataset | None = None) -> Path:
    """A daily file named for `day`, which holds `dataset` or what the sea was."""
    return write(folder / daily_name(day), sea([day]) if dataset is None else dataset)
