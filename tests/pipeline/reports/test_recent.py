"""The section on the newest forecasts."""

import re
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from pipeline.evaluation.rolling import Rolling
from pipeline.reports import SECTIONS, recent
from pipeline.store.revisions import Revisions
from tests.reporting import DAY, LADDER, make_inputs

EVERYONE = ["convlstm", *LADDER]


@pytest.fixture
def region():
    rmse = np.arange(15.0).reshape(5, 3) / 10 + 0.1
    scores = xr.Dataset(
        {"rmse": (("forecaster", "lead_time"), rmse), "count": ("lead_time", [4, 3, 2])},
        {"forecaster": EVERYONE, "lead_time": np.arange(1, 4) * DAY},
    )
    rolling = Rolling(
        model="convlstm",
        version="v",
        first_init="2020-09-01T00:00",
        last_init="2020-09-05T00:00",
        forecasts=5,
        verified=9,
        waiting=1,
        rmse=dict(zip(EVERYONE, rmse.mean(axis=1), strict=True)),
        best_rung="persistence",
        difference=-0.3,
        interval=(-0.5, -0.1),
        units="degree_Celsius",
    )
    given = make_inputs().regions[0]
    noise = Revisions(days=7, bias=0.01, rmse=0.123, first="2020-08-01", last="2020-08-07")
    return replace(given, recent=scores, rolling=rolling, revisions=noise)


def build(region):
    inputs = replace(make_inputs(), regions=(region,))
    return " ".join(recent.build(inputs, region).html.split())


def test_its_table_holds_the_scores(region):
    html = build(region)
    table = html[html.index('data-table="recent"') :]
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)[1:]]
    found = np.array([[float(cell) for cell in row] for row in cells])
    np.testing.assert_allclose(found[:, 0], [4, 3, 2])
    np.testing.assert_allclose(found[:, 1:], region.recent.rmse.values.T, atol=0.005)


def test_it_says_who_is_ahead_how_many_wait_and_what_the_noise_is(region):
    html = build(region)
    assert "1 forecast still waits for some of its days" in html
    assert "ahead of persistence by 0.300 °C" in html
    assert "[-0.500, -0.100] does not hold zero" in html
    assert "changed by 0.123 °C" in html
    html = build(
        replace(region, rolling=region.rolling.model_copy(update={"difference": 0.2, "interval": None}))
    )
    assert "Over all leads persistence is ahead of" in html
    assert "too few forecasts yet" in html


def test_an_experiment_that_does_not_run_daily_has_none(region):
    when = SECTIONS["recent"].when
    assert when(region)
    assert not when(replace(region, rolling=None, recent=None))
    assert not when(replace(region, rolling=region.rolling.model_copy(update={"verified": 0})))
