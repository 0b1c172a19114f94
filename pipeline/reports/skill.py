"""Skill by lead against each rung of the ladder, with interval bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.reports import charts, markup, standing
from pipeline.reports.base import Section
from pipeline.reports.leads import Leads

if TYPE_CHECKING:
    import xarray as xr
    from markupsafe import Markup

    from pipeline.reports.inputs import RegionInputs, ReportInputs

_TEMPLATE = """\
<p>How much lower the {{ model | name
}}'s RMSE is than that of each baseline, on the same windows. Above zero the model
is ahead; where the band crosses zero, the test years do not settle it. The band is the {{ level }} interval
of a
moving-block bootstrap{% if block %} with blocks of {{ block | count("day" if fields else "window") }}{%
endif %}.{% if many %} Each chart has its own scale.{% endif %}</p>
{% if many %}<div class="charts small">{% for rung, chart in panels %}
<figure><figcaption>Against {{ rung | name }}</figcaption>{{ chart }}</figure>{% endfor %}</div>{% endif %}
<details{% if not many %} open{% endif %}><summary>The numbers</summary><div class="scroll"><table
class="numbers" data-table="skill">
<thead><tr><th scope="col">{{ leads.axis }}</th>{% for rung, _ in panels %}<th scope="col">{{ rung | forecaster
}}</th>
<th scope="col">Interval</th>{% endfor %}</tr></thead><tbody>
{% for lead, cells in rows %}<tr><th scope="row">{{ lead }}</th>{% for skill, low, high in cells %}
<td>{{ skill | pct(sign=true) }}</td><td>{{ percent_interval((low, high)) }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div></details>
"""
_ALONE = "<p>Skill is the model's against each baseline; no model was trained for this region.</p>"


def build(inputs: ReportInputs, region: RegionInputs) -> Section:
    """A small chart a rung, and the numbers."""
    title, model = "Skill by lead", standing.model_of(region)
    if model is None:
        return Section(title, markup.fill(_ALONE))
    scores = region.scores.sel(forecaster=model, area="all", season="all")
    ladder, leads = standing.rungs(region.scores), Leads.of(scores)
    skill, band = 100 * scores["skill"], 100 * scores["skill_interval"]
    look = charts.looks(inputs, region)[model]
    panels = [(rung, _panel(region, skill, band, rung, look)) for rung in ladder]
    html = markup.fill(
        _TEMPLATE,
        model=model,
        fields=region.station is None,
        leads=leads,
        many=len(leads.values) > 1,
        panels=panels,
        rows=_rows(scores, ladder),
        level=f"{float(scores.attrs.get('confidence', 0.95)):.0%}",
        block=scores.attrs.get("block_length"),
        percent_interval=markup.percent_interval,
    )
    return Section(title, html)


def _panel(
    region: RegionInputs,
    skill: xr.DataArray,
    band: xr.DataArray,
    rung: str,
    look: charts.Look,
) -> Markup:
    leads = Leads.of(skill)
    figure, ax = charts.axes(leads.axis, "Skill (%)", width=2.9, height=2.3)
    charts.zero(ax)
    charts.band(ax, leads.values, band.sel(reference=rung), look)
    charts.draw(ax, leads.values, skill.sel(reference=rung).values, look)
    charts.lead_axis(ax, leads)
    label = f"Skill of the model against {markup.name(rung)} by lead, in per cent, with its interval"
    return charts.svg(figure, f"{markup.slug(region.name)}-skill-{markup.slug(rung)}", label)


def _rows(scores: xr.Dataset, ladder: list[str]) -> list[tuple[int, list[tuple[float, float, float]]]]:
    rows = []
    for at, lead in enumerate(Leads.of(scores).values):
        here = scores.isel(lead_time=at)
        cells = []
        for rung in ladder:
            pair = here.sel(reference=rung)
            low, high = (float(pair["skill_interval"].sel(bound=bound)) for bound in ("low", "high"))
            cells.append((float(pair["skill"]), low, high))
        rows.append((lead, cells))
    return rows
