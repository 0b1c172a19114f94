"""What the sections read out of a scores dataset: who was best where, and how far the model is from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.reports import markup
from pipeline.reports.leads import Leads

if TYPE_CHECKING:
    import xarray as xr

    from pipeline.reports.inputs import RegionInputs

Mark = Literal["better", "unclear", "worse", "unknown"]


@dataclass(frozen=True, slots=True)
class LeadStanding:
    """RMSE of everyone at one lead, counted as `Leads` are, and the model's difference to the best rung there."""

    lead: int
    rmse: dict[str, float]
    best_rung: str
    difference: float
    low: float
    high: float

    @property
    def mark(self) -> Mark:
        """Whether the whole interval of the difference lies on one side of zero."""
        return mark_of(self.low, self.high)


def forecasters(scores: xr.Dataset) -> list[str]:
    """All forecasters: the model first, then the ladder."""
    return [str(one) for one in scores["forecaster"].values]


def rungs(scores: xr.Dataset) -> list[str]:
    """The ladder."""
    return [str(one) for one in scores["reference"].values]


def model_of(region: RegionInputs) -> str | None:
    """The model's name, or None where the scores hold the ladder alone."""
    scores, model = region.scores, region.verdict.model
    return model if model in forecasters(scores) and model not in rungs(scores) else None


def lead_standings(region: RegionInputs, *, area: str = "all", season: str = "all") -> list[LeadStanding]:
    """One standing a lead, in ascending lead."""
    scores = region.scores.sel(area=area, season=season)
    model = model_of(region)
    standings = []
    for at, lead in enumerate(Leads.of(scores).values):
        here = scores.isel(lead_time=at)
        rmse = {one: float(here["rmse"].sel(forecaster=one)) for one in forecasters(scores)}
        best = min(rungs(scores), key=lambda one: rmse[one] if math.isfinite(rmse[one]) else math.inf)
        difference, low, high = _difference(here, model, best)
        standings.append(LeadStanding(lead, rmse, best, difference, low, high))
    return standings


def _difference(here: xr.Dataset, model: str | None, rung: str) -> tuple[float, float, float]:
    if model is None:
        return math.nan, math.nan, math.nan
    pair = here.sel(forecaster=model, reference=rung)
    low, high = (float(pair["rmse_difference_interval"].sel(bound=bound)) for bound in ("low", "high"))
    return float(pair["rmse_difference"]), low, high


def pooled_rmse(scores: xr.Dataset, forecaster: str, *, area: str = "all", season: str = "all") -> float:
    """In the scores' units, over all leads; NaN where no window falls."""
    return float(scores["rmse_pooled"].sel(forecaster=forecaster, area=area, season=season))


def best_rung(scores: xr.Dataset, metric: str, *, lead: int | None = None) -> str:
    """The rung with the lowest `mae` or `rmse` at a position on the leads, or over all of them."""
    whole = scores.sel(area="all", season="all")
    values = whole[f"{metric}_pooled"] if lead is None else whole[metric].isel(lead_time=lead)
    known = {one: float(values.sel(forecaster=one)) for one in rungs(scores)}
    return min(known, key=lambda one: known[one] if math.isfinite(known[one]) else math.inf)


def mark_of(low: float, high: float) -> Mark:
    """On which side of zero the whole interval of a difference of errors lies."""
    if not math.isfinite(low) or not math.isfinite(high):
        return "unknown"
    if high < 0:
        return "better"
    return "worse" if low > 0 else "unclear"


def where_it_stands(region: RegionInputs) -> list[str]:
    """Plain paragraphs: at which leads, in which seasons and areas the model is ahead and where it is not."""
    model = model_of(region)
    if model is None:
        return ["No model was judged here: the figures below compare the baselines with one another."]
    slices = [*_by_slice(region, model, "season"), *_by_slice(region, model, "area")]
    return [_by_lead(region), " ".join(slices)] if slices else [_by_lead(region)]


def _by_lead(region: RegionInputs) -> str:
    standings = lead_standings(region)
    leads = {
        mark: [one.lead for one in standings if one.mark == mark] for mark in ("better", "unclear", "worse")
    }
    unit = Leads.of(region.scores).unit
    level = f"{float(region.scores.attrs.get('confidence', 0.95)):.0%}"
    parts = []
    if leads["better"]:
        parts.append(f"lower, with the whole {level} interval below zero, at {_leads(leads['better'], unit)}")
    if leads["unclear"]:
        parts.append(f"not to be told apart from it at {_leads(leads['unclear'], unit)}")
    if leads["worse"]:
        parts.append(f"higher, with the whole interval above zero, at {_leads(leads['worse'], unit)}")
    if not parts:
        return "There are too few windows to say at which leads the model is ahead."
    return f"Beside the best baseline of each lead, the model's RMSE is {'; '.join(parts)}."


def _leads(leads: list[int], unit: str) -> str:
    return f"lead{'s' if len(leads) > 1 else ''} {markup.runs(leads)} {unit if leads == [1] else unit + 's'}"


def _by_slice(region: RegionInputs, model: str, kind: Literal["season", "area"]) -> list[str]:
    best, scores = region.verdict.best_rung, region.scores
    if best not in rungs(scores):
        return []
    behind, empty, ahead = [], [], 0
    for one in [str(value) for value in scores[kind].values if str(value) != "all"]:
        where = {kind: one}
        mine, theirs = (pooled_rmse(scores, who, **where) for who in (model, best))
        label = markup.season(one) if kind == "season" else one
        if not (math.isfinite(mine) and math.isfinite(theirs)):
            empty.append(label)
        elif mine > theirs:
            behind.append(f"{label} (by {markup.number(mine - theirs)} {region.symbol})")
        else:
            ahead += 1
    rung, sentences = markup.name(best), []
    if behind:
        sentences.append(f"Over all leads it is behind {rung} in {markup.listed(behind)}.")
    elif ahead > 1:
        sentences.append(f"Over all leads it is at or below {rung} in every {kind} that was tested.")
    if empty:
        sentences.append(f"Nothing can be said of {markup.listed(empty)}: no test window falls there.")
    return sentences
