"""What a section of a report is, and which parts of the report have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.reports.inputs import RegionInputs, ReportInputs
    from pipeline.reports.movies_inputs import MoviesInputs
    from pipeline.reports.records_inputs import RecordsInputs


@dataclass(frozen=True, slots=True)
class Section:
    """A heading in plain text, and well-formed HTML to stand below it."""

    title: str
    html: str


def always(_: RegionInputs) -> bool:
    """For sections that every region has."""
    return True


def of_fields(region: RegionInputs) -> bool:
    """For sections of regions of many cells."""
    return region.station is None


def of_station(region: RegionInputs) -> bool:
    """For sections of stations."""
    return region.station is not None


@dataclass(frozen=True, slots=True)
class PerRegion:
    """A section that those regions of the report have of which `when` holds."""

    build: Callable[[ReportInputs, RegionInputs], Section]
    when: Callable[[RegionInputs], bool] = always


@dataclass(frozen=True, slots=True)
class PerRecords:
    """A section of the report of labelled records."""

    build: Callable[[ReportInputs, RecordsInputs], Section]


def always_of_movies(_: MoviesInputs) -> bool:
    """For sections that all movies have."""
    return True


@dataclass(frozen=True, slots=True)
class PerMovies:
    """A section of the report of movies, if `when` holds of them."""

    build: Callable[[ReportInputs, MoviesInputs], Section]
    when: Callable[[MoviesInputs], bool] = always_of_movies


def on_time(inputs: ReportInputs) -> bool:
    """For sections of reports on fields or a station."""
    return bool(inputs.regions)


def on_records(inputs: ReportInputs) -> bool:
    """For sections of reports on labelled records."""
    return bool(inputs.records)


def on_movies(inputs: ReportInputs) -> bool:
    """For sections of reports on movies."""
    return bool(inputs.movies)


@dataclass(frozen=True, slots=True)
class PerPage:
    """A section that the report has once, if `when` holds; `leads` puts it before the regions."""

    build: Callable[[ReportInputs], Section]
    leads: bool = False
    when: Callable[[ReportInputs], bool] = on_time


SectionEntry = PerRegion | PerRecords | PerMovies | PerPage
