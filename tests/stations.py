"""Tables of a station made in NumPy, each value a function of its time, and the store that holds them."""

import datetime as dt

import numpy as np

from pipeline.quality.series import STEP
from pipeline.sources.base import Granule
from pipeline.sources.jena_columns import COMMON_VARIABLES, QUANTITIES
from pipeline.store import series_writer
from pipeline.store.series_schema import Station, day_of
from pipeline.types import Status, Table

START = np.datetime64("2020-01-01", "s")
STATION = Station(name="roof", latitude=50.5, longitude=11.5)
WIND = ("wind_speed", "wind_gust", "wind_direction")
FEW = ("air_temperature", *WIND)
MORE = (*FEW, "carbon_dioxide")
SCALES = {
    "air_pressure": (1000, 20),
    "potential_temperature": (280, 10),
    "relative_humidity": (60, 30),
    "air_density": (1200, 60),
    "wind_direction": (180, 179),
    "carbon_dioxide": (420, 20),
}


def make_table(first, last, *, variables=FEW, add=0.0) -> Table:
    """Steps `first` to before `last` after START, with two decimals as they are published."""
    step = np.arange(first, last)
    columns = []
    for name in variables:
        mean, swing = SCALES.get(name, (10, 5))
        columns.append(np.round(mean + swing * np.sin(step / (40 + list(QUANTITIES).index(name))), 2) + add)
    return Table(
        START + step * STEP, np.stack(columns, axis=1), tuple(variables), np.arange(2, len(step) + 2)
    )


def joined(*tables: Table) -> Table:
    """Rows one after another."""
    time = np.concatenate([table.time for table in tables])
    values = np.concatenate([table.values for table in tables])
    return Table(time, values, tables[0].variables, np.arange(2, len(time) + 2))


def file_rows(table, name="a.csv", *, status=Status.FINAL, sha=None, version="1", mirror="one"):
    """A file that holds `table`."""
    days = tuple(np.unique(day_of(table.time)).tolist())
    granule = Granule(mirror, f"http://{mirror}/{name}", days, status, version)
    return series_writer.FileRows(granule, sha or f"{name}-{status}-{version}-{len(table.time)}", table)


def write_series(path, *files, now=None):
    """Write files in this order; what became of the last."""
    for rows in files:
        written = series_writer.write(path, STATION, rows, QUANTITIES, now=now)
    return written


def write_common(path, days=20, *, start=START) -> str:
    """A store of `days` days of the classic variables, whole; the snapshot's id."""
    table = make_table(1, 144 * days + 1, variables=COMMON_VARIABLES)
    moved = Table(table.time + (start - START), table.values, table.variables, table.line)
    snapshot = write_series(path, file_rows(moved)).snapshot
    assert snapshot is not None
    return snapshot


NOW = dt.datetime(2024, 5, 6, tzinfo=dt.UTC)
