"""Error by the hour of the day that a forecast is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.reports import charts, markup, ranking, standing
from pipeline.reports.base import Section
from pipeline.reports.leads import Leads

if TYPE_CHECKING:
    from markupsafe import Markup

    from pipeline.reports.inputs import RegionInputs, ReportInputs

_MODELS = 3
_COLUMNS = 8
_METRICS = {"mae": "Mean absolute error", "bias": "Bias: forecast less truth"}
_TEMPLATE = """\
<p>Of forecasts {{ ahead }} ahead, by the hour of the valid time in the record's own clock: {{ shown }}.</p>
{{ legend }}
<div class="charts">{% for title, chart in panels %}
<figure><figcaption>{{ title }} by hour of the day</figcaption>{{ chart }}</figure>{% endfor %}</div>
<div class="scroll"><table class="numbers" data-table="hours"><caption>MAE in {{ units }} at some of the
hours.</caption><thead><tr><th scope="col">Forecaster</th>
{% for hour in hours %}<th scope="col">{{ "%02d" | format(hour) }}:00</th>{% endfor %}</tr></thead><tbody>
{% for one, cells in rows %}<tr><th scope="row">{{ one | forecaster }}</th>{% for cell in cells %}<td>{{ cell | num
}}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
"""


def applies(region: RegionInputs) -> bool:
    """Where valid times are of several hours."""
    return "mae_hourly" in region.scores


def build(inputs: ReportInputs, region: RegionInputs) -> Section:
    """Charts of MAE and bias, and a table of MAE."""
    leads = Leads.of(region.scores)
    here = region.scores.isel(lead_time=leads.headline)
    everyone = _chosen(region, leads.headline)
    looks = charts.looks(inputs, region)
    free = iter(range(1 + len(standing.rungs(region.scores)), len(charts.SERIES)))
    looks |= {one: charts.Look(next(free, charts.QUIET)) for one in everyone if looks[one].quiet}
    hours = np.flatnonzero(here["mae_hourly"].notnull().any("forecaster").values)
    told = hours if len(hours) <= _COLUMNS else hours[:: -(-len(hours) // _COLUMNS)]
    panels = [(title, _panel(region, name, everyone, looks)) for name, title in _METRICS.items()]
    mae = here["mae_hourly"]
    html = markup.fill(
        _TEMPLATE,
        ahead=leads.ahead(leads.headline),
        shown=markup.listed(markup.name(one) for one in everyone),
        legend=charts.legend(everyone, looks),
        panels=panels,
        hours=[int(hour) for hour in told],
        rows=[(one, [float(mae.sel(forecaster=one)[hour]) for hour in told]) for one in everyone],
        units=region.symbol,
    )
    return Section("Hours of the day", html)


def _chosen(region: RegionInputs, lead: int) -> list[str]:
    """The judged model, the best others and the best baseline, in the order of the ranking."""
    ladder, judged = standing.rungs(region.scores), standing.model_of(region)
    ranked = [row.name for row in ranking.rows(region, lead)]
    models = [one for one in ranked if one not in ladder]
    kept = {*models[:_MODELS], judged, standing.best_rung(region.scores, "mae", lead=lead)}
    return [one for one in ranked if one in kept]


def _panel(region: RegionInputs, metric: str, everyone: list[str], looks: dict[str, charts.Look]) -> Markup:
    values = region.scores[f"{metric}_hourly"].isel(lead_time=Leads.of(region.scores).headline)
    figure, ax = charts.axes("Hour of the day", f"{markup.METRICS[metric]} ({region.symbol})")
    if metric == "bias":
        charts.zero(ax)
    for one in reversed(everyone):
        charts.draw(ax, range(values.sizes["hour"]), values.sel(forecaster=one).values, looks[one])
    ax.set_xticks(range(0, 25, 6))
    ax.set_xlim(-0.4, values.sizes["hour"] - 0.6)
    if metric == "mae":
        ax.set_ylim(bottom=0)
    label = f"{_METRICS[metric]} by hour of the day of {markup.listed(markup.name(one) for one in everyone)}"
    return charts.svg(figure, f"{markup.slug(region.name)}-hours-{metric}", label)
