"""Every forecaster on the identical windows, the one with the lowest error first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.reports import markup, standing
from pipeline.reports.base import Section
from pipeline.reports.leads import Leads

if TYPE_CHECKING:
    import xarray as xr

    from pipeline.reports.inputs import RegionInputs, ReportInputs

_SIGNS = {"better": "▼", "worse": "▲", "unclear": "≈", "unknown": ""}
_TEMPLATE = """\
{% macro table(rows, key, title, best) %}<div class="scroll" tabindex="0" role="region"
aria-label="Ranking, {{ title }}"><table class="numbers" data-table="{{ key }}">
<caption><strong>{{ title | forecaster }}.</strong> In {{ units }}, with {{ level }} intervals. The difference is
in MAE, to that of {{ best | name }}, the best baseline{% if key == "ranking" and many %} there{% endif %}.</caption>
<thead><tr><th scope="col">Forecaster</th>
<th scope="col">Parameters</th><th scope="col">MAE</th><th scope="col">Interval</th><th scope="col">RMSE</th>
<th scope="col">Interval</th><th scope="col">Bias</th><th scope="col">Difference</th><th scope="col">Interval</th>
<th scope="col">Is</th></tr></thead><tbody>
{% for row in rows %}<tr{% if row.name == judged %} class="judged"{% endif %}><th scope="row">{{ row.name | forecaster
}}{% if row.name == judged %} <small>judged</small>{% elif row.name in ladder %} <small>baseline</small>{% endif
%}</th><td>{{ row.parameters | value }}</td>
<td>{{ row.mae | num(3) }}</td><td>{{ interval(row.mae_interval[0], row.mae_interval[1], 3, sign=false) }}</td>
<td>{{ row.rmse | num(3) }}</td><td>{{ interval(row.rmse_interval[0], row.rmse_interval[1], 3, sign=false) }}</td>
<td>{{ row.bias | num(3, sign=true) }}</td>
<td>{{ row.difference | num(3, sign=true) }}</td>
<td>{{ interval(row.difference_interval[0], row.difference_interval[1], 3) }}</td>
<td class="mark {{ row.mark }}"><span aria-hidden="true">{{ signs[row.mark] }}</span> {{ row.mark if row.mark !=
"unknown" else missing }}</td></tr>
{% endfor %}</tbody></table></div>{% endmacro %}
<p>{{ rows | length | count("forecaster") }} on the same {{ windows }}{% if judged %}. The judged model, {{ judged |
name }}, was chosen by its validation error: the test windows had no say in it{% endif %}. {{ first.name | forecaster }}
has the lowest MAE {{ ahead }} ahead, {{ first.mae | num }} {{ units }}.</p>
{{ table(rows, "ranking", ahead ~ " ahead", best) }}
{% if many %}{{ table(pooled, "ranking-pooled", "over all leads", best_pooled) }}{% endif %}
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One forecaster, in the scores' units; the difference is in MAE, to the best baseline."""

    name: str
    parameters: int | None
    mae: float
    mae_interval: tuple[float, float]
    rmse: float
    rmse_interval: tuple[float, float]
    bias: float
    difference: float
    difference_interval: tuple[float, float]

    @property
    def mark(self) -> standing.Mark:
        """On which side of zero the whole interval of the difference lies."""
        return standing.mark_of(*self.difference_interval)


def applies(region: RegionInputs) -> bool:
    """One model beside its ladder is ranked by the verdict."""
    return region.station is not None or len(region.models) > 1


def build(_: ReportInputs, region: RegionInputs) -> Section:
    """The table at the headline lead, and that over all leads."""
    scores, leads = region.scores, Leads.of(region.scores)
    ranked, pooled = rows(region, leads.headline), rows(region, None)
    html = markup.fill(
        _TEMPLATE,
        rows=ranked,
        pooled=pooled,
        first=ranked[0],
        many=len(leads.values) > 1,
        judged=standing.model_of(region),
        ladder=standing.rungs(scores),
        best=standing.best_rung(scores, "mae", lead=leads.headline),
        best_pooled=standing.best_rung(scores, "mae"),
        ahead=leads.ahead(leads.headline),
        units=region.symbol,
        level=f"{float(scores.attrs.get('confidence', 0.95)):.0%}",
        windows=markup.count(int(scores["count"].sel(season="all").max()), "window"),
        signs=_SIGNS,
    )
    return Section("Ranking", html)


def rows(region: RegionInputs, lead: int | None) -> list[Row]:
    """All forecasters at a position on the leads, or over all of them; the lowest MAE first."""
    whole = region.scores.sel(area="all", season="all")
    suffix = "" if lead is not None else "_pooled"
    here = whole if lead is None else whole.isel(lead_time=lead)
    best = standing.best_rung(region.scores, "mae", lead=lead)
    parameters = {one.name: one.parameters for one in region.models}
    found = []
    for name in standing.forecasters(whole):
        mine = here.sel(forecaster=name)
        pair, own = mine.sel(reference=best), name == best
        found.append(
            Row(
                name,
                parameters.get(name),
                float(mine[f"mae{suffix}"]),
                _bounds(mine[f"mae{suffix}_interval"]),
                float(mine[f"rmse{suffix}"]),
                _bounds(mine[f"rmse{suffix}_interval"]),
                float(mine[f"bias{suffix}"]),
                math.nan if own else float(pair[f"mae_difference{suffix}"]),
                (math.nan, math.nan) if own else _bounds(pair[f"mae_difference{suffix}_interval"]),
            )
        )
    return sorted(found, key=lambda row: (not math.isfinite(row.mae), row.mae))


def _bounds(interval: xr.DataArray) -> tuple[float, float]:
    return float(interval.sel(bound="low")), float(interval.sel(bound="high"))
