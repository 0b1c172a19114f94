"""Listings of OISST in larger objects: PSL's yearly files and ERDDAP's subsets."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipeline.sources.base import Granule
from pipeline.sources.oisst_files import RECORD_START, not_a_listing, read_index, split_by_month
from pipeline.types import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.types import Box, TimeRange

ONE_DAY = dt.timedelta(days=1)
PSL_UNSETTLED = dt.timedelta(days=15)
"""PSL's current year may change over so many of its last days without a mark."""
INDEX_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)|(\d{1,2})-([A-Z][a-z]{2})-(\d{4})")
CELL = 0.25
TURN = 360.0
PIECE_BYTES = 128e6


def _days(start: dt.date, end: dt.date) -> list[dt.date]:
    return [start + number * ONE_DAY for number in range((end - start).days + 1)]


def list_psl(base: str, period: TimeRange, read: Callable[[str], bytes]) -> list[Granule]:
    """By the HTML index; one granule a month of a yearly file, the unsettled last days apart as preliminary.

    The version of a closed year is its date and size. The year in progress is rewritten every day, which says
    nothing of its settled days: these have none.
    """
    rows = read_index(f"{base}/", read)
    start = max(period.start, RECORD_START)
    found = []
    for year in range(start.year, period.end.year + 1):
        name = f"sst.day.mean.{year}.nc"
        if name not in rows:
            continue
        written = _index_date(rows[name])
        ends = dt.date(year, 12, 31)
        settled = min(ends, written - PSL_UNSETTLED) if written else ends
        known = min(ends, written - ONE_DAY) if written else ends
        open_year = known < ends or settled < ends
        days = _days(max(start, dt.date(year, 1, 1)), min(period.end, known))
        parts = (
            (Status.FINAL, [day for day in days if day <= settled], "" if open_year else rows[name]),
            (Status.PRELIMINARY, [day for day in days if day > settled], rows[name]),
        )
        for status, part, version in parts:
            url = f"{base}/{name}"
            found += [Granule("psl", url, month, status, version) for month in split_by_month(part)]
    return sorted(found, key=lambda granule: granule.days[0])


def _index_date(columns: str) -> dt.date | None:
    match = INDEX_DATE.search(columns)
    if match is None:
        return None
    text, form = (match[0], "%Y-%m-%d") if match[1] else (match[0], "%d-%b-%Y")
    return dt.datetime.strptime(text, form).date()  # noqa: DTZ007


def list_erddap(base: str, period: TimeRange, box: Box, read: Callable[[str], bytes]) -> list[Granule]:
    """Subsets cut to `box`, in pieces of a year or less; near-real-time data after the finals' end.

    ERDDAP is asked how far each data set goes; its subsets have no version. A piece is listed as one granule
    a month, all with its address.
    """
    start = max(period.start, RECORD_START)
    finals = dataset(box, "ncdcOisst21Agg")
    finals_end = _last_day(base, finals, read)
    found = list(_pieces(f"{base}/{finals}", box, Status.FINAL, start, min(period.end, finals_end)))
    if period.end > finals_end:
        newest = dataset(box, "ncdcOisst21NrtAgg")
        end = min(period.end, _last_day(base, newest, read))
        found += _pieces(f"{base}/{newest}", box, Status.PRELIMINARY, max(start, finals_end + ONE_DAY), end)
    return found


def dataset(box: Box, name: str) -> str:
    """The data set in whose longitudes, 0…360 or −180…180, `box` runs on without a break, if any."""
    breaks_at_0 = box.longitude[0] % TURN + box.width > TURN
    breaks_at_180 = (box.longitude[0] + TURN / 2) % TURN + box.width > TURN
    return f"{name}_LonPM180" if breaks_at_0 and not breaks_at_180 else name


def _last_day(base: str, name: str, read: Callable[[str], bytes]) -> dt.date:
    url = f"{base}/{name}.csv0?time%5B(last)%5D"
    body = read(url)
    try:
        return dt.date.fromisoformat(body.decode().strip()[:10])
    except ValueError as error:
        raise not_a_listing(url, "its last time", body) from error


def _pieces(address: str, box: Box, status: Status, start: dt.date, end: dt.date) -> Iterator[Granule]:
    west, east = _longitudes(box, -TURN / 2 if address.endswith("_LonPM180") else 0.0)
    south, north = _snapped(*box.latitude)
    cells = ((north - south) / CELL + 1) * ((east - west) / CELL + 1)
    longest = max(1, int(PIECE_BYTES / (4 * cells)))
    space = f"[(0.0):1:(0.0)][({south}):1:({north})][({west}):1:({east})]"
    for year in range(start.year, end.year + 1):
        days = _days(max(start, dt.date(year, 1, 1)), min(end, dt.date(year, 12, 31)))
        for first in range(0, len(days), longest):
            piece = days[first : first + longest]
            query = f"sst[({piece[0]}T12:00:00Z):1:({piece[-1]}T12:00:00Z)]{space}"
            url = f"{address}.nc?{quote(query, safe='():,')}"
            for month in split_by_month(piece):
                yield Granule("erddap", url, month, status)


def _snapped(low: float, high: float) -> tuple[float, float]:
    """The first and the last cell centre from `low` to `high`."""
    half = CELL / 2
    return (
        math.ceil((low - half) / CELL - 1e-9) * CELL + half,
        math.floor((high - half) / CELL + 1e-9) * CELL + half,
    )


def _longitudes(box: Box, origin: float) -> tuple[float, float]:
    west = (box.longitude[0] - origin) % TURN + origin
    if west + box.width > origin + TURN:
        return _snapped(origin, origin + TURN)
    return _snapped(west, west + box.width)
