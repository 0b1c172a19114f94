"""All regions of the experiment in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.reports import markup, standing
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from pipeline.reports.inputs import RegionInputs, ReportInputs

_TEMPLATE = """\
<p>{{ promoted }} of {{ rows | length | count("region") }} {{ "has" if promoted == 1 else "have" }} a model
that beats its best baseline. RMSE in {{ units }} is taken over all leads of the test years; skill is
1 − RMSE / RMSE of the best baseline.</p>
<div class="scroll"><table class="numbers"><thead><tr><th scope="col">Region</th><th scope="col">Verdict</th>
<th scope="col">Model RMSE</th><th scope="col">Best baseline</th><th scope="col">Its RMSE</th>
<th scope="col">Skill</th><th scope="col">Interval</th><th scope="col">Newest day</th></tr></thead><tbody>
{% for row in rows %}<tr><th scope="row"><a href="#{{ row.slug }}">{{ row.title }}</a></th>
<td class="mark {{ 'better' if row.promoted else 'unclear' }}">{{ "promoted" if row.promoted else
"not promoted" }}</td>
<td>{{ row.rmse | num }}</td><td class="text">{{ row.best | name }}</td><td>{{ row.best_rmse | num }}</td>
<td>{{ row.skill | pct(sign=true) }}</td><td>{{ row.interval }}</td><td>{{ row.last_day }}</td></tr>
{% endfor %}</tbody></table></div>
"""


def build(inputs: ReportInputs) -> Section:
    """A row a region, with a link to its part."""
    rows = [_row(region) for region in inputs.regions]
    promoted = sum(region.verdict.promoted for region in inputs.regions)
    units = markup.listed(dict.fromkeys(region.symbol for region in inputs.regions))
    return Section("All regions", markup.fill(_TEMPLATE, rows=rows, promoted=promoted, units=units))


def _row(region: RegionInputs) -> dict[str, Any]:
    verdict, model = region.verdict, standing.model_of(region)
    known = verdict.best_rung in standing.rungs(region.scores)
    return {
        "slug": markup.slug(region.name),
        "title": region.title,
        "promoted": verdict.promoted,
        "rmse": standing.pooled_rmse(region.scores, model) if model else None,
        "best": verdict.best_rung,
        "best_rmse": standing.pooled_rmse(region.scores, verdict.best_rung) if known else None,
        "skill": verdict.skill_pooled if model else None,
        "interval": markup.percent_interval(verdict.skill_interval) if model else markup.MISSING,
        "last_day": region.data.last_day,
    }
