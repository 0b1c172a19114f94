"""Whether a model is worth promoting: its RMSE against the best rung of its ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from pipeline.evaluation.judging import (
    Interval,
    interval_of,
    outcome,
    require_defined,
    require_ladder,
    skill_told,
    with_skill_interval,
)
from pipeline.naming import reach, symbol
from pipeline.types import SST_UNITS

if TYPE_CHECKING:
    import xarray as xr


class LeadVerdict(BaseModel):
    """One lead; RMSE and difference (model − best rung at this lead) in the verdict's units."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    lead_days: float
    rmse: float
    best_rung: str
    best_rmse: float
    difference: float
    interval: Interval

    @property
    def better(self) -> bool:
        """The whole interval of the difference lies below zero."""
        return self.interval is not None and self.interval[1] < 0


class Verdict(BaseModel):
    """A model against the best rung of its ladder, over the whole region and all seasons.

    The best rung has the lowest RMSE pooled over all leads. The model is promoted if the interval of the
    difference of the pooled RMSE lies below zero.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    region: str
    model: str
    best_rung: str
    promoted: bool
    rmse_pooled: float
    best_rmse_pooled: float
    difference_pooled: float
    difference_interval: Interval
    skill_pooled: float | None
    """None beside a baseline without error."""
    skill_interval: Interval
    confidence: float
    units: str = SST_UNITS
    """Of what is forecast."""
    leads: tuple[LeadVerdict, ...]
    sentence: str

    @classmethod
    def of(cls, scores: xr.Dataset) -> Self:
        """Judge the model of `scores`, as `evaluate` gives them.

        Raises
        ------
        StoreError
            There is no ladder, or an RMSE is NaN: a forecast or the truth lacks a value in an ocean cell.
        """
        whole = scores.sel(area="all", season="all")
        require_ladder(whole)
        require_defined(
            whole.rmse_pooled,
            "RMSE",
            lacking="a forecast or the truth lacks a value in an ocean cell",
            remedy="ingest the missing days, or remove the forecasts that hold gaps and forecast again",
        )
        model = str(whole.attrs["model"])
        rungs = [str(name) for name in whole.reference.values]
        pooled = whole.rmse_pooled
        best = min(rungs, key=lambda name: float(pooled.sel(forecaster=name)))
        best_rmse = float(pooled.sel(forecaster=best))
        pair = whole.sel(forecaster=model, reference=best)
        leads = tuple(
            _at_lead(whole.isel(lead_time=step), model, rungs) for step in range(whole.sizes["lead_time"])
        )
        difference = interval_of(pair.rmse_difference_pooled_interval)
        draft = cls(
            region=str(whole.attrs.get("region", "")),
            model=model,
            best_rung=best,
            promoted=difference is not None and difference[1] < 0,
            rmse_pooled=float(pooled.sel(forecaster=model)),
            best_rmse_pooled=best_rmse,
            difference_pooled=float(pair.rmse_difference_pooled),
            difference_interval=difference,
            skill_pooled=float(pair.skill_pooled) if best_rmse else None,
            skill_interval=interval_of(pair.skill_pooled_interval),
            confidence=float(whole.attrs["confidence"]),
            units=str(whole.attrs["units"]),
            leads=leads,
            sentence="",
        )
        return draft.model_copy(update={"sentence": _sentence(draft)})


def _at_lead(here: xr.Dataset, model: str, rungs: list[str]) -> LeadVerdict:
    best = min(rungs, key=lambda name: float(here.rmse.sel(forecaster=name)))
    pair = here.sel(forecaster=model, reference=best)
    return LeadVerdict(
        lead_days=float(here.lead_time.values / np.timedelta64(1, "D")),
        rmse=float(here.rmse.sel(forecaster=model)),
        best_rung=best,
        best_rmse=float(here.rmse.sel(forecaster=best)),
        difference=float(pair.rmse_difference),
        interval=interval_of(pair.rmse_difference_interval),
    )


def _sentence(verdict: Verdict) -> str:
    where = f" in {verdict.region}" if verdict.region else ""
    done = outcome(promoted=verdict.promoted, ahead=verdict.difference_pooled < 0)
    text = (
        f"{verdict.model} {done} the best baseline{where}, {verdict.best_rung}: "
        f"RMSE {verdict.rmse_pooled:.3f} against {verdict.best_rmse_pooled:.3f} {symbol(verdict.units)} "
        f"over {reach(verdict.leads[0].lead_days, verdict.leads[-1].lead_days)}, {skill_told(verdict.skill_pooled)}"
    )
    sure = sum(lead.better for lead in verdict.leads)
    leads = f"It is better than the best baseline of the lead at {sure} of {len(verdict.leads)} leads."
    return with_skill_interval(
        text,
        verdict.skill_interval,
        verdict.difference_interval,
        confidence=verdict.confidence,
        promoted=verdict.promoted,
        leads=leads,
    )
