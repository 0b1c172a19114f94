"""Forecasts of a station beside what was observed: from a few init times, and day after day at one lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.reports import charts, lines, markup
from pipeline.reports.base import Section
from pipeline.reports.leads import Leads

if TYPE_CHECKING:
    import xarray as xr
    from markupsafe import Markup

    from pipeline.reports.inputs import RegionInputs, ReportInputs, StationInputs

TITLE = "Forecast and truth"
_NONE = "<p>There is no window in the test period to show.</p>"
_TEMPLATE = """\
<p>{{ starts | length | count("start") }} spread evenly over the test period, none of them chosen by how well the
forecasts did. The dotted line is the time of the last observation that a forecast was given.</p>
{{ legend }}
<div class="charts">{% for when, note, chart in starts %}<figure><figcaption>From {{ when }}</figcaption>{{ chart }}
<p class="fine">{{ note }}</p></figure>{% endfor %}</div>
{% if weeks %}<p>Every forecast for these weeks of the test period, each made {{ ahead }} before.</p>
<figure class="scroll wide"><figcaption>{{ ahead }} ahead, {{ first }} to {{ last }}</figcaption>{{ weeks
}}</figure>{% endif %}
"""


def build(inputs: ReportInputs, region: RegionInputs) -> Section:
    """A chart a start, and one of some weeks."""
    data, station = region.examples, region.station
    if data is None or station is None or not data.sizes["init_time"]:
        return Section(TITLE, markup.fill(_NONE))
    looks = looks_of(inputs, region)
    leads = Leads.of(region.scores)
    ahead = station.ahead["time"].values
    html = markup.fill(
        _TEMPLATE,
        legend=lines.legend({lines.OBSERVED: None} | dict(looks.values())),
        starts=[
            (markup.moment(init), *_start(region, station, init, looks, at))
            for at, init in enumerate(data["init_time"].values)
        ],
        weeks=_weeks(region, station, looks) if len(ahead) else "",
        ahead=leads.ahead(leads.headline),
        first=markup.day(ahead[0]) if len(ahead) else "",
        last=markup.day(ahead[-1]) if len(ahead) else "",
    )
    return Section(TITLE, html)


def looks_of(inputs: ReportInputs, region: RegionInputs) -> dict[str, tuple[str, charts.Look]]:
    """Label and look of `model` and `best_rung`, where the examples have them."""
    looks = charts.looks(inputs, region)
    named = {"best_rung": region.verdict.best_rung, "model": region.verdict.model}
    held = region.examples.data_vars if region.examples is not None else ()
    return {
        key: (markup.name(one), looks.get(one, charts.Look(0))) for key, one in named.items() if key in held
    }


def _start(
    region: RegionInputs,
    station: StationInputs,
    init: np.datetime64,
    looks: dict[str, tuple[str, charts.Look]],
    at: int,
) -> tuple[str, Markup]:
    assert region.examples is not None
    data = region.examples.isel(init_time=at)
    figure, ax = charts.axes("", f"{station.quantity.long_name} ({region.symbol})")
    seen = station.observed.isel(init_time=at)
    lines.draw(ax, init + seen["offset"].values, seen.values.astype(float), None)
    truth = _line(data["truth"])
    errors = []
    for key, (label, look) in looks.items():
        values = _line(data[key])
        lines.draw(ax, init + data["lead_time"].values, values, look)
        errors.append(f"{label} {markup.number(float(np.abs(values - truth).mean()))} {region.symbol}")
    lines.mark(ax, init)
    lines.time_axis(ax)
    when = markup.moment(init)
    label = f"{station.quantity.long_name} observed and forecast from {when}"
    chart = charts.svg(figure, f"{markup.slug(region.name)}-trace-{at}", label)
    return f"MAE of this one forecast: {', '.join(reversed(errors))}.", chart


def _weeks(region: RegionInputs, station: StationInputs, looks: dict[str, tuple[str, charts.Look]]) -> Markup:
    data = station.ahead
    width, height = lines.WIDE
    figure, ax = charts.axes(
        "", f"{station.quantity.long_name} ({region.symbol})", width=width, height=height
    )
    lines.draw(ax, data["time"].values, data["truth"].values.astype(float), None)
    for key, (_, look) in looks.items():
        lines.draw(ax, data["time"].values, data[key].values.astype(float), look)
    lines.time_axis(ax)
    label = f"{station.quantity.long_name} observed and forecast at one lead over some weeks"
    return charts.svg(figure, f"{markup.slug(region.name)}-weeks", label)


def _line(field: xr.DataArray) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return field.transpose("lead_time", "latitude", "longitude").values[:, 0, 0].astype(float)
