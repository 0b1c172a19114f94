"""What there is to ingest: the remote's listing, compared with what the cube holds, cut into shards."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.errors import FetchError, GranuleError
from pipeline.ingestion.job import Problem
from pipeline.store import repository, schema
from pipeline.store.state import CubeState, read_state
from pipeline.types import Box, Status, TimeRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from pipeline.regrid import Region
    from pipeline.sources.base import Granule, Source

SHARD_DAYS = 64
"""Days at least of a shard: one commit, and what a kill can cost."""
PIECE_CELLS = 2**25
"""Values at most that one decoding gives, at 16 cells a square degree: 128 MiB."""
STALE = dt.timedelta(days=3)
"""OISST comes a day late; a mirror that is further behind may have stalled."""
A_MONTH = dt.timedelta(days=31)
"""Mirrors list by months: days that are no further apart cost no listing more."""
BATCH_DAYS = 366
"""Days at least of a batch of shards: one commit, one task of a backfill."""
MARGIN = 0.5
"""Degrees around the regions, so that their outer cells have all their neighbours."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Days that are ingested together and committed once.

    Parameters
    ----------
    period
        The shard's place on the cube's axis.
    wanted
        Days to be written, ascending.
    lacking
        Those of them that the cube does not hold at all; the others are replaced.
    granules
        Where each is to be had, by day; their `days` are the wanted ones.
    """

    period: TimeRange
    wanted: tuple[dt.date, ...]
    lacking: tuple[dt.date, ...]
    granules: tuple[Granule, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an ingestion will do.

    Parameters
    ----------
    shards
        Ascending.
    gaps
        Days that the cube lacks and no mirror lists, though it lists later ones.
    unpublished
        Days after the last that any mirror lists.
    problems
        Listings that failed.
    """

    shards: tuple[Shard, ...]
    gaps: tuple[dt.date, ...] = ()
    unpublished: tuple[dt.date, ...] = ()
    problems: tuple[Problem, ...] = ()


