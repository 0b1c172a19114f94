"""What lies behind each path of the mirror: listings, indexes and files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from pipeline.errors import NotFoundError
from pipeline.mirror.archive import year_written
from pipeline.types import Status

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from urllib.parse import SplitResult

    from pipeline.mirror.archive import Shelf

FOLDER = "data/v2.1/avhrr"
NETCDF = "application/x-netcdf"
MONTH = re.compile(r"/ncei/(\d{6})/")
YEAR = re.compile(r"/psl/sst\.day\.mean\.(\d{4})\.nc")
DATASET = re.compile(r"/erddap/griddap/(ncdcOisst21(?:Nrt)?Agg(?:_LonPM180)?)\.(nc|csv0)")


@dataclass(frozen=True, slots=True)
class Answer:
    """A body and what is said of it."""

    body: bytes
    content_type: str = "text/html; charset=utf-8"
    etag: str = ""
    written: dt.datetime | None = None


def answer(shelf: Shelf, url: SplitResult) -> Answer:
    """What the mirror holds at an address.

    Raises
    ------
    NotFoundError
        Nothing.
    ValueError
        The query cannot be read.
    """
    path, query = url.path, url.query
    if path in ("/open-data", "/open-data/"):
        return Answer(_bucket(shelf, parse_qs(query)), "application/xml")
    if path.startswith(f"/open-data/{FOLDER}/") or (path.startswith("/ncei/") and path.endswith(".nc")):
        day = shelf.find(path.rpartition("/")[2])
        if path.split("/")[-2] != f"{day.day:%Y%m}":
            raise NotFoundError(f"there is no {path}")
        return Answer(shelf.daily(day), NETCDF, day.etag, day.written)
    if path.startswith("/ncei/"):
        return Answer(_ncei(shelf, path))
    if path.startswith("/psl/"):
        return _psl(shelf, path)
    if found := DATASET.fullmatch(path):
        return _erddap(shelf, found[1], found[2], unquote(query))
    raise NotFoundError(f"there is no {path}")


def page(title: str, text: str) -> bytes:
    """A page of HTML."""
    return (
        f"<!DOCTYPE HTML>\n<html><head><title>{escape(title)}</title></head>\n"
        f"<body><h1>{escape(title)}</h1><p>{escape(text)}</p></body></html>\n"
    ).encode()


def _bucket(shelf: Shelf, query: dict[str, list[str]]) -> bytes:
    """The second version of S3's ListObjects; the token is the last key listed."""
    prefix, after = (query.get(name, [""])[0] for name in ("prefix", "continuation-token"))
    most = min(1000, int(query.get("max-keys", ["1000"])[0]))
    keyed = {f"{FOLDER}/{day.day:%Y%m}/{day.name}": day for day in shelf.days()}
    keys = sorted(key for key in keyed if key.startswith(prefix) and key > after)
    listed, cut = keys[:most], len(keys) > most
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>{keyed[key].written:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
        f"<ETag>&quot;{keyed[key].etag}&quot;</ETag><StorageClass>STANDARD</StorageClass></Contents>"
        for key in listed
    )
    token = f"<NextContinuationToken>{listed[-1]}</NextContinuationToken>" if cut else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>isotherm-mirror</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(listed)}</KeyCount>"
        f"<MaxKeys>{most}</MaxKeys><IsTruncated>{str(cut).lower()}</IsTruncated>{contents}{token}"
        "</ListBucketResult>"
    ).encode()


def _ncei(shelf: Shelf, path: str) -> bytes:
    days = shelf.days()
    if path == "/ncei/":
        months = sorted({f"{day.day:%Y%m}/" for day in days})
        return index(path, ((month, None, "-") for month in months))
    found = MONTH.fullmatch(path)
    listed = [day for day in days if found and f"{day.day:%Y%m}" == found[1]]
    if not listed:
        raise NotFoundError(f"there is no {path}")
    return index(path, ((day.name, day.written, "1.5M") for day in listed))


def index(title: str, rows: Iterable[tuple[str, dt.datetime | None, str]]) -> bytes:
    """A folder's page of links, of names, times and sizes, as Apache makes it."""
    lines = "".join(
        f'<tr><td><a href="{name}">{name}</a></td><td align="right">'
        f'{f"{written:%Y-%m-%d %H:%M}" if written else "&nbsp;"}  </td><td align="right">{size}</td>'
        "<td>&nbsp;</td></tr>\n"
        for name, written, size in rows
    )
    return (
        f'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<html>\n <head>\n  <title>Index of {title}</title>'
        f"\n </head>\n <body>\n<h1>Index of {title}</h1>\n  <table>\n"
        '<tr><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th>'
        '<th><a href="?C=S;O=A">Size</a></th><th>Description</th></tr>\n'
        '<tr><td><a href="../">Parent Directory</a></td><td>&nbsp;</td><td align="right">  - </td></tr>\n'
        f"{lines}</table>\n</body></html>\n"
    ).encode()


def _psl(shelf: Shelf, path: str) -> Answer:
    if found := YEAR.fullmatch(path):
        body, etag, written = shelf.year(int(found[1]))
        return Answer(body, NETCDF, etag, written)
    if path != "/psl/":
        raise NotFoundError(f"there is no {path}")
    years = shelf.years().items()
    rows = (
        (f"sst.day.mean.{year}.nc", year_written(days), f"{1.2 * len(days):.0f}M") for year, days in years
    )
    return Answer(index(path, rows))


def _erddap(shelf: Shelf, name: str, form: str, query: str) -> Answer:
    status = Status.PRELIMINARY if "Nrt" in name else Status.FINAL
    if form == "nc":
        return Answer(shelf.subset(name, query), NETCDF)
    if query != "time[(last)]":
        raise ValueError(f"cannot read the query {query!r}")
    return Answer(f"{shelf.last(status)}T12:00:00Z\n".encode(), "text/csv")
