"""What the page says equals what the scores say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.verdict import Verdict
from pipeline.partition import Partition
from pipeline.reports import SECTIONS, markup, standing
from pipeline.reports.base import PerRegion
from pipeline.reports.extracts import daily_means
from pipeline.reports.inputs import RegionInputs
from tests import reporting, station_reporting
from tests.pages import Page


def read(text: str) -> float:
    return math.nan if text == markup.MISSING else float(text.replace("−", "-").rstrip("%"))


def bounds(text: str) -> tuple[float, ...]:
    return tuple(read(part) for part in text.strip("[]").split(", "))


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


def test_ranking_holds_the_scores_in_the_order_of_mae() -> None:
    region = station_reporting.make_station_region()
    parameters = {markup.title(one.name): one.parameters for one in region.models}
    for name, where in (("ranking", {"lead_time": 23}), ("ranking-pooled", None)):
        scores, suffix = region.scores.sel(area="all", season="all"), "" if where else "_pooled"
        here = scores.isel(where) if where else scores
        _, *rows = table(region, "ranking", name)
        order = here[f"mae{suffix}"].sortby(here[f"mae{suffix}"]).forecaster.values
        assert [row[0].split("judged")[0].split("baseline")[0].strip() for row in rows] == [
            markup.title(str(one)) for one in order
        ]
        assert [row[0].endswith("judged") for row in rows] == [one == "stacked-gru" for one in order]
        ladder = here[f"mae{suffix}"].sel(forecaster=here.reference.values)
        best = str(ladder.forecaster[int(np.argmin(ladder.values))].values)
        for row, forecaster in zip(rows, order, strict=True):
            mine = here.sel(forecaster=forecaster)
            told = [mine[f"mae{suffix}"], mine[f"rmse{suffix}"], mine[f"bias{suffix}"]]
            assert [read(row[at]) for at in (2, 4, 6)] == pytest.approx(
                [float(one) for one in told], abs=5.1e-4
            )
            assert bounds(row[3]) == pytest.approx(mine[f"mae{suffix}_interval"].values, abs=5.1e-4)
            assert bounds(row[5]) == pytest.approx(mine[f"rmse{suffix}_interval"].values, abs=5.1e-4)
            assert row[1] == markup.value(parameters.get(markup.title(str(forecaster))))
            if forecaster != best:
                difference = float(mine[f"mae{suffix}"]) - float(ladder.min())
                assert read(row[7]) == pytest.approx(difference, abs=5.1e-4)
                interval = mine[f"mae_difference{suffix}_interval"].sel(reference=best).values
                assert bounds(row[8]) == pytest.approx(interval, abs=5.1e-4)
                expected = "better" if interval[1] < 0 else "worse" if interval[0] > 0 else "unclear"
                assert row[9].endswith(expected)


def test_hours_hold_the_scores() -> None:
    region = station_reporting.make_station_region()
    head, *rows = table(region, "hours", "hours")
    mae = region.scores.mae_hourly.isel(lead_time=23)
    names = {markup.title(str(one)): one for one in mae.forecaster.values}
    hours = [int(cell[:2]) for cell in head[1:]]
    assert hours == list(range(0, 24, 3))
    assert {"Stacked GRU", "Linear"} <= {row[0] for row in rows}
    for row in rows:
        known = mae.sel(forecaster=names[row[0]]).values[hours]
        assert [read(cell) for cell in row[1:]] == pytest.approx(known, abs=5.1e-3)


def test_scaling_is_fitted_on_the_training_part_alone() -> None:
    record = station_reporting.make_record()
    _, *rows = table(station_reporting.make_station_region(), "series", "series")
    target = record.target_values[:, 0, 0].astype(float)
    parted = Partition(record, station_reporting.SPLITS, station_reporting.HOURLY)
    train = target[parted.inside("train")]
    for row, name in zip(rows, ("train", "validation", "test"), strict=True):
        mine = target[parted.inside(name)]
        known = mine[~np.isnan(mine)]
        assert (int(row[3]), int(row[4])) == (len(known), len(mine) - len(known))
        expected = [known.mean(), known.std(), (known.mean() - np.nanmean(train)) / np.nanstd(train)]
        assert [read(cell) for cell in row[5:8]] == pytest.approx(expected, abs=5.1e-4)
        assert read(row[8]) == pytest.approx(known.std() / np.nanstd(train), abs=5.1e-4)
    assert [read(cell) for cell in rows[0][7:]] == [0, 1]


def test_models_table_holds_the_histories() -> None:
    region = station_reporting.make_station_region()
    _, *rows = table(region, "training", "models")
    for row, model in zip(rows, region.models, strict=True):
        best = model.training.epochs[model.training.best_epoch - 1]
        assert [int(cell) for cell in row[1:4]] == [
            model.parameters,
            len(model.training.epochs),
            model.training.best_epoch,
        ]
        assert read(row[4]) == pytest.approx(best.validation_loss, abs=5.1e-5)
        assert read(row[5]) == pytest.approx(best.validation_mae, abs=5.1e-5)


def test_the_newest_forecast_is_told_lead_by_lead() -> None:
    region = station_reporting.make_station_region()
    assert region.newest is not None
    values = region.newest["air_temperature"].values[-1, :, 0, 0]
    _, *rows = table(region, "outlook", "outlook-all")
    assert [read(row[2]) for row in rows] == pytest.approx(values, abs=5.1e-3)
    init = region.newest.init_time.values[-1]
    assert [np.datetime64(row[1].replace(" ", "T")) for row in rows] == [
        (init + lead).astype("datetime64[m]") for lead in region.newest.lead_time.values
    ]


def test_examples_of_a_station_tell_their_errors() -> None:
    region = station_reporting.make_station_region()
    entry = SECTIONS["traces"]
    assert isinstance(entry, PerRegion)
    assert region.examples is not None
    text = Page.parse(entry.build(reporting.make_inputs(region), region).html).text
    off = np.abs(region.examples - region.examples.truth).mean(("lead_time", "latitude", "longitude"))
    for at in range(off.sizes["init_time"]):
        assert f"stacked GRU {off.model.values[at]:.2f} °C, linear {off.best_rung.values[at]:.2f} °C" in text


@given(st.lists(st.floats(-50, 50) | st.just(math.nan), min_size=48, max_size=400), st.integers(1, 20))
def test_means_of_days_are_of_the_values_there_are(values: list[float], most: int) -> None:
    target = np.array(values)
    time = np.datetime64("2020-02-27T00", "h") + np.arange(len(target))
    daily = daily_means(target, time.astype("datetime64[ns]"), most)
    assert len(daily) <= most
    many = math.ceil(math.ceil(len(target) / 24) / most)
    for at, mean in enumerate(daily.values):
        part = target[24 * many * at : 24 * many * (at + 1)]
        known = part[~np.isnan(part)]
        if len(known) and 2 * len(known) >= len(part):
            assert mean == pytest.approx(known.mean(), abs=1e-9)
        else:
            assert math.isnan(mean)


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
