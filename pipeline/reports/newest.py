"""The newest forecast: what the sea is expected to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from pipeline.reports import charts, maps, markup
from pipeline.reports.base import Section
from pipeline.reports.leads import Leads

if TYPE_CHECKING:
    from markupsafe import Markup
    from numpy.typing import NDArray

    from pipeline.reports.inputs import RegionInputs, ReportInputs

TITLE = "Newest forecast"
_MAP_LEADS = (1, 5, 10)
_TEMPLATE = """\
<p>Made by {{ who }} from the data up to <time>{{ init }}</time>, for {{ first }} to {{ last }}.
Its area mean goes from {{ mean[0] | num(1) }} to {{ mean[-1] | num(1) }} °C.</p>
{% if late > 0 %}<p class="note">The record goes on for {{ late | count("day") }} after that, but not with a
whole history
without a gap, which a forecast needs.</p>{% endif %}
{{ pictures }}{{ bar }}
<div class="charts"><figure><figcaption>Area mean, and the range over the cells</figcaption>{{ chart
}}</figure>
<figure><figcaption>Change from day {{ days[0] }} to day {{ days[-1] }}</figcaption>
<div class="maps one">{{ change }}</div>{{ change_bar }}</figure></div>
"""
_NONE = "<p>No forecast has been made from the newest data.</p>"


def build(inputs: ReportInputs, region: RegionInputs) -> Section:
    """Maps at a few leads, the area mean by lead, and the change over the horizon."""
    newest = region.newest
    if newest is None or not newest.sizes["init_time"]:
        return Section(TITLE, markup.fill(_NONE))
    sst = newest["sst"].isel(init_time=-1).transpose("lead_time", "latitude", "longitude")
    init, leads = newest["init_time"].values[-1], Leads.of(newest)
    days = leads.values
    valid = [markup.day(init + np.timedelta64(lead, "D")) for lead in days]
    values = sst.values.astype(float)
    scale = maps.Scale.spanning(values, maps.SST, "Sea-surface temperature (°C)")
    canvas = maps.Canvas.of(newest)
    pictures = [
        canvas.figure(
            f"Day {days[at]}: {valid[at]}", values[at], scale, f"Map for {valid[at]}: {maps.span(values[at])}"
        )
        for at in leads.shown(_MAP_LEADS)
    ]
    moved = values[-1] - values[0]
    change = maps.Scale.around_zero(moved, "Change (°C)")
    mean = _mean(sst)
    html = markup.fill(
        _TEMPLATE,
        who=markup.name(region.newest_by) if region.newest_by else "the best forecaster",
        init=markup.day(init),
        late=int((np.datetime64(region.data.last_day) - init.astype("datetime64[D]")).astype(int)),
        first=valid[0],
        last=valid[-1],
        mean=mean,
        days=days,
        pictures=canvas.row(pictures),
        bar=scale.bar(),
        chart=_chart(region, charts.looks(inputs, region), leads, mean, values),
        change=canvas.figure("", moved, change, f"Map of the change: {maps.span(moved)}"),
        change_bar=change.bar(),
    )
    return Section(TITLE, html)


def _mean(sst: xr.DataArray) -> list[float]:
    """Area-weighted over the ocean, which is the cells that have a value."""
    weights = xr.DataArray(np.cos(np.radians(sst["latitude"].values)), dims="latitude")
    return [float(value) for value in sst.weighted(weights).mean(("latitude", "longitude")).values]


def _chart(
    region: RegionInputs,
    looks: dict[str, charts.Look],
    leads: Leads,
    mean: list[float],
    values: NDArray[np.float64],
) -> Markup:
    look = looks.get(region.newest_by, charts.Look(0))
    days = leads.values
    figure, ax = charts.axes(leads.axis, "SST (°C)")
    cells = values.reshape(len(days), -1)
    cells = cells[:, np.isfinite(cells).all(axis=0)]
    if cells.size:
        ax.fill_between(
            days, cells.min(axis=1), cells.max(axis=1), color=look.colour, alpha=0.18, linewidth=0
        )
    charts.draw(ax, days, np.array(mean), look)
    charts.lead_axis(ax, leads)
    return charts.svg(
        figure, f"{markup.slug(region.name)}-newest", "Area-mean SST of the newest forecast by lead"
    )
