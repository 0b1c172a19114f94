"""What holds for every entry of SECTIONS, on full, odd and hostile inputs."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import pytest

from pipeline.reports import SECTIONS
from pipeline.reports.base import PerMovies, PerPage, PerRecords, Section
from pipeline.reports.inputs import ReportInputs
from tests import records_reporting, reporting, sea_sequences, squares, station_reporting
from tests.pages import Page

CASES: dict[str, Callable[[], ReportInputs]] = {
    "full": reporting.make_inputs,
    "two regions": lambda: reporting.make_inputs(
        reporting.make_region(), reporting.make_region("sea", "Sea")
    ),
    "not promoted": lambda: reporting.make_inputs(reporting.unpromoted()),
    "baselines only": lambda: reporting.make_inputs(reporting.baselines_only()),
    "sparse": lambda: reporting.make_inputs(reporting.sparse()),
    "empty-handed": lambda: reporting.make_inputs(reporting.empty_handed()),
    "hostile": reporting.hostile,
    "station": lambda: station_reporting.make_station_inputs(station_reporting.make_station_region(count=3)),
    "station, one lead": lambda: station_reporting.make_station_inputs(
        station_reporting.make_station_region(count=1, single=True, quantity=station_reporting.DENSITY)
    ),
    "station, few windows": lambda: station_reporting.make_station_inputs(
        station_reporting.without_interval(station_reporting.make_station_region(count=2))
    ),
    "hostile station": station_reporting.hostile,
    "records": records_reporting.make_records_inputs,
    "records, promoted, several": lambda: records_reporting.make_records_inputs(
        skill=3.0, others=("second",)
    ),
    "hostile records": records_reporting.hostile,
    "movies": squares.make_movies_inputs,
    "movies, behind, several, few": lambda: squares.make_movies_inputs(
        share=-0.5, movies=4, others=("second",), published=False
    ),
    "movies, of events": lambda: squares.make_movies_inputs(measures=("events", "fractions")),
    "hostile movies": squares.hostile,
    "seas": sea_sequences.make_sea_inputs,
    "hostile seas": sea_sequences.hostile,
}


@functools.cache
def inputs_of(case: str) -> ReportInputs:
    return CASES[case]()


def build(section: str, case: str) -> Section | None:
    """The section of the first region; None where it does not apply."""
    entry, inputs = SECTIONS[section], inputs_of(case)
    if isinstance(entry, PerPage):
        return entry.build(inputs) if entry.when(inputs) else None
    if isinstance(entry, PerRecords):
        return entry.build(inputs, inputs.records[0]) if inputs.records else None
    if isinstance(entry, PerMovies):
        movies = inputs.movies[0] if inputs.movies else None
        return entry.build(inputs, movies) if movies and entry.when(movies) else None
    if not inputs.regions:
        return None
    region = inputs.regions[0]
    return entry.build(inputs, region) if entry.when(region) else None


built = functools.cache(build)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_whole_and_well_formed_and_says_no_nan(section: str, case: str) -> None:
    found = built(section, case)
    if found is None:
        return
    page = Page.parse(found.html)
    assert found.title
    assert page.text.strip()
    assert not page.faults
    assert not re.search(r"\b(nan|NaN|None|NaT|inf)\b", page.text)
    assert not page.loads, "every picture and script lies in the page"
    assert all(picture.get("alt") is not None for picture in page.all("img"))
    assert all(chart.get("aria-label") or chart.get("aria-hidden") for chart in page.all("svg"))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_applies_to_fields_a_station_records_or_movies(section: str) -> None:
    cases = ("full", "station", "records", "movies, of events", "seas")
    assert any(built(section, case) for case in cases)


@pytest.mark.parametrize(
    "case", ["hostile", "hostile station", "hostile records", "hostile movies", "hostile seas"]
)
@pytest.mark.parametrize("section", SECTIONS)
def test_hostile_text_stays_text(section: str, case: str) -> None:
    found = built(section, case)
    page = Page.parse(found.html if found else "")
    assert all(script.get("type") == "application/json" for script in page.all("script"))
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)


@pytest.mark.parametrize("case", ["full", "station", "records", "movies"])
@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_is_the_same_each_time(section: str, case: str) -> None:
    assert build(section, case) == built(section, case)
