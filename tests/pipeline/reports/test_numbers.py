"""What the page says equals what the scores say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.verdict import Verdict
from pipeline.reports import SECTIONS, markup, standing
from pipeline.reports.base import PerRegion, RegionInputs
from tests import reporting
from tests.pages import Page


def read(text: str) -> float:
    return math.nan if text == markup.MISSING else float(text.replace("−", "-").rstrip("%"))


def table(region: RegionInputs, section: str, name: str) -> list[list[str]]:
    entry = SECTIONS[section]
    assert isinstance(entry, PerRegion)
    return Page.parse(entry.build(reporting.make_inputs(region), region).html).tables[name]


def test_verdict_table_holds_the_scores() -> None:
    region = reporting.make_region(size=8)
    head, *rows = table(region, "verdict", "verdict")
    whole = region.scores.sel(area="all", season="all")
    names = standing.forecasters(whole)
    assert head[1 : 1 + len(names)] == [markup.title(name) for name in names]
    shown = np.array([[read(cell) for cell in row[1 : 1 + len(names)]] for row in rows])
    np.testing.assert_allclose(shown, whole.rmse.transpose("lead_time", "forecaster").values, atol=5.1e-4)
    for row, lead in zip(rows, Verdict.of(region.scores).leads, strict=True):
        assert int(row[0]) == lead.lead_days
        assert read(row[-3]) == pytest.approx(lead.difference, abs=5.1e-4)
        low, high = (read(part) for part in row[-2].strip("[]").split(", "))
        assert (low, high) == pytest.approx(lead.interval, abs=5.1e-4)
        assert ("better" in row[-1]) == lead.better


def test_skill_table_holds_the_scores() -> None:
    region = reporting.make_region(size=8)
    _, *rows = table(region, "skill", "skill")
    shown = np.array([[read(cell) for cell in row[1::2]] for row in rows])
    skill = region.scores.skill.sel(forecaster="convlstm", area="all", season="all")
    np.testing.assert_allclose(shown / 100, skill.transpose("lead_time", "reference").values, atol=5.1e-4)


def test_season_without_windows_shows_dashes() -> None:
    _, *rows = table(reporting.sparse(), "slices", "season")
    autumn = next(row for row in rows if row[0].startswith("September"))
    assert autumn[1] == "0"
    assert all(set(cell) <= {"–", " ", "/"} for cell in autumn[2:])


def test_where_the_model_is_behind_is_said() -> None:
    lead, slices = standing.where_it_stands(reporting.unpromoted())
    assert "not to be told apart" in lead
    assert "it is behind" in slices


def test_a_season_without_windows_is_said() -> None:
    _, slices = standing.where_it_stands(reporting.sparse())
    assert "Nothing can be said of September–November" in slices


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 0.5)), min_size=14, max_size=14))
def test_every_lead_is_told_once(differences: list[tuple[float, float]]) -> None:
    region = BASE
    scores = region.scores.copy(deep=True)
    for at, (middle, width) in enumerate(differences):
        for bound, value in (("low", middle - width), ("high", middle + width)):
            scores["rmse_difference_interval"][{"lead_time": at}].loc[{"bound": bound}] = value
    marks = {one.lead: one.mark for one in standing.lead_standings(replace(region, scores=scores))}
    for lead, (middle, width) in enumerate(differences, start=1):
        expected = "better" if middle + width < 0 else "worse" if middle - width > 0 else "unclear"
        assert marks[lead] == expected


BASE = reporting.make_region(size=4)


@given(st.sets(st.integers(1, 60), min_size=1))
def test_runs_name_exactly_the_leads(leads: set[int]) -> None:
    named: set[int] = set()
    for part in markup.runs(sorted(leads)).replace(" and ", ", ").split(", "):
        first, _, last = part.partition("–")
        named |= set(range(int(first), int(last or first) + 1))
    assert named == leads


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 4), st.booleans())
def test_numbers_read_back(value: float, digits: int, sign: bool) -> None:
    text = markup.number(value, digits, sign=sign)
    assert "-" not in text
    if math.isfinite(value):
        assert read(text) == pytest.approx(value, abs=0.5000001 * 10**-digits, rel=1e-9)
        assert not text.startswith("−0" + ("." + "0" * digits if digits else "")) or read(text)
    else:
        assert text == markup.MISSING
