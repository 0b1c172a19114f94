"""The rolling scorecard: how the forecasts of the newest weeks have done, as far as their days are observed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.reports import charts, markup
from pipeline.reports.base import Section
from pipeline.reports.leads import Leads

if TYPE_CHECKING:
    from pipeline.reports.inputs import RegionInputs, ReportInputs

_TEMPLATE = """\
<p>{{ rolling.forecasts | count("forecast") }}, issued from <time>{{ first }}</time> to <time>{{ last }}</time>, with
{{ rolling.verified | count("pair") }} of a forecast and a lead that are observed by now; {{ rolling.waiting
| count("forecast") }} still {{ "waits" if rolling.waiting == 1 else "wait" }} for some of
{{ "its" if rolling.waiting == 1 else "their" }} days. {{ sentence }}</p>
{% if revisions %}<p>Where preliminary days were replaced by final ones ({{ revisions.days | count("day") }}), the
values changed by {{ "%.3f" | format(revisions.rmse) }} {{ symbol }} (root mean square; mean
{{ "%+.3f" | format(revisions.bias) }}): the noise floor of these figures. Differences between forecasters that are
well below it say little while the truth is preliminary.</p>{% endif %}
{{ legend }}
<div class="charts"><figure><figcaption>Root-mean-square error of the newest forecasts</figcaption>{{ chart
}}</figure></div>
<details><summary>The numbers</summary><div class="scroll"><table class="numbers" data-table="recent">
<thead><tr><th scope="col">{{ leads.axis }}</th><th scope="col">Pairs</th>{% for one in everyone %}<th scope="col">{{
one | forecaster }}</th>{% endfor %}</tr></thead><tbody>
{% for lead, pairs, cells in rows %}<tr><th scope="row">{{ lead }}</th><td>{{ pairs }}</td>{% for cell in cells
%}<td>{{ cell | value }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div></details>
"""


def applies(region: RegionInputs) -> bool:
    """Some forecast was verified."""
    return region.recent is not None and region.rolling is not None and region.rolling.verified > 0


def build(inputs: ReportInputs, region: RegionInputs) -> Section:
    """A chart by lead, and the numbers."""
    scores, rolling = region.recent, region.rolling
    assert scores is not None
    assert rolling is not None
    looks = charts.looks(inputs, region)
    everyone = [str(one) for one in scores.forecaster.values if str(one) in looks]
    leads = Leads.of(scores)
    figure = charts.by_lead(
        scores.rmse, everyone, looks, ylabel=f"RMSE ({region.symbol})", from_zero=True, named=True
    )
    label = f"RMSE by lead of {markup.listed(markup.name(one) for one in everyone)} in the newest forecasts"
    rows = [
        (
            f"{lead:g}",
            int(scores["count"][at]),
            [float(scores.rmse.sel(forecaster=one)[at]) for one in everyone],
        )
        for at, lead in enumerate(leads.values)
    ]
    html = markup.fill(
        _TEMPLATE,
        rolling=rolling,
        first=str(rolling.first_init)[:10],
        last=str(rolling.last_init)[:10],
        sentence=_sentence(region),
        revisions=region.revisions,
        symbol=region.symbol,
        legend=charts.legend(everyone, looks),
        chart=charts.svg(figure, f"{markup.slug(region.name)}-recent", label),
        leads=leads,
        everyone=everyone,
        rows=rows,
    )
    return Section("The newest forecasts", html)


def _sentence(region: RegionInputs) -> str:
    """Who is ahead, and whether that is settled."""
    rolling = region.rolling
    if rolling is None or rolling.best_rung is None or rolling.difference is None:
        return ""
    model, rung = markup.name(rolling.model), markup.name(rolling.best_rung)
    by = f"{abs(rolling.difference):.3f} {region.symbol}"
    ahead, behind = (model, rung) if rolling.difference < 0 else (rung, model)
    told = f"Over all leads {ahead} is ahead of {behind} by {by}"
    if rolling.interval is None:
        return f"{told}; there are too few forecasts yet to say whether that is chance."
    low, high = rolling.interval
    settled = "does not hold zero" if low > 0 or high < 0 else "holds zero"
    return f"{told}; the interval [{low:+.3f}, {high:+.3f}] {settled}."
