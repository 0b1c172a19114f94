"""First of all of movies: does the model beat the best baseline, and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.reports import collection_verdict, markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from pipeline.reports.inputs import ReportInputs
    from pipeline.reports.movies_inputs import MoviesInputs

_TEMPLATE = """\
<p class="headline {{ 'yes' if verdict.promoted else 'no' }}">{{ sentence }}</p>
<dl class="tiles">
<div><dt>Model</dt><dd>{{ "promoted" if verdict.promoted else "not promoted" }}</dd></div>
<div><dt>RMSE</dt><dd>{{ verdict.rmse | num(3) }}{{ units }} <small>{{ verdict.best_rung | name }}: {{
verdict.best_rmse | num(3) }}</small></dd></div>
<div><dt>Skill over {{ verdict.best_rung | name }}</dt><dd>{{ verdict.skill | pct(1, sign=true) }} <small>{{ skill
}}</small></dd></div>
<div><dt>Tested on</dt><dd>{{ verdict.windows | count("window") }} <small>{{ verdict.movies | count("movie")
}}</small></dd></div>
</dl>
<div class="scroll" tabindex="0" role="region" aria-label="Measures of everyone"><table class="numbers"
data-table="movies-verdict">
<caption>Over {{ verdict.leads | count("picture") }} ahead of the same {{ verdict.windows | count("window") }}, with {{
level }} intervals of a bootstrap over {{ drawn }}; the best of each column in bold.</caption>
<thead><tr><th scope="col">Forecaster</th>{% for measure in measures %}<th scope="col">{{ measure | upper }}</th><th
scope="col">Interval</th>{% endfor %}<th scope="col">Model’s RMSE less its</th><th
scope="col">Interval</th></tr></thead><tbody>
{% for row in rows %}<tr{% if row.name == verdict.model %} class="judged"{% endif %}><th scope="row">{{ row.name |
forecaster }}</th>
{% for measure in measures %}<td{% if row[measure] == best[measure] %} class="best"{% endif %}>{{ row[measure] |
num(4) }}</td><td>{{ row[measure + "_interval"] }}</td>{% endfor %}
<td>{{ row.difference | num(4, sign=true) }}</td><td>{{ row.difference_interval }}</td></tr>
{% endfor %}</tbody></table></div>
"""
_MEASURES = ("rmse", "mae", "mse")


def build(_: ReportInputs, movies: MoviesInputs) -> Section:
    """The verdict in words, its figures, and the table behind it."""
    scores, verdict = movies.scores, movies.verdict
    rows = collection_verdict.rows(scores, _MEASURES, "rmse_difference", 4, over="_pooled")
    html = markup.fill(
        _TEMPLATE,
        verdict=verdict,
        sentence=collection_verdict.sentence(movies),
        units=movies.units,
        skill=markup.percent_interval(verdict.skill_interval),
        rows=rows,
        measures=_MEASURES,
        best={name: min(row[name] for row in rows) for name in _MEASURES},
        level=f"{verdict.confidence:.0%}",
        drawn=scores.attrs["drawn"],
    )
    return Section("Verdict", html)
