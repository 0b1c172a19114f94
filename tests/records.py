"""Records made in NumPy: a season, an anomaly that fades, a coast; and the cube that holds one."""

import datetime as dt
import hashlib

import numpy as np

from pipeline.climatology import ClimatologySpec, HarmonicClimatology
from pipeline.forecasts.base import Record
from pipeline.grid import Grid
from pipeline.splits import Splits
from pipeline.store import writer
from pipeline.types import SST, Box, Status, TimeRange
from pipeline.windows import WindowSpec, find_windows

START = dt.date(2001, 1, 1)
SPEC = WindowSpec(history=4, horizon=3)
YEARLY = ClimatologySpec(harmonics=1)


def period(first: int, last: int) -> TimeRange:
    """From day `first` to day `last` of a record, both included."""
    return TimeRange(start=START + dt.timedelta(days=first), end=START + dt.timedelta(days=last))


SPLITS = Splits(train=period(0, 449), validation=period(450, 549), test=period(550, 649))


def make_sea(
    days: int = 650, *, shape: tuple[int, int] = (8, 8), seed: int = 0, memory: float = 0.9
) -> Record:
    """A record with a season and, at each cell, an anomaly of which `memory` is left a day later.

    Two by two cells in the south-west are land.
    """
    rng = np.random.default_rng(seed)
    grid = Grid.regular(Box(latitude=(-40, -40 + shape[0]), longitude=(150, 150 + shape[1])), 1)
    noise = rng.normal(size=(days, *shape))
    noise += np.roll(noise, 1, axis=1) + np.roll(noise, 1, axis=2)
    anomaly = noise[0] / np.sqrt(1 - memory**2)
    fields = np.empty((days, *shape))
    season = 15 + 3 * np.cos(2 * np.pi * np.arange(days) / 365.2425)
    for day in range(days):
        anomaly = memory * anomaly + 0.3 * noise[day]
        fields[day] = season[day] + anomaly
    ocean = np.ones(shape, bool)
    ocean[:2, :2] = False
    fields[:, ~ocean] = np.nan
    time = (np.datetime64(START) + np.arange(days)).astype("datetime64[ns]")
    return Record(fields.astype(np.float32), time, grid.latitude, grid.longitude, ocean)


def changed(record: Record, where: slice, *, by: float = 5.0) -> Record:
    """The same record with other values at the steps `where`."""
    values = record.values.copy()
    values[where] += by
    return Record(values, record.time, record.latitude, record.longitude, record.ocean)


def fitted(rung, record: Record, *, within: TimeRange = SPLITS.train, spec: WindowSpec = SPEC):
    """`rung`, fitted on the training windows of `record`."""
    climatology = HarmonicClimatology.fit(record.values, record.time, YEARLY, within=within)
    return rung.fit(record, find_windows(record.time, record.usable, within, spec), climatology)


def write_cube(path, record: Record, region: str = "bay") -> str:
    """Make the cube of `record`, or replace in it what differs; the snapshot's id."""
    writer.create_cube(path, {region: Grid(record.latitude, record.longitude)}, START)
    held = np.isfinite(record.values).any(axis=(1, 2))
    days, fields = record.time.astype("datetime64[D]")[held], record.values[held]
    snapshot = writer.write(
        path,
        writer.DayBatch(
            days,
            np.full(len(days), Status.FINAL, np.int8),
            tuple(hashlib.sha256(field.tobytes()).hexdigest() for field in fields),
            tuple(f"https://mirror.test/{day}.nc" for day in days),
            ("1",) * len(days),
            {region: fields},
        ),
    )
    assert snapshot is not None
    return snapshot


FIELD = {"standard_name": SST.standard_name, "long_name": f"forecast of {SST.long_name}", "units": SST.units}
"""Attributes of a forecast of sea-surface temperature."""
