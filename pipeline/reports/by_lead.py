"""RMSE, mean absolute error, bias and anomaly correlation of all forecasters by lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.reports import charts, markup, standing
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from pipeline.reports.inputs import RegionInputs, ReportInputs

_METRICS = {
    "rmse": ("Root-mean-square error", "RMSE ({})"),
    "mae": ("Mean absolute error", "MAE ({})"),
    "bias": ("Bias: forecast less truth", "Bias ({})"),
    "acc": ("Anomaly correlation", "Correlation"),
}
_TEMPLATE = """\
<p>Everyone on the same {{ windows }}{% if fields %}, area-weighted over the ocean{% endif %}{% if model %}; the
band is the model's interval{% endif %}.
Lower is better for the errors, nearer to zero for the bias, higher for the correlation.</p>
{{ legend }}
<div class="charts">{% for title, chart in panels %}
<figure><figcaption>{{ title }}</figcaption>{{ chart }}</figure>{% endfor %}</div>
"""


def applies(region: RegionInputs) -> bool:
    """One lead makes no line; the ranking has its figures."""
    return region.station is None or region.scores.sizes["lead_time"] > 1


def build(inputs: ReportInputs, region: RegionInputs) -> Section:
    """A chart a metric."""
    scores = region.scores.sel(area="all", season="all")
    looks, everyone = charts.looks(inputs, region), standing.forecasters(scores)
    panels = []
    for metric, (title, unit) in _METRICS.items():
        figure = charts.by_lead(
            scores[metric],
            everyone,
            looks,
            ylabel=unit.format(region.symbol),
            bands=scores[f"{metric}_interval"],
            from_zero=metric in ("rmse", "mae"),
            named=True,
        )
        if metric == "bias":
            charts.zero(figure.axes[0])
        label = f"{title} by lead of {markup.listed(markup.name(one) for one in everyone)}"
        panels.append((title, charts.svg(figure, f"{markup.slug(region.name)}-{metric}", label)))
    html = markup.fill(
        _TEMPLATE,
        legend=charts.legend(everyone, looks),
        panels=panels,
        model=standing.model_of(region),
        fields=region.station is None,
        windows=markup.count(int(scores["count"].max()), "window"),
    )
    return Section("Errors by lead", html)
