"""What holds for every entry of SECTIONS, on full, odd and hostile inputs."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import pytest

from pipeline.reports import SECTIONS
from pipeline.reports.base import PerPage, ReportInputs, Section
from tests import reporting
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
}


@functools.cache
def inputs_of(case: str) -> ReportInputs:
    return CASES[case]()


def build(section: str, case: str) -> Section:
    entry, inputs = SECTIONS[section], inputs_of(case)
    return entry.build(inputs) if isinstance(entry, PerPage) else entry.build(inputs, inputs.regions[0])


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_whole_and_well_formed_and_says_no_nan(section: str, case: str) -> None:
    built = build(section, case)
    page = Page.parse(built.html)
    assert built.title
    assert page.text.strip()
    assert not page.faults
    assert not re.search(r"\b(nan|NaN|None|NaT|inf)\b", page.text)
    assert not page.loads, "every picture and script lies in the page"
    assert all(picture.get("alt") is not None for picture in page.all("img"))
    assert all(chart.get("aria-label") or chart.get("aria-hidden") for chart in page.all("svg"))


@pytest.mark.parametrize("section", SECTIONS)
def test_hostile_text_stays_text(section: str) -> None:
    page = Page.parse(build(section, "hostile").html)
    assert all(script.get("type") == "application/json" for script in page.all("script"))
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_is_the_same_each_time(section: str) -> None:
    assert build(section, "full") == build(section, "full")
