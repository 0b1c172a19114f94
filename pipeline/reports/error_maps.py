"""Where the errors are: maps of RMSE, of the gain over the best baseline, and of bias, at a few leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.reports import maps, markup, standing
from pipeline.reports.base import Section
from pipeline.reports.leads import Leads

if TYPE_CHECKING:
    import xarray as xr
    from markupsafe import Markup

    from pipeline.reports.inputs import RegionInputs, ReportInputs

_TEMPLATE = """\
{% for lead, why, pictures, bar in rows %}<p>{{ lead }} {{ why }}</p>
{{ pictures }}{{ bar }}
{% endfor %}
<p class="fine">Land is grey. Maps are over all seasons of the test years.</p>
"""


def build(_: ReportInputs, region: RegionInputs) -> Section:
    """A row of maps a quantity, each row on one scale."""
    scores, rung = region.scores, region.verdict.best_rung
    shown = standing.model_of(region) or rung
    at = Leads.of(scores).shown()
    rmse = scores["rmse_map"].isel(lead_time=at)
    bias = scores["bias_map"].isel(lead_time=at).sel(forecaster=shown)
    mine, who = rmse.sel(forecaster=shown), markup.title(shown)
    scale = maps.Scale.spanning(mine.values, maps.SPREAD, "RMSE (°C)")
    rows = [_row(mine, scale, f"{who}: RMSE.", "How large the error usually is in each cell.")]
    if shown != rung and rung in standing.rungs(scores):
        gain = mine - rmse.sel(forecaster=rung)
        scale = maps.Scale.around_zero(gain.values, f"RMSE less that of {markup.name(rung)} (°C)")
        lead = f"{who} beside {markup.name(rung)}."
        rows.append(
            _row(gain, scale, lead, "Blue: the model's RMSE is the lower one; red: the baseline's is.")
        )
    scale = maps.Scale.around_zero(bias.values, "Bias (°C)")
    rows.append(
        _row(bias, scale, f"{who}: bias.", "Red: the forecast is too warm on average; blue: too cold.")
    )
    return Section("Error maps", markup.fill(_TEMPLATE, rows=rows))


def _row(field: xr.DataArray, scale: maps.Scale, lead: str, why: str) -> tuple[str, str, Markup, Markup]:
    canvas = maps.Canvas.of(field)
    pictures = []
    for at, day in enumerate(Leads.of(field).values):
        values = field.isel(lead_time=at).transpose("latitude", "longitude").values
        alt = f"Map, day {day}: {scale.label}, {maps.span(values)}"
        pictures.append(canvas.figure(f"Day {day}", values, scale, alt))
    return lead, why, canvas.row(pictures), scale.bar()
