"""Forecasts beside the truth: a slider moves through the leads, a list chooses the day they start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.reports import maps, markup
from pipeline.reports.base import Section
from pipeline.reports.leads import Leads

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from pipeline.reports.inputs import RegionInputs, ReportInputs

TITLE = "Forecast and truth"
_DIMS = ("init_time", "lead_time", "latitude", "longitude")
_PAGE_CELLS = 2_500_000  # in all pictures of the page; most cells take less than a byte
_MAP_CELLS = 20_000
_NONE = "<p>There is no window in the test years to show.</p>"
_TEMPLATE = """\
<p>Choose a start day and move the slider (arrow keys work) to watch the forecast part from what was observed
afterwards.</p>
<div class="viewer" id="{{ key }}">
<div class="controls">
<label>Forecast from <select>{% for start in starts %}<option>{{ start.day }}</option>{% endfor
%}</select></label>
<label class="lead">Lead <input type="range" min="0" max="{{ starts[0].frames | length - 1 }}" step="1"
value="0"
 aria-valuetext="{{ starts[0].frames[0].label }}"></label>
<output aria-live="polite">{{ starts[0].frames[0].label }}</output></div>
<p class="note">{{ starts[0].frames[0].note }}</p>
{{ panels }}
<div class="bars">{{ sst.bar() }}{{ error.bar() }}</div>
<script type="application/json">{{ starts | tojson }}</script>
<noscript><p class="fine">The slider needs JavaScript; the first day of the first forecast is
shown.</p></noscript>
</div>
"""


@dataclass(frozen=True, slots=True)
class _Plate:
    """One of the maps that stand side by side: (init_time, lead_time, latitude, longitude) on a scale."""

    title: str
    values: NDArray[np.float64]
    scale: maps.Scale

    def alt(self, start: int, lead: int, day: str) -> str:
        return f"Map for {day}. {self.title}: {maps.span(self.values[start, lead])}"


def build(inputs: ReportInputs, region: RegionInputs) -> Section:
    """The viewer, with every picture in the page."""
    data = region.examples
    if data is None or not data.sizes["init_time"]:
        return Section(TITLE, markup.fill(_NONE))
    canvas = maps.Canvas.of(data, max_cells=_MAP_CELLS)
    data = _thinned(data, canvas, len(inputs.regions))
    shown = {"model": markup.name(region.verdict.model), "best_rung": markup.name(region.verdict.best_rung)}
    shown = {key: label for key, label in shown.items() if key in data}
    truth = _values(data["truth"])
    fields = {label: _values(data[key]) for key, label in shown.items()}
    errors = {label: field - truth for label, field in fields.items()}
    sst = maps.Scale.spanning(np.stack([truth, *fields.values()]), maps.SST, "Sea-surface temperature (°C)")
    error = maps.Scale.around_zero(np.stack(list(errors.values())), "Forecast less observed (°C)")
    label = next(iter(fields))
    plates = [_Plate("Observed", truth, sst), _Plate(f"Forecast: {label}", fields[label], sst)]
    plates += [_Plate(f"Error: {label}", values, error) for label, values in errors.items()]
    starts = _starts(data, plates, errors, canvas)
    first = starts[0]["frames"][0]["pictures"]
    panels = [
        canvas.figure(plate.title, plate.values[0, 0], plate.scale, picture["alt"])
        for plate, picture in zip(plates, first, strict=True)
    ]
    html = markup.fill(
        _TEMPLATE,
        key=f"{markup.slug(region.name)}-viewer",
        starts=starts,
        panels=canvas.row(panels),
        sst=sst,
        error=error,
    )
    return Section(TITLE, html)


def _values(field: xr.DataArray) -> NDArray[np.float64]:
    return np.asarray(field.transpose(*_DIMS).values, dtype=float)


def _thinned(data: xr.Dataset, canvas: maps.Canvas, regions: int) -> xr.Dataset:
    """As many init times, evenly spread, as the page has room for; at least one."""
    one_map = canvas.pixels(data["truth"].isel(init_time=0, lead_time=0).values).size
    room = _PAGE_CELLS // (4 * one_map * data.sizes["lead_time"] * regions)
    many = data.sizes["init_time"]
    kept = {round(float(at)) for at in np.linspace(0, many - 1, max(1, min(many, room)))}
    return data.isel(init_time=sorted(kept))


def _starts(
    data: xr.Dataset, plates: list[_Plate], errors: dict[str, NDArray[np.float64]], canvas: maps.Canvas
) -> list[dict[str, Any]]:
    weights = np.cos(np.radians(data["latitude"].values.astype(float)))[:, None]
    starts = []
    for i, init in enumerate(data["init_time"].values):
        frames = []
        for k, lead in enumerate(Leads.of(data).values):
            day = markup.day(init + np.timedelta64(lead, "D"))
            off = [
                f"{label} {markup.number(_rmse(field[i, k], weights))} °C" for label, field in errors.items()
            ]
            pictures = [
                {"src": p.scale.png(canvas.pixels(p.values[i, k])), "alt": p.alt(i, k, day)} for p in plates
            ]
            note = f"RMSE of this one map: {', '.join(off)}."
            frames.append({"label": f"day {lead}, for {day}", "note": note, "pictures": pictures})
        starts.append({"day": markup.day(init), "frames": frames})
    return starts


def _rmse(error: NDArray[np.float64], weights: NDArray[np.float64]) -> float | None:
    """degree_Celsius, area-weighted over the cells that have both a forecast and a truth."""
    ocean = np.isfinite(error)
    if not ocean.any():
        return None
    return float(
        np.sqrt(np.average(np.square(error[ocean]), weights=np.broadcast_to(weights, error.shape)[ocean]))
    )
