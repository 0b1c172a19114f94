"""First of all: does the model beat the best baseline, by how much, and where not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipeline.reports import markup, standing
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from pipeline.reports.base import RegionInputs, ReportInputs

_WORDS = {"better": "better", "worse": "worse", "unclear": "unclear", "unknown": markup.MISSING}
_SIGNS = {"better": "▼", "worse": "▲", "unclear": "≈", "unknown": ""}

_TEMPLATE = """\
<p class="headline {{ 'yes' if verdict.promoted else 'no' }}">{{ sentence }}</p>
<dl class="tiles">
<div><dt>Model</dt><dd>{{ "promoted" if verdict.promoted else "not promoted" }}</dd></div>
{% if model %}<div><dt>Skill over {{ verdict.best_rung | name }}</dt><dd>{{ verdict.skill_pooled |
pct(sign=true) }}
<small>{{ skill_interval }}</small></dd></div>
<div><dt>RMSE, day {{ last.lead }}</dt><dd>{{ last.rmse[model] | num }} °C
<small>{{ last.best_rung | name }}: {{ last.rmse[last.best_rung] | num }} °C</small></dd></div>{% endif %}
<div><dt>Tested on</dt><dd>{{ windows }} <small>{{ period }}</small></dd></div>
</dl>
{% for paragraph in paragraphs %}<p>{{ paragraph }}</p>
{% endfor %}
<div class="scroll" tabindex="0" role="region" aria-label="RMSE of every forecaster by lead"><table
class="numbers" data-table="verdict">
<caption>RMSE in °C on the same test windows; the lowest of each row in bold. The difference is the
model's RMSE less that of the best baseline at that lead, with its {{ level }} interval.</caption>
<thead><tr><th scope="col">Lead (days)</th>{% for one in everyone %}<th scope="col">{{ one | forecaster
}}</th>{% endfor %}
{% if model %}<th scope="col">Difference</th><th scope="col">Interval</th><th scope="col">Model is</th>{%
endif %}</tr></thead><tbody>
{% for row in standings %}<tr><th scope="row">{{ row.lead }}</th>
{% for one in everyone %}<td{% if row.rmse[one] == lowest[row.lead] %} class="best"{% endif %}>{{
row.rmse[one] | num(3) }}</td>{% endfor %}
{% if model %}<td>{{ row.difference | num(3, sign=true) }}</td><td>{{ interval(row.low, row.high, 3) }}</td>
<td class="mark {{ row.mark }}"><span aria-hidden="true">{{ signs[row.mark] }}</span> {{ words[row.mark]
}}</td>{% endif %}</tr>
{% endfor %}</tbody></table></div>
"""


def build(_: ReportInputs, region: RegionInputs) -> Section:
    """The verdict in words, its figures, and the table behind it."""
    scores = region.scores
    standings = standing.lead_standings(region)
    names = {one: markup.name(one) for one in standing.forecasters(scores)} | {region.name: region.title}
    counts = scores["count"].sel(season="all")
    html = markup.fill(
        _TEMPLATE,
        verdict=region.verdict,
        sentence=markup.with_names(region.verdict.sentence, names),
        model=standing.model_of(region),
        everyone=standing.forecasters(scores),
        standings=standings,
        lowest={row.lead: min(filter(math.isfinite, row.rmse.values()), default=None) for row in standings},
        last=standings[-1],
        paragraphs=standing.where_it_stands(region),
        skill_interval=markup.percent_interval(region.verdict.skill_interval),
        windows=markup.count(int(counts.max()), "window"),
        period=" to ".join(markup.value(scores.attrs.get(end)) for end in ("test_start", "test_end")),
        level=f"{float(scores.attrs.get('confidence', 0.95)):.0%}",
        words=_WORDS,
        signs=_SIGNS,
    )
    return Section("Verdict", html)