def make_plan(
    source: Source,
    regions: Mapping[str, Region],
    cube: Path,
    period: TimeRange,
    read: Callable[[str], bytes],
    *,
    recheck: int | None = None,
) -> Plan:
    """List the mirrors in order, and keep what differs from the cube.

    A day is wanted when the cube lacks it, when it is preliminary there and final on the mirror, or when the very
    address that it came from now has another version. Days that one mirror does not have are asked of the next,
    the newest ones where the mirror is further behind than usual; where all are, that is a problem to tell of.

    Parameters
    ----------
    read
        The body behind an address, as `Fetcher.read`.
    recheck
        Final days that are older than so many days before the period's end are not listed again; all are where
        None. A reissued file is found by its listing, which for a whole record is a request a month.

    Raises
    ------
    FetchError
        No mirror could be listed.
    GridError
        A region is not a whole number of cells wide or high.
    """
    state = read_state(cube) if repository.exists(cube) else None
    days = list(period.days().tolist())
    newest = days if recheck is None else [day for day in days if (days[-1] - day).days < recheck]
    asked = sorted({*newest, *(day for day in days if held(state, day) != Status.FINAL)})
    offers, problems = _offers(source, enclosing_box(regions.values()), asked or days[-1:], state, read)
    wanted = {day: granule for day, granule in offers.items() if differs(state, day, granule)}
    last = max(offers, default=None)
    unlisted = [day for day in days if day not in offers and held(state, day) == Status.MISSING]
    origin = state.days[0].item() if state is not None and len(state.days) else period.start
    length = shard_days(regions.values())
    numbers = sorted({(day - origin).days // length for day in wanted})
    return Plan(
        tuple(_shard(origin + dt.timedelta(number * length), length, wanted, state) for number in numbers),
        tuple(day for day in unlisted if last is not None and day < last),
        tuple(day for day in unlisted if last is None or day > last),
        tuple(problems),
    )


def differs(state: CubeState | None, day: dt.date, granule: Granule) -> bool:
    """Whether `granule` would change what the cube holds of `day`."""
    if state is None:
        return True
    status, url, version = state.at(day)
    if granule.status != status:
        return granule.status > status
    return granule.url == url and bool(granule.version) and granule.version != version


def held(state: CubeState | None, day: dt.date) -> Status:
    """What the cube holds of `day`."""
    return Status.MISSING if state is None else state.at(day)[0]


def shard_days(regions: Iterable[Region]) -> int:
    """Days of a shard: a whole number of chunks of each region's cube, of an older one too."""
    longest = max(schema.chunks(region.grid)[0] for region in regions)
    return max(SHARD_DAYS, schema.FORMER_MOST_DAYS if longest == schema.MOST_DAYS else longest)


def batches(shards: Sequence[Shard], at_once: int) -> list[tuple[Shard, ...]]:
    """The shards in batches of a year at least, each of as many as `at_once` workers do in whole rounds."""
    if not shards:
        return []
    rounds = math.ceil(BATCH_DAYS / (len(shards[0].period.days()) * at_once))
    size = max(2, rounds) * at_once
    return [tuple(shards[start : start + size]) for start in range(0, len(shards), size)]


def enclosing_box(regions: Iterable[Region]) -> Box:
    """The smallest box around all regions and their margin."""
    boxes = [region.box for region in regions]
    south = max(-90.0, min(box.latitude[0] for box in boxes) - MARGIN)
    north = min(90.0, max(box.latitude[1] for box in boxes) + MARGIN)
    arcs = sorted(((box.longitude[0] - MARGIN) % 360, box.width + 2 * MARGIN) for box in boxes)
    free, west, east = -1.0, 0.0, 360.0
    reach = max(start + width for start, width in arcs) - 360
    for start, width in arcs:
        if start - reach > free:
            free, west, east = start - reach, start, reach
        reach = max(reach, start + width)
    if free <= 0:
        first = boxes[0].longitude[0]
        return Box(latitude=(south, north), longitude=(first, first + 360) if first <= 0 else (0, 360))
    return Box(latitude=(south, north), longitude=(west, east % 360))


def pieces(granules: Sequence[Granule], box: Box) -> list[Granule]:
    """The granules, those of one object and status together as far as memory allows."""
    south, north = box.latitude
    longest = max(1, int(PIECE_CELLS / max(1.0, 16 * (north - south) * box.width)))
    merged: dict[tuple[str, str, Status, int], Granule] = {}
    counts: dict[tuple[str, str, Status], int] = {}
    for granule in granules:
        for day in granule.days:
            item = (granule.mirror, granule.url, granule.status)
            number = counts[item] = counts.get(item, -1) + 1
            key = (*item, number // longest)
            kept = merged.get(key)
            merged[key] = replace(granule, days=(*(kept.days if kept else ()), day))
    return list(merged.values())


def _offers(
    source: Source,
    box: Box,
    days: list[dt.date],
    state: CubeState | None,
    read: Callable[[str], bytes],
) -> tuple[dict[dt.date, Granule], list[Problem]]:
    offers: dict[dt.date, Granule] = {}
    problems: list[Problem] = []
    failures: list[FetchError | GranuleError] = []
    for mirror in source.mirrors:
        last = max(offers, default=dt.date.max)
        if last < days[-1] - STALE:
            last = dt.date.max
        open_days = [
            day
            for day in days
            if day not in offers and day < last and (not offers or held(state, day) == Status.MISSING)
        ]
        if not open_days:
            break
        try:
            listed = [
                granule
                for span in spans(open_days)
                for granule in source.list_granules(mirror, span, box, read)
            ]
        except (FetchError, GranuleError) as error:
            problems.append(Problem(mirror=mirror, what="listing", message=error.message))
            failures.append(error)
            continue
        asked = set(open_days)
        for granule in listed:
            for day in granule.days:
                if day in asked:
                    offers.setdefault(day, granule)
    if failures and len(failures) == len(source.mirrors):
        raise _unreachable(failures, problems)
    newest = max(offers, default=None)
    if newest is not None and newest < days[-1] - STALE:
        stale = (
            f"the newest day that any lists is {newest}, {(days[-1] - newest).days} days before {days[-1]}"
        )
        problems.append(Problem(mirror="all mirrors", what="listing", message=stale))
    return offers, problems


def spans(days: Sequence[dt.date]) -> list[TimeRange]:
    """Periods that hold all of `days`, ascending, without stretches of more than a month that hold none."""
    ends = [day for day, following in pairwise(days) if following - day > A_MONTH]
    starts = [following for day, following in pairwise(days) if following - day > A_MONTH]
    return [
        TimeRange(start=start, end=end)
        for start, end in zip([days[0], *starts], [*ends, days[-1]], strict=True)
    ]


def _unreachable(
    failures: list[FetchError | GranuleError], problems: list[Problem]
) -> FetchError | GranuleError:
    if len(failures) == 1:
        return failures[0]
    said = "; ".join(f"{problem.mirror}: {problem.message}" for problem in problems)
    return FetchError(
        f"no mirror can be listed: {said}",
        remedy="check the network, name a mirror with --mirror, or give local files with --from-files",
        mirrors=[problem.mirror for problem in problems],
    )


def _shard(start: dt.date, length: int, wanted: dict[dt.date, Granule], state: CubeState | None) -> Shard:
    period = TimeRange(start=start, end=start + dt.timedelta(length - 1))
    days = tuple(sorted(day for day in wanted if day in period))
    lacking = tuple(day for day in days if held(state, day) == Status.MISSING)
    return Shard(period, days, lacking, restrict([wanted[day] for day in days], days))


def restrict(granules: Iterable[Granule], days: Iterable[dt.date]) -> tuple[Granule, ...]:
    """Each granule once, with those of its days that are among `days`, each day from the first that has it."""
    left = set(days)
    kept = []
    for granule in dict.fromkeys(granules):
        mine = tuple(day for day in granule.days if day in left)
        if mine:
            kept.append(replace(granule, days=mine))
            left -= set(mine)
    return tuple(kept)
