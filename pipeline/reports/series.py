"""The record of a station itself: its target over days and over years, and what scaling makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.reports import charts, lines, markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    import xarray as xr
    from markupsafe import Markup

    from pipeline.reports.inputs import RegionInputs, ReportInputs, StationInputs

_LABELS = {"train": "Training", "validation": "Validation", "test": "Test"}
_DAY = np.timedelta64(1, "D")
_TEMPLATE = """\
<p>{{ name }}{% if station.protocol == "clean" %}, as cleaned: sentinels and repeated stamps are gone, and gaps are
left as gaps{% else %}, as published: the rows are counted as they stand in the files, taken as contiguous and with
their sentinels, so that times here are nominal{% endif %}.</p>
<figure class="scroll wide"><figcaption>Over the years: {{ means }}</figcaption>{{ years }}</figure>
<figure class="scroll wide"><figcaption>Over days: {{ first }} to {{ last }}, a value every {{ step
}}</figcaption>{{ days }}</figure>
<div class="scroll"><table class="numbers" data-table="series"><caption>{{ name }} on each split before and after
scaling: less the training part's mean, over its standard deviation. {% if missing %}Missing values are left
out.{% endif %}</caption><thead><tr><th scope="col">Split</th><th scope="col">From</th><th scope="col">To</th>
<th scope="col">Values</th><th scope="col">Missing</th><th scope="col">Mean ({{ units }})</th>
<th scope="col">Deviation ({{ units }})</th><th scope="col">Mean, scaled</th><th scope="col">Deviation, scaled</th>
</tr></thead><tbody>
{% for one in station.statistics %}<tr><th scope="row">{{ labels[one.name] }}</th><td>{{ one.start | day }}</td>
<td>{{ one.end | day }}</td><td>{{ one.count | value }}</td><td>{{ one.missing | value }}</td>
<td>{{ one.mean | num(3) }}</td><td>{{ one.deviation | num(3) }}</td><td>{{ one.scaled_mean | num(3) }}</td>
<td>{{ one.scaled_deviation | num(3) }}</td></tr>
{% endfor %}</tbody></table></div>
"""


def build(_: ReportInputs, region: RegionInputs) -> Section:
    """Two charts and the statistics of each split."""
    station = region.station
    assert station is not None
    weeks, daily = station.weeks["time"].values, station.daily["time"].values
    many = _step(daily) // _DAY if len(daily) > 1 else 1
    name = station.quantity.long_name
    html = markup.fill(
        _TEMPLATE,
        station=station,
        name=name[:1].upper() + name[1:],
        units=region.symbol,
        means="means of each day" if many == 1 else f"means of {many} days each",
        years=_chart(region, station, station.daily, "years", splits=True),
        days=_chart(region, station, station.weeks, "days"),
        first=markup.day(weeks[0]),
        last=markup.day(weeks[-1]),
        step=_told(_step(weeks)) if len(weeks) > 1 else "time",
        labels=_LABELS,
        missing=any(one.missing for one in station.statistics),
    )
    return Section("The record", html)


def _step(time: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> np.timedelta64:
    step: np.timedelta64 = time[1] - time[0]
    return step


def _told(step: np.timedelta64) -> str:
    minutes = int(step // np.timedelta64(1, "m"))
    if minutes % 60:
        return markup.count(minutes, "minute")
    return "hour" if minutes == 60 else markup.count(minutes // 60, "hour")


def _chart(
    region: RegionInputs, station: StationInputs, values: xr.DataArray, key: str, *, splits: bool = False
) -> Markup:
    width, height = lines.WIDE
    figure, ax = charts.axes(
        "", f"{station.quantity.long_name} ({region.symbol})", width=width, height=height
    )
    ax.plot(values["time"].values, values.values.astype(float), color=charts.SERIES[0], linewidth=1)
    for one in station.statistics if splits else ():
        lines.mark(ax, one.start, _LABELS[one.name].lower())
    lines.time_axis(ax)
    span = f"{markup.day(values['time'].values[0])} to {markup.day(values['time'].values[-1])}"
    label = f"{station.quantity.long_name}, {span}"
    return charts.svg(figure, f"{markup.slug(region.name)}-series-{key}", label)
