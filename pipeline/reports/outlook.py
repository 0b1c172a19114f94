"""The newest forecast of a station: what comes next, as a line and as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.forecasts import archive
from pipeline.reports import charts, lines, markup
from pipeline.reports.base import Section
from pipeline.reports.leads import Leads

if TYPE_CHECKING:
    from markupsafe import Markup
    from numpy.typing import NDArray

    from pipeline.reports.inputs import RegionInputs, ReportInputs, StationInputs

TITLE = "Newest forecast"
_NONE = "<p>No forecast has been made from the newest data.</p>"
_TEMPLATE = """\
<p>Made by {{ who }} from the data up to <time>{{ init }}</time>, for {{ first }}{% if last != first %} to {{ last
}}{% endif %}, in the record's own clock.</p>
{% if late > 0 %}<p class="note">The record goes on for {{ late | count("day") }} after that, but not with a whole
history without a gap, which a forecast needs.</p>{% endif %}
{{ legend }}
<figure class="scroll wide"><figcaption>{{ quantity }}, observed and forecast</figcaption>{{ chart }}</figure>
{{ table(rows, "outlook") }}{% if rows | length < every | length %}
<details><summary>Every lead</summary>{{ table(every, "outlook-all") }}</details>{% endif %}
"""
_TABLE = """\
{% macro table(rows, key) %}<div class="scroll"><table class="numbers" data-table="{{ key }}"><thead><tr>
<th scope="col">{{ axis }}</th><th scope="col">Valid time</th><th scope="col">{{ quantity }} ({{ units }})</th>
<th scope="col">MAE in the test ({{ units }})</th></tr></thead><tbody>
{% for lead, when, value, error in rows %}<tr><th scope="row">{{ lead }}</th><td>{{ when }}</td><td>{{ value | num
}}</td><td>{{ error | num }}</td></tr>
{% endfor %}</tbody></table></div>{% endmacro %}
"""


def build(inputs: ReportInputs, region: RegionInputs) -> Section:
    """History and forecast in one chart, and a table with the usual error of each lead."""
    newest, station = region.newest, region.station
    if newest is None or station is None or not newest.sizes["init_time"]:
        return Section(TITLE, markup.fill(_NONE))
    field = archive.field_of(newest).isel(init_time=-1)
    values = field.transpose("lead_time", "latitude", "longitude").values[:, 0, 0].astype(float)
    init, leads = newest["init_time"].values[-1], Leads.of(newest)
    valid = init + newest["lead_time"].values
    look = charts.looks(inputs, region).get(region.newest_by, charts.Look(0))
    errors = _usual_error(region)
    rows = [
        (lead, markup.moment(when), float(value), errors.get(lead))
        for lead, when, value in zip(leads.values, valid, values, strict=True)
    ]
    name = station.quantity.long_name
    html = markup.fill(
        _TABLE + _TEMPLATE,
        who=markup.name(region.newest_by) if region.newest_by else "the best forecaster",
        init=markup.moment(init),
        first=markup.moment(valid[0]),
        last=markup.moment(valid[-1]),
        late=int((np.datetime64(region.data.last_day) - init.astype("datetime64[D]")).astype(int)),
        legend=lines.legend({lines.OBSERVED: None, "forecast": look}),
        quantity=name[:1].upper() + name[1:],
        chart=_chart(region, station, valid, values, look),
        axis=leads.axis,
        units=region.symbol,
        rows=[rows[at] for at in leads.shown()],
        every=rows,
    )
    return Section(TITLE, html)


def _usual_error(region: RegionInputs) -> dict[int, float]:
    """MAE of who made the forecast by lead, over the test windows."""
    scores = region.scores.sel(area="all", season="all")
    if region.newest_by not in scores["forecaster"].values:
        return {}
    mae = scores["mae"].sel(forecaster=region.newest_by)
    return dict(zip(Leads.of(scores).values, map(float, mae.values), strict=True))


def _chart(
    region: RegionInputs,
    station: StationInputs,
    valid: NDArray[np.datetime64],
    values: NDArray[np.float64],
    look: charts.Look,
) -> Markup:
    width, height = lines.WIDE
    figure, ax = charts.axes(
        "", f"{station.quantity.long_name} ({region.symbol})", width=width, height=height
    )
    lines.draw(ax, station.recent["time"].values, station.recent.values.astype(float), None)
    lines.draw(ax, valid, values, look)
    lines.time_axis(ax)
    label = f"{station.quantity.long_name} of the last days, and its newest forecast"
    return charts.svg(figure, f"{markup.slug(region.name)}-outlook", label)
