"""The page as a whole: complete, self-contained, escaped, written whole or not at all."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest

from pipeline.errors import ConfigError, DiskFullError
from pipeline.reports import SECTIONS
from pipeline.reports.base import PerRegion
from pipeline.reports.inputs import RegionInputs
from pipeline.reports.render import page, render
from tests import reporting, station_reporting
from tests.pages import Page


@pytest.fixture(scope="module")
def html() -> str:
    return page(reporting.make_inputs())


def test_page_is_well_formed_and_loads_nothing(html: str) -> None:
    parsed = Page.parse(html)
    assert not parsed.faults
    assert not parsed.loads
    assert "url(http" not in html
    assert "@import" not in html
    assert "default-src 'none'" in parsed.all("meta")[1]["content"]


def test_one_region_has_all_sections_but_the_overview_and_is_small(html: str) -> None:
    assert sections_of(html) == expected(reporting.make_region(), "tasman")
    assert "tasman-error-maps" in sections_of(html)
    assert len(html) < 6e6


def test_a_station_has_lines_where_fields_have_maps_and_no_word_of_the_sea(station: str) -> None:
    parsed = Page.parse(station)
    assert not parsed.faults
    assert not parsed.loads
    assert sections_of(station) == expected(station_reporting.make_station_region(), "jena")
    assert {"jena-ranking", "jena-hours", "jena-traces", "jena-outlook", "jena-series"} <= sections_of(
        station
    )
    for word in ("ocean", "sea-surface", "area-weighted", "OISST", "Day 1", "day 24", "nan"):
        assert word not in parsed.text
    assert "Lead (hours)" in parsed.text
    assert "bgc-jena.mpg.de" in station
    assert len(station) < 1.5e6


def test_units_and_leads_are_those_of_the_scores() -> None:
    density = station_reporting.make_station_region(count=1, single=True, quantity=station_reporting.DENSITY)
    text = Page.parse(page(station_reporting.make_station_inputs(density))).text
    assert "°C" not in text
    assert "RMSE in g/m³" in text
    assert "2 days ahead" in text


@pytest.fixture(scope="module")
def station() -> str:
    return page(station_reporting.make_station_inputs())


def sections_of(html: str) -> set[str]:
    return {attributes["id"] for attributes in Page.parse(html).all("section")}


def expected(region: RegionInputs, slug: str) -> set[str]:
    applying = {
        name for name, entry in SECTIONS.items() if isinstance(entry, PerRegion) and entry.when(region)
    }
    return {f"{slug}-{name.replace('_', '-')}" for name in applying} | {"guide"}


def test_page_cites_its_data(html: str) -> None:
    assert "doi:10.25921/RE9P-PT57" in html


def test_several_regions_are_reached_from_the_overview() -> None:
    seas = [reporting.make_region(name, name.title(), size=8, horizon=3) for name in ("bengal", "black")]
    parsed = Page.parse(page(reporting.make_inputs(*seas)))
    assert not parsed.faults
    table = [a["href"] for a in parsed.all("a") if a["href"] in ("#bengal", "#black")]
    assert table.count("#bengal") == table.count("#black") == 2  # contents and overview
    assert {"overview", "bengal", "black", "bengal-verdict", "black-examples"} <= {
        section["id"] for section in parsed.all("section")
    }


def test_hostile_page_runs_nothing() -> None:
    parsed = Page.parse(page(reporting.hostile()))
    assert not parsed.faults
    assert [script for script in parsed.all("script") if "type" not in script] == [{}]
    assert '<script>alert("x")</script>' in parsed.text


def test_chosen_sections_stand_in_reading_order(tmp_path: Path) -> None:
    path = render(reporting.make_inputs(), tmp_path / "a" / "index.html", sections=["guide", "verdict"])
    sections = Page.parse(path.read_text(encoding="utf-8")).all("section")
    assert [section["id"] for section in sections] == ["tasman-verdict", "guide"]
    assert [one.name for one in path.parent.iterdir()] == ["index.html"]


def test_unknown_section_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'verdict'"):
        render(reporting.make_inputs(), tmp_path / "index.html", sections=["verdit"])
    assert not list(tmp_path.iterdir())


def test_no_region_is_an_error(tmp_path: Path) -> None:
    empty = reporting.make_inputs()
    object.__setattr__(empty, "regions", ())
    with pytest.raises(ConfigError, match="no region"):
        render(empty, tmp_path / "index.html")


def test_full_disk_leaves_the_earlier_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "index.html"
    path.write_text("earlier")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(DiskFullError, match="no space is left"):
        render(reporting.make_inputs(), path, sections=["guide"])
    assert [one.name for one in tmp_path.iterdir()] == ["index.html"]
    assert path.read_text() == "earlier"


def test_a_large_region_stays_small() -> None:
    html = page(reporting.make_inputs(reporting.make_region(size=220)), sections=["examples"])
    assert len(html) < 6e6
    assert len(re.findall(r"<option>", html)) >= 1
