"""RMSE by season and by named area."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pipeline.reports import charts, markup, standing
from pipeline.reports.base import Section
from pipeline.reports.leads import Leads

if TYPE_CHECKING:
    from markupsafe import Markup

    from pipeline.reports.inputs import RegionInputs, ReportInputs

Kind = Literal["season", "area"]

_TEMPLATE = """\
<p>Seasons are those of the {{ "day" if fields else "time" }} that the forecast is for (its valid time).</p>
{% if many %}{{ legend }}{% endif %}
{% for kind, panels, rows in parts %}
{% if many %}<div class="charts small">{% for label, chart in panels %}
<figure><figcaption>{{ label }}</figcaption>{% if chart %}{{ chart }}{% else %}<p class="empty">No test
window falls
here.</p>{% endif %}</figure>{% endfor %}</div>{% endif %}
<div class="scroll"><table class="numbers" data-table="{{ kind }}"><caption>RMSE in {{ units }} by {{ kind }}{%
if many %}, over all leads and at some of them{% endif %}{% if model %}: {{ model | name }} / best baseline there{%
endif %}.</caption><thead><tr><th scope="col">{{ kind | forecaster }}</th>
{% if kind == "season" %}<th scope="col">Windows</th>{% endif %}<th scope="col">{{
"All leads" if many else leads[0] | forecaster }}</th>
{% for lead in leads if many %}<th scope="col">{{ lead | forecaster }}</th>{% endfor %}</tr></thead><tbody>
{% for row in rows %}<tr><th scope="row">{{ row.label }}</th>{% if kind == "season" %}<td>{{ row.windows
}}</td>{% endif %}
{% for mine, theirs in row.cells %}<td>{% if model %}<span{% if mine <= theirs %} class="best"{% endif %}>{{
mine | num }}</span> /
{% endif %}{{ theirs | num }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
{% endfor %}
{% if one_area %}<p>This experiment names no areas within the region.</p>{% endif %}
"""


def build(inputs: ReportInputs, region: RegionInputs) -> Section:
    """Small charts and a table for the seasons, then for the areas where there are any."""
    scores, looks = region.scores, charts.looks(inputs, region)
    kinds: list[Kind] = ["season"]
    if scores.sizes["area"] > 1:
        kinds.append("area")
    leads = Leads.of(scores)
    fields, many = region.station is None, len(leads.values) > 1
    parts = [(kind, _panels(region, kind, looks) if many else [], _rows(region, kind)) for kind in kinds]
    html = markup.fill(
        _TEMPLATE,
        legend=charts.legend(standing.forecasters(scores), looks),
        parts=parts,
        leads=[leads.named(at) for at in leads.shown()],
        units=region.symbol,
        fields=fields,
        many=many,
        model=standing.model_of(region),
        one_area=fields and "area" not in kinds,
    )
    return Section("Seasons and areas" if fields else "Seasons", html)


def _label(kind: Kind, one: str) -> str:
    if kind == "season":
        return markup.season(one)
    return "Whole region" if one == "all" else one


def _panels(
    region: RegionInputs, kind: Kind, looks: dict[str, charts.Look]
) -> list[tuple[str, Markup | None]]:
    other = "area" if kind == "season" else "season"
    rmse = region.scores["rmse"].sel({other: "all"})
    top = float(np.nanmax(np.append(rmse.values, 0.0))) * 1.05 or 1.0
    panels: list[tuple[str, Markup | None]] = []
    for at, one in enumerate(str(value) for value in rmse[kind].values):
        label, here = _label(kind, one), rmse.sel({kind: one})
        if one == "all":
            continue
        if not np.isfinite(here.values).any():
            panels.append((label, None))
            continue
        everyone = standing.forecasters(region.scores)
        figure = charts.by_lead(here, everyone, looks, ylabel=f"RMSE ({region.symbol})", size=(2.9, 2.3))
        figure.axes[0].set_ylim(0, top)
        key = f"{markup.slug(region.name)}-{kind}-{at}"
        panels.append((label, charts.svg(figure, key, f"RMSE by lead, {label}")))
    return panels


def _rows(region: RegionInputs, kind: Kind) -> list[dict[str, Any]]:
    scores, model = region.scores, standing.model_of(region)
    rows = []
    for one in [str(value) for value in scores[kind].values]:
        standings = standing.lead_standings(region, **{kind: one})
        best = min(standing.rungs(scores), key=lambda rung: standing.pooled_rmse(scores, rung, **{kind: one}))
        pooled = [standing.pooled_rmse(scores, who, **{kind: one}) if who else None for who in (model, best)]
        chosen = [standings[at] for at in Leads.of(scores).shown()] if len(standings) > 1 else []
        cells = [pooled, *([row.rmse[model] if model else None, row.rmse[row.best_rung]] for row in chosen)]
        windows = int(scores["count"].sel(season=one).max()) if kind == "season" else 0
        rows.append({"label": _label(kind, one), "cells": cells, "windows": markup.value(windows)})
    return rows
