"""First of all of labelled records: does the model beat the best baseline, and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.reports import collection_verdict, markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from pipeline.reports.inputs import ReportInputs
    from pipeline.reports.records_inputs import RecordsInputs

_TEMPLATE = """\
<p class="headline {{ 'yes' if verdict.promoted else 'no' }}">{{ sentence }}</p>
<dl class="tiles">
<div><dt>Model</dt><dd>{{ "promoted" if verdict.promoted else "not promoted" }}</dd></div>
<div><dt>AUC</dt><dd>{{ verdict.auc | num(3) }} <small>{{ interval(verdict.auc_interval[0],
verdict.auc_interval[1], 3,
sign=false) }}</small></dd></div>
<div><dt>Over {{ verdict.best_rung | name }}</dt><dd>{{ verdict.difference | num(3, sign=true) }} <small>{{
interval(verdict.difference_interval[0], verdict.difference_interval[1], 3) }}</small></dd></div>
<div><dt>Tested on</dt><dd>{{ verdict.records | count("record") }} <small>{{ positives }} with the
label</small></dd></div>
</dl>
<div class="scroll" tabindex="0" role="region" aria-label="Measures of everyone"><table class="numbers"
data-table="records-verdict">
<caption>On the same test records, with {{ level }} intervals of a bootstrap over records; the best of each
column in
bold.</caption>
<thead><tr><th scope="col">Forecaster</th><th scope="col">AUC</th><th scope="col">Interval</th><th
scope="col">Average
precision</th><th scope="col">Interval</th><th scope="col">Brier score</th><th scope="col">Interval</th><th
scope="col">Model’s AUC less its</th><th scope="col">Interval</th></tr></thead><tbody>
{% for row in rows %}<tr{% if row.name == verdict.model %} class="judged"{% endif %}><th scope="row">{{ row.name |
forecaster }}</th>
{% for measure in measures %}<td{% if row[measure] == best[measure] %} class="best"{% endif %}>{{ row[measure] |
num(3)
}}</td><td>{{ row[measure + "_interval"] }}</td>{% endfor %}
<td>{{ row.difference | num(3, sign=true) }}</td><td>{{ row.difference_interval }}</td></tr>
{% endfor %}</tbody></table></div>
"""
_MEASURES = {"auc": max, "average_precision": max, "brier": min}


def build(_: ReportInputs, records: RecordsInputs) -> Section:
    """The verdict in words, its figures, and the table behind it."""
    scores, verdict = records.scores, records.verdict
    rows = collection_verdict.rows(scores, _MEASURES, "auc_difference", 3)
    html = markup.fill(
        _TEMPLATE,
        verdict=verdict,
        sentence=collection_verdict.sentence(records),
        positives=int(scores.label.sum()),
        rows=rows,
        measures=list(_MEASURES),
        best={name: choose(row[name] for row in rows) for name, choose in _MEASURES.items()},
        level=f"{verdict.confidence:.0%}",
    )
    return Section("Verdict", html)
