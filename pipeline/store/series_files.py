"""The files that a series was made from, as its store keeps them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.store.schema import array
from pipeline.store.series_schema import GRANULES, add_array, calendar, status_flags, subgroup
from pipeline.types import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    import zarr

_ONE_DAY = dt.timedelta(days=1)
_TEXTS = {
    "mirror": "mirror that the file came from",
    "url": "address of the file",
    "sha256": "SHA-256 of the file",
    "version": "version of the file in its listing",
    "days": "days that were asked of the file, as ISO 8601 intervals",
    "variables": "variables that the file has",
}
_TIMES = {
    "first_time": "first stamp of the file",
    "last_time": "last stamp of the file",
    "ingested_at": "time of ingestion, UTC",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that the series was made from.

    Parameters
    ----------
    days
        Those that were asked of it, ascending.
    first, last
        datetime64[s], of the rows that the checks left.
    rows
        How many rows are kept as published.
    ingested_at
        Seconds since 1970, UTC.
    """

    mirror: str
    url: str
    sha256: str
    version: str
    status: Status
    days: tuple[dt.date, ...]
    variables: tuple[str, ...]
    first: np.datetime64
    last: np.datetime64
    rows: int
    ingested_at: int

    @property
    def rank(self) -> tuple[int, int, np.datetime64, str]:
        """Of files that hold the same step the one of the highest rank gives it.

        A final stands above a preliminary, then who has more variables, then who reaches further.
        """
        return int(self.status), len(self.variables), self.last, self.sha256

    @property
    def place(self) -> tuple[np.datetime64, np.datetime64, str]:
        """What the rows of files are put in order by."""
        return self.first, self.last, self.sha256


def create_table(group: zarr.Group) -> None:
    """An empty table of files in the group of a series."""
    table = group.create_group(GRANULES, attributes={"title": "The files of the record"})
    for name, what in _TEXTS.items():
        add_array(table, name, str, "", {"long_name": what}, dim="granule")
    status = status_flags("whether the file still grows")
    add_array(table, "status", "int8", int(Status.MISSING), status, dim="granule")
    for name, what in _TIMES.items():
        add_array(table, name, "int64", 0, calendar({"long_name": what}), dim="granule")
    add_array(table, "row_count", "int64", 0, {"long_name": "rows of the file"}, dim="granule")


def read_entries(group: zarr.Group) -> list[Entry]:
    """The files of a series, in the order in which they came."""
    table = subgroup(group, GRANULES)
    columns = {name: np.asarray(each[:]).tolist() for name, each in table.arrays()}
    return [
        Entry(
            mirror=columns["mirror"][at],
            url=columns["url"][at],
            sha256=columns["sha256"][at],
            version=columns["version"][at],
            status=Status(columns["status"][at]),
            days=decode_days(columns["days"][at]),
            variables=tuple(columns["variables"][at].split()),
            first=np.datetime64(columns["first_time"][at], "s"),
            last=np.datetime64(columns["last_time"][at], "s"),
            rows=columns["row_count"][at],
            ingested_at=columns["ingested_at"][at],
        )
        for at in range(len(columns["url"]))
    ]


def write_entries(group: zarr.Group, entries: Sequence[Entry]) -> None:
    """Put `entries` in the place of those that there are."""
    columns: dict[str, list[Any]] = {
        "mirror": [entry.mirror for entry in entries],
        "url": [entry.url for entry in entries],
        "sha256": [entry.sha256 for entry in entries],
        "version": [entry.version for entry in entries],
        "status": [int(entry.status) for entry in entries],
        "days": [encode_days(entry.days) for entry in entries],
        "variables": [" ".join(entry.variables) for entry in entries],
        "first_time": [entry.first.astype("datetime64[s]").astype(int) for entry in entries],
        "last_time": [entry.last.astype("datetime64[s]").astype(int) for entry in entries],
        "row_count": [entry.rows for entry in entries],
        "ingested_at": [entry.ingested_at for entry in entries],
    }
    table = subgroup(group, GRANULES)
    for name, values in columns.items():
        held = array(table, name)
        held.resize((len(entries),))
        held[:] = np.array(values, dtype=object if name in _TEXTS else held.dtype)


def row_starts(entries: Sequence[Entry]) -> list[int]:
    """At which row each file begins: rows are kept file after file, in the order of their places."""
    starts, at = [0] * len(entries), 0
    for number in sorted(range(len(entries)), key=lambda number: entries[number].place):
        starts[number] = at
        at += entries[number].rows
    return starts


def encode_days(days: Sequence[dt.date]) -> str:
    """`2009-01-01/2009-06-30,2010-01-01/2010-01-01`, runs of days with both ends."""
    breaks = [at for at, (one, next_one) in enumerate(pairwise(days), 1) if next_one - one != _ONE_DAY]
    starts, ends = [0, *breaks], [*breaks, len(days)]
    return ",".join(f"{days[a]}/{days[b - 1]}" for a, b in zip(starts, ends, strict=True) if b > a)


def decode_days(text: str) -> tuple[dt.date, ...]:
    """What `encode_days` wrote."""
    days: list[dt.date] = []
    for run in filter(None, text.split(",")):
        first, last = map(dt.date.fromisoformat, run.split("/"))
        days += (first + number * _ONE_DAY for number in range((last - first).days + 1))
    return tuple(days)
