"""The report reads what the evaluation really writes, also after a way through Zarr."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.evaluation.verdict import Verdict
from pipeline.reports.render import page
from pipeline.types import Box
from tests import reporting
from tests.pages import Page


def scores(windows: int) -> xr.Dataset:
    """Daily windows from the first of January on; the model's errors are half of those of its ladder."""
    rng = np.random.default_rng(3)
    example = reporting.make_examples(starts=1, horizon=3, size=6)
    init = np.datetime64("2012-01-01", "ns") + np.arange(windows) * reporting.DAY
    truth = example.truth.isel(init_time=np.zeros(windows, dtype=int)).assign_coords(init_time=init)
    truth = truth.assign_attrs(units="degree_Celsius")
    noise = truth.copy(data=rng.normal(0, 0.4, truth.shape))
    forecasts = {
        "convlstm": truth + noise / 2,
        "persistence": truth + noise,
        "climatology": truth.mean() + 0 * truth,
    }
    spec = EvaluationSpec(
        resamples=20, block_length=5, areas={"South": Box(latitude=(-45, -41), longitude=(147, 155))}
    )
    ocean = truth.isel(init_time=0, lead_time=0).notnull().drop_vars(("init_time", "lead_time"))
    provenance = {"region": "tasman", "experiment": "sst-tasman"}
    return evaluate(
        forecasts, truth, forecasts["climatology"], ocean, spec, model="convlstm", provenance=provenance
    )


@pytest.mark.parametrize("windows", [6, 40])
def test_page_of_real_scores(windows: int, tmp_path: Path) -> None:
    scores(windows).to_zarr(tmp_path / "scores.zarr", consolidated=False)
    with xr.open_zarr(tmp_path / "scores.zarr", consolidated=False) as stored:
        kept = stored.load()
    region = replace(reporting.make_region(size=6, horizon=3), scores=kept, verdict=Verdict.of(kept))
    parsed = Page.parse(page(reporting.make_inputs(region)))
    assert not parsed.faults
    assert "nan" not in parsed.text
    rows = parsed.tables["verdict"][1:]
    assert [row[-1].endswith("better") for row in rows] == [windows == 40] * 3
    assert "Nothing can be said of March–May, June–August and September–November" in parsed.text
