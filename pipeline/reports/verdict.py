"""First of all: does the model beat the best baseline, by how much, and where not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipeline.reports import markup, standing
from pipeline.reports.base import Section
from pipeline.reports.leads import Leads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.reports.inputs import RegionInputs, ReportInputs

_ROWS = 20
_WORDS = {"better": "better", "worse": "worse", "unclear": "unclear", "unknown": markup.MISSING}
_SIGNS = {"better": "▼", "worse": "▲", "unclear": "≈", "unknown": ""}

_TEMPLATE = """\
{% macro table(rows, key) %}<div class="scroll" tabindex="0" role="region" aria-label="RMSE by lead"><table
class="numbers" data-table="{{ key }}">
<caption>RMSE in {{ units }} on the same test windows; the lowest of each row in bold. The difference is the
model's RMSE less that of the best baseline at that lead, with its {{ level }} interval.</caption>
<thead><tr><th scope="col">{{ leads.axis }}</th>{% for one in everyone %}<th scope="col">{{ one | forecaster
}}</th>{% endfor %}
{% if model %}<th scope="col">Difference</th><th scope="col">Interval</th><th scope="col">Model is</th>{%
endif %}</tr></thead><tbody>
{% for row in rows %}<tr><th scope="row">{{ row.lead }}</th>
{% for one in everyone %}<td{% if row.rmse[one] == lowest[row.lead] %} class="best"{% endif %}>{{
row.rmse[one] | num(3) }}</td>{% endfor %}
{% if model %}<td>{{ row.difference | num(3, sign=true) }}</td><td>{{ interval(row.low, row.high, 3) }}</td>
<td class="mark {{ row.mark }}"><span aria-hidden="true">{{ signs[row.mark] }}</span> {{ words[row.mark]
}}</td>{% endif %}</tr>
{% endfor %}</tbody></table></div>{% endmacro %}
<p class="headline {{ 'yes' if verdict.promoted else 'no' }}">{{ sentence }}</p>
<dl class="tiles">
<div><dt>Model</dt><dd>{{ "promoted" if verdict.promoted else "not promoted" }}</dd></div>
{% if model %}<div><dt>Skill over {{ verdict.best_rung | name }}</dt><dd>{{ verdict.skill_pooled |
pct(sign=true) }}
<small>{{ skill_interval }}</small></dd></div>
<div><dt>RMSE, {{ leads.named(at) }}</dt><dd>{{ head.rmse[model] | num }} {{ units }}
<small>{{ head.best_rung | name }}: {{ head.rmse[head.best_rung] | num }} {{ units }}</small></dd></div>{% endif %}
<div><dt>Tested on</dt><dd>{{ windows }} <small>{{ period }}</small></dd></div>
</dl>
{% for paragraph in paragraphs %}<p>{{ paragraph }}</p>
{% endfor %}
{{ table(chosen, "verdict") }}{% if chosen | length < standings | length %}
<details><summary>Every lead</summary>{{ table(standings, "verdict-all") }}</details>{% endif %}
"""


def build(_: ReportInputs, region: RegionInputs) -> Section:
    """The verdict in words, its figures, and the table behind it."""
    scores, model = region.scores, standing.model_of(region)
    leads, standings = Leads.of(scores), standing.lead_standings(region)
    names = {one: markup.name(one) for one in standing.forecasters(scores)} | {region.name: region.title}
    sentence = markup.with_names(region.verdict.sentence, names)
    counts = scores["count"].sel(season="all")
    everyone = [*([model] if model else []), *standing.rungs(scores)]
    html = markup.fill(
        _TEMPLATE,
        verdict=region.verdict,
        sentence=sentence[:1].upper() + sentence[1:],
        model=model,
        everyone=everyone,
        standings=standings,
        chosen=standings if len(standings) <= _ROWS else [standings[at] for at in leads.shown()],
        lowest={row.lead: _lowest(row.rmse[one] for one in everyone) for row in standings},
        leads=leads,
        at=leads.headline,
        head=standings[leads.headline],
        units=region.symbol,
        paragraphs=standing.where_it_stands(region),
        skill_interval=markup.percent_interval(region.verdict.skill_interval),
        windows=markup.count(int(counts.max()), "window"),
        period=" to ".join(markup.value(scores.attrs.get(end)) for end in ("test_start", "test_end")),
        level=f"{float(scores.attrs.get('confidence', 0.95)):.0%}",
        words=_WORDS,
        signs=_SIGNS,
    )
    return Section("Verdict", html)


def _lowest(values: Iterable[float]) -> float | None:
    return min(filter(math.isfinite, values), default=None)
