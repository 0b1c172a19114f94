"""Listings of daily OISST files: the open-data bucket, NCEI's directories, and local files."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

from pipeline.errors import FetchError, VanishedError
from pipeline.sources import local
from pipeline.sources.base import Granule
from pipeline.sources.oisst_decode import read_days
from pipeline.types import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pipeline.types import TimeRange

RECORD_START = dt.date(1981, 9, 1)
FOLDER = "data/v2.1/avhrr"
NAME = re.compile(r"(?:oisst-avhrr-v02r01|avhrr-only-v2)\.(\d{8})(_preliminary)?\.nc")
ROW = re.compile(
    r'href="(?P<name>[^"/?]+\.nc)"[^>]*>(?P<rest>.*?)(?=<a\s|<hr|</table|</pre|\Z)', re.DOTALL | re.IGNORECASE
)
TAG = re.compile(r"<[^>]*>")
INDEX = re.compile(r"index of|parent directory|\.nc\"", re.IGNORECASE)


def named_day(name: str) -> tuple[dt.date, Status] | None:
    """The day and status that a daily file's name tells; None for any other name."""
    match = NAME.fullmatch(name)
    if match is None:
        return None
    try:
        day = dt.datetime.strptime(match[1], "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        return None
    return day, Status.PRELIMINARY if match[2] else Status.FINAL


def by_day(granules: Iterable[Granule], period: TimeRange) -> list[Granule]:
    """One granule a day of `period`, ascending: the final where there is one."""
    best: dict[dt.date, Granule] = {}
    for granule in granules:
        day = granule.days[0]
        if day in period and (day not in best or granule.status > best[day].status):
            best[day] = granule
    return [best[day] for day in sorted(best)]


def months(period: TimeRange) -> list[tuple[int, int]]:
    """(year, month) of every month of `period` from the record's start on."""
    start = max(period.start, RECORD_START)
    first, last = start.year * 12 + start.month - 1, period.end.year * 12 + period.end.month - 1
    return [divmod(number, 12) for number in range(first, last + 1)]


def list_open_data(base: str, period: TimeRange, read: Callable[[str], bytes]) -> list[Granule]:
    """By the bucket's own listing, a year at once where over a month of it is wanted; version: the ETag."""
    prefixes = []
    for year, group in groupby(months(period), key=lambda pair: pair[0]):
        numbers = [month for _, month in group]
        prefixes.append(f"{year}" if len(numbers) > 1 else f"{year}{numbers[0] + 1:02d}/")
    found = [granule for prefix in prefixes for granule in _bucket(base, f"{FOLDER}/{prefix}", read)]
    return by_day(found, period)


def _bucket(base: str, prefix: str, read: Callable[[str], bytes]) -> Iterator[Granule]:
    token = ""
    while True:
        query = {"list-type": "2", "prefix": prefix} | ({"continuation-token": token} if token else {})
        url = f"{base}/?{urlencode(query)}"
        root = _listing(url, read(url))
        for item in root.iterfind("{*}Contents"):
            key = item.findtext("{*}Key", "")
            told = named_day(key.rpartition("/")[2])
            if told:
                version = item.findtext("{*}ETag", "").strip('"')
                yield Granule("open-data", f"{base}/{quote(key)}", (told[0],), told[1], version)
        token = root.findtext("{*}NextContinuationToken", "")
        if root.findtext("{*}IsTruncated", "false") != "true" or not token:
            return


def _listing(url: str, body: bytes) -> ET.Element:
    try:
        # A bucket's listing has no document type, so neither entities nor their expansion: refuse one.
        root = None if b"<!DOCTYPE" in body or b"<!ENTITY" in body else ET.fromstring(body)  # noqa: S314
    except ET.ParseError:
        root = None
    if root is None or not root.tag.endswith("ListBucketResult"):
        raise not_a_listing(url, "a bucket's listing", body)
    return root


def not_a_listing(url: str, wanted: str, body: bytes) -> FetchError:
    """The error for an answer that is something else."""
    return FetchError(
        f"{url} did not answer with {wanted}, but with {body[:60]!r}",
        remedy="look at the address in a browser, or choose another mirror",
        url=url,
    )


def list_ncei(base: str, period: TimeRange, read: Callable[[str], bytes]) -> list[Granule]:
    """By the HTML index of each month; version: its date and size columns."""
    found: list[Granule] = []
    absent = 0
    wanted = months(period)
    for year, month in wanted:
        folder = f"{base}/{year}{month + 1:02d}/"
        try:
            rows = read_index(folder, read)
        except VanishedError:
            absent += 1
            continue
        for name, version in rows.items():
            told = named_day(name)
            if told:
                found.append(Granule("ncei", folder + name, (told[0],), told[1], version))
    if wanted and absent == len(wanted):
        read(f"{base}/")  # a month may not have begun yet, but then the folder of months is there
    return by_day(found, period)


def read_index(url: str, read: Callable[[str], bytes]) -> dict[str, str]:
    """The NetCDF files of an Apache index: name → the text of its other columns.

    Raises
    ------
    FetchError
        The page is not an index.
    """
    body = read(url)
    page = body.decode("utf-8", "replace")
    if not INDEX.search(page):
        raise not_a_listing(url, "an index of files", body)
    rows = {}
    for match in ROW.finditer(page):
        shown, _, columns = match["rest"].partition("</a>")
        rows[match["name"]] = " ".join(unescape(TAG.sub(" ", columns or shown)).split())
    return rows


def list_files(globs: Iterable[str], period: TimeRange) -> list[Granule]:
    """Local files: a daily file by its name, any other by its time axis, split by month.

    Raises
    ------
    ConfigError
        A glob matches no file.
    GranuleError
        A file's time axis cannot be read.
    """
    found = [granule for path in local.matching(globs) for granule in _file_granules(path, period)]
    daily = by_day((each for each in found if len(each.days) == 1), period)
    longer = [each for each in found if len(each.days) > 1]
    return sorted(daily + longer, key=lambda each: each.days[0])


def _file_granules(path: str, period: TimeRange) -> list[Granule]:
    told = named_day(Path(path).name)
    days, status = ((told[0],), told[1]) if told else (read_days(Path(path)), Status.FINAL)
    kept = [day for day in days if day in period]
    if not kept:
        return []
    return [local.granule(path, part, status) for part in split_by_month(kept)]


def split_by_month(days: Iterable[dt.date]) -> list[tuple[dt.date, ...]]:
    """Ascending days in one tuple a month."""
    return [tuple(group) for _, group in groupby(days, key=lambda day: (day.year, day.month))]
