"""Writing a station's files into its series: append, growth, late arrival; one file a commit."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

from pipeline.errors import GranuleError, StoreError
from pipeline.quality.series import STEP
from pipeline.store import repository, schema
from pipeline.store import series_schema as layout
from pipeline.store.series_files import Entry, create_table, read_entries, row_starts, write_entries
from pipeline.store.series_merge import Piece, Steps, clean_rows, merge
from pipeline.store.state import describe
from pipeline.types import Status, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import icechunk
    from numpy.typing import NDArray

    from pipeline.quality.base import Finding
    from pipeline.sources.base import Granule
    from pipeline.store.series_schema import Station
    from pipeline.types import Quantity


@dataclass(frozen=True, slots=True)
class FileRows:
    """A file to be written: its rows as published, of the granule's days."""

    granule: Granule
    sha256: str
    table: Table


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a file.

    Parameters
    ----------
    snapshot
        Of the commit; None where there was nothing to commit.
    final, preliminary
        Days of which a step was added or changed.
    findings
        Where the file differs from others that hold the same steps.
    """

    snapshot: str | None = None
    final: int = 0
    preliminary: int = 0
    findings: tuple[Finding, ...] = ()


def write(
    path: Path,
    station: Station,
    rows: FileRows,
    quantities: Mapping[str, Quantity],
    *,
    now: dt.datetime | None = None,
) -> Written:
    """Commit what the store at `path` does not hold of a file yet; the store is made where there is none.

    A file of the same address, or with the same content, takes the place of what it was. Of files that hold the
    same step the one of the highest `Entry.rank` gives it: a preliminary never replaces a final.

    Raises
    ------
    GranuleError
        The stamps descend, or no row is left by the checks; the store is as it was.
    StoreError
        The station is in the store at another place.
    DiskFullError
        There is no space; the store is as it was.
    """
    entry = _entry_of(rows, (now or dt.datetime.now(dt.UTC)).timestamp())
    if not repository.exists(path):
        with repository.writing(path):
            if not repository.exists(path):
                splits = dict.fromkeys(("time", "row"), schema.MANIFEST_CHUNKS)
                repository.create(path, splits=splits)
    told = Written()

    def change(session: icechunk.Session) -> tuple[str, dict[str, Any]] | None:
        nonlocal told
        root = zarr.open_group(session.store, mode="a")
        group = _group(root, station)
        held = read_entries(group)
        at = _place_of(held, entry)
        known = held[at] if at < len(held) else None
        if known is not None and replace(entry, ingested_at=known.ingested_at) == known:
            told = Written()
            return None
        entries = [*held[:at], entry, *held[at + 1 :]]
        what = "append" if known is None else "replace"
        if known is not None and (known.sha256, known.days, known.rank) == (
            entry.sha256,
            entry.days,
            entry.rank,
        ):
            told, what = Written(), "relabel"
        else:
            layout.add_variables(group, [quantities[name] for name in rows.table.variables])
            _write_rows(group, held, entries, at, rows.table)
            told = _write_steps(group, held, entries, at)
        write_entries(group, entries)
        return _message(what, rows.granule.name, entry, told), describe(root)

    snapshot = repository.commit(path, change)
    return replace(told, snapshot=snapshot)


def _entry_of(rows: FileRows, at: float) -> Entry:
    granule, table = rows.granule, rows.table
    clean, _ = clean_rows(table, granule.url)
    if not len(clean.time):
        raise GranuleError(
            f"{granule.name} holds no value at any step",
            remedy="fetch it again, or leave it out",
            path=granule.url,
            check="completeness",
        )
    return Entry(
        mirror=granule.mirror,
        url=granule.url,
        sha256=rows.sha256,
        version=granule.version,
        status=granule.status,
        days=tuple(granule.days),
        variables=table.variables,
        first=clean.time[0],
        last=clean.time[-1],
        rows=len(table.time),
        ingested_at=int(at),
    )


def _group(root: zarr.Group, station: Station) -> zarr.Group:
    if station.name not in root:
        others = sorted(name for name, _ in root.groups())
        if others:
            raise StoreError(
                f"the store is that of {', '.join(others)}, and {station.name!r} needs one of its own",
                remedy="give the experiment another name, or remove its store",
                station=station.name,
            )
        group = layout.create_group(root, station)
        create_table(group)
        return group
    group = layout.series_group(root, station.name)
    held = tuple(float(np.asarray(schema.array(group, name)[...])) for name in ("latitude", "longitude"))
    if held != (station.latitude, station.longitude):
        raise StoreError(
            f"the station {station.name!r} is in the store at {held[0]}° north, {held[1]}° east, and now at "
            f"{station.latitude}°, {station.longitude}°",
            remedy="give the experiment another name, or remove its store",
            station=station.name,
        )
    return group


def _place_of(held: Sequence[Entry], entry: Entry) -> int:
    """Where in the table of files `entry` belongs: where it was, or at the end."""
    for same in ("url", "sha256"):
        for at, known in enumerate(held):
            if getattr(known, same) == getattr(entry, same):
                return at
    return len(held)


def _write_rows(
    group: zarr.Group, held: Sequence[Entry], entries: Sequence[Entry], at: int, table: Table
) -> None:
    """Put the rows of file `at` among those of the others, in order; what lies before them stays untouched."""
    rows = layout.subgroup(group, layout.ROWS)
    names = list(layout.quantities_of(rows))
    before, order = row_starts(held), sorted(range(len(entries)), key=lambda i: entries[i].place)
    start, total = 0, sum(entry.rows for entry in entries)
    while order and order[0] != at and before[order[0]] == start:
        start += entries[order.pop(0)].rows
    new = np.full((len(table.time), len(names)), np.nan, np.float32)
    new[:, [names.index(name) for name in table.variables]] = table.values
    values, times = [], []
    for number in order:
        span = slice(0, 0) if number == at else slice(before[number], before[number] + held[number].rows)
        values.append(new if number == at else layout.read_columns(rows, names, span))
        old = np.asarray(schema.array(rows, "time")[span])
        times.append(table.time.astype("datetime64[s]").astype(np.int64) if number == at else old)
    whole = np.concatenate(values)
    for place, name in enumerate(names):
        _put(schema.array(rows, name), start, total, whole[:, place])
    _put(schema.array(rows, "time"), start, total, np.concatenate(times))


def _write_steps(group: zarr.Group, held: Sequence[Entry], entries: Sequence[Entry], at: int) -> Written:
    """Make the steps anew that file `at` has or had, and bring the axis to the length of the record."""
    names = list(layout.quantities_of(group))
    first, last = min(e.first for e in entries), max(e.last for e in entries)
    former = held[at : at + 1]
    start = max(first, min(e.first for e in (entries[at], *former)))
    end = min(last, max(e.last for e in (entries[at], *former)))
    length = layout.len_of(group)
    old_first = layout.origin(group) if length else first
    if old_first != first:
        start, end = first, last
    count = _steps_between(start, end) + 1
    pieces = _pieces(group, entries, start, end)
    steps, findings = merge(pieces, start, count, names)
    before = _held_steps(group, names, _steps_between(old_first, start), count)
    changed = (steps.status != before.status) | _differ(steps.values, before.values).any(axis=1)
    total, offset = _steps_between(first, last) + 1, _steps_between(first, start)
    for place, name in enumerate(names):
        _put(schema.array(group, name), offset, total, steps.values[:, place])
    _put(schema.array(group, "status"), offset, total, steps.status)
    _put(schema.array(group, "granule"), offset, total, steps.granule)
    axis = (first.astype("datetime64[s]") + np.arange(total) * STEP).astype(np.int64)
    kept = length if old_first == first else 0
    _put(schema.array(group, "time"), min(kept, total), total, axis[min(kept, total) :])
    return _counted(steps, changed, findings)


def _pieces(
    group: zarr.Group, entries: Sequence[Entry], start: np.datetime64, end: np.datetime64
) -> list[Piece]:
    rows, found = layout.subgroup(group, layout.ROWS), []
    for number, (entry, first) in enumerate(zip(entries, row_starts(entries), strict=True)):
        if entry.first <= end and entry.last >= start:
            span = slice(first, first + entry.rows)
            values = layout.read_columns(rows, entry.variables, span).astype(np.float64)
            time = np.asarray(schema.array(rows, "time")[span]).astype("datetime64[s]")
            table = Table(time, values, entry.variables, np.arange(1, entry.rows + 1))
            found.append(Piece(number, entry, table))
    return found


def _held_steps(group: zarr.Group, names: Sequence[str], position: int, count: int) -> Steps:
    """What the store holds from `position` on, which may lie before its axis or reach beyond it."""
    steps = Steps.missing(np.datetime64(0, "s"), count, len(names))
    span = slice(max(0, position), max(0, min(position + count, layout.len_of(group))))
    into = slice(span.start - position, max(span.start, span.stop) - position)
    if span.stop > span.start:
        steps.values[into] = layout.read_columns(group, names, span)
        steps.status[into] = schema.array(group, "status")[span]
    return steps


def _counted(steps: Steps, changed: NDArray[np.bool_], findings: list[Finding]) -> Written:
    day = layout.day_of(steps.time)
    final, preliminary = (
        np.unique(day[changed & (steps.status == status)]) for status in (Status.FINAL, Status.PRELIMINARY)
    )
    return Written(
        final=len(np.setdiff1d(final, preliminary)),
        preliminary=len(preliminary),
        findings=tuple(findings),
    )


def _steps_between(first: np.datetime64, last: np.datetime64) -> int:
    return int((last - first) // STEP)


def _differ(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray((one != other) & ~(np.isnan(one) & np.isnan(other)))


def _put(array: zarr.Array[Any], start: int, total: int, values: NDArray[Any]) -> None:
    """Bring `array` to the length `total`, and let it hold `values` from `start` on; what it has is not written."""
    if array.shape[0] != total:
        array.resize((total,))
    held = np.asarray(array[start : start + len(values)])
    changed = np.flatnonzero((held != values) & ~((held != held) & (values != values)))
    if len(changed):
        span = slice(int(changed[0]), int(changed[-1]) + 1)
        array[start + span.start : start + span.stop] = values[span]


def _message(what: str, name: str, entry: Entry, told: Written) -> str:
    days = layout.day_of(np.array([entry.first, entry.last]))
    counts = [(told.final, "final"), (told.preliminary, "preliminary")]
    changed = ", ".join(f"{count} {kind}" for count, kind in counts if count) or "no change of the series"
    return f"{what} {name} {days[0]}…{days[1]} ({changed})"
