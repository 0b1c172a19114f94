"""The seam of a source: it describes and decodes; `fetch` does the I/O for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pipeline.errors import IsothermError
    from pipeline.forecasts.base import Kind
    from pipeline.movies.base import MovieTable
    from pipeline.records.base import Parameter, RecordTable
    from pipeline.records.texts import TextTable
    from pipeline.types import Box, Field, Quantity, Status, Table, TimeRange


@dataclass(frozen=True, slots=True)
class Granule:
    """One object of a source, remote or local: where it is and what it should hold.

    Parameters
    ----------
    mirror
        Which of the source's mirrors it is on; `files` for local files.
    url
        An http(s) address or a local path.
    days
        The days wanted of it, ascending: all that it promises within the period listed, or a part (by
        `dataclasses.replace`), to which `decode` then keeps. A large object is listed as one granule a month.
    status
        As the listing says it.
    version
        What changes when the object changes (an ETag, or size and date), or empty where the listing has none.
    """

    mirror: str
    url: str
    days: tuple[dt.date, ...]
    status: Status
    version: str = ""

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.url.split("?")[0].rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A granule that lies whole on this machine."""

    granule: Granule
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class FetchFailure:
    """A granule that could not be had, and why; the others go on."""

    granule: Granule
    error: IsothermError


class Source(Protocol):
    """What every entry of SOURCES that serves fields offers."""

    name: str
    mirrors: tuple[str, ...]
    """In order of preference."""

    def list_granules(
        self, mirror: str, period: TimeRange, box: Box, read: Callable[[str], bytes]
    ) -> Sequence[Granule]:
        """The granules of `mirror` that hold days of `period`, by day; finals before preliminaries of a day.

        `read` returns the body behind an address and raises `FetchError`. `box` encloses every region wanted;
        a mirror that serves whole fields ignores it.
        """
        ...

    def decode(self, path: Path, granule: Granule, box: Box) -> Field:
        """The field of `path` inside `box` (whole cells), in Isotherm's terms.

        Raises
        ------
        GranuleError
            With `fields["check"] == "structure"` where the file cannot be read or lacks what it must have.
        """
        ...


class SeriesSource(Protocol):
    """What every entry of SOURCES that serves the table of a station offers."""

    name: str
    mirrors: tuple[str, ...]
    """In order of preference."""
    quantities: Mapping[str, Quantity]
    """All that its tables may hold, by name."""
    latitude: float
    longitude: float
    """Of the station, degrees north and east."""

    def list_granules(
        self, mirror: str, period: TimeRange, read: Callable[[str], bytes]
    ) -> Sequence[Granule]:
        """The granules of `mirror` that promise days of `period`, by their first day.

        `read` returns the body behind an address and raises `FetchError`. A granule whose file still grows is
        preliminary.
        """
        ...

    def decode(self, path: Path, granule: Granule) -> Table:
        """The rows of `path` that lie in the granule's days, in Isotherm's terms, as published.

        Raises
        ------
        GranuleError
            With `fields["check"] == "structure"` where the file cannot be read or lacks what it must have.
        """
        ...

    def content_complaint(self, head: bytes) -> str:
        """What is wrong with a file that begins so; empty where it may be one of the source's."""
        ...


class CollectionSource(Protocol):
    """What a source of labelled records and one of movies both offer."""

    name: str
    mirrors: tuple[str, ...]
    """In order of preference."""

    def list_granules(self, mirror: str, read: Callable[[str], bytes]) -> Sequence[Granule]:
        """All files of `mirror`: those of records and of their labels, or those of movies in their order.

        There are none of movies that are made here.

        `read` returns the body behind an address and raises `FetchError`.
        """
        ...

    def content_complaint(self, head: bytes) -> str:
        """What is wrong with a file that begins so; empty where it may be one of the source's."""
        ...


class RecordSource(CollectionSource, Protocol):
    """What every entry of SOURCES that serves labelled records offers."""

    kind: Kind
    """`records` of measurements, or `texts`."""
    parameters: tuple[Parameter, ...]
    """All that its records may hold; none of texts."""

    def decode_records(self, files: Sequence[Fetched]) -> RecordTable | TextTable:
        """The records of these files, in Isotherm's terms, as published.

        Raises
        ------
        GranuleError
            With `fields["check"] == "structure"` where a file cannot be read or lacks what it must have.
        """
        ...


class MovieSource(CollectionSource, Protocol):
    """What every entry of SOURCES that serves movies offers."""

    units: str
    """Of what the pictures show."""

    def decode_movies(self, files: Sequence[Fetched]) -> MovieTable:
        """The movies of these files, in Isotherm's terms, as published.

        Raises
        ------
        GranuleError
            With `fields["check"] == "structure"` where a file cannot be read or lacks what it must have, unless that
            may be left out: then it is among the exclusions.
        """
        ...
