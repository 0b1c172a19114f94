"""What the data behind the forecasts are: days by status, gaps, refused files, findings of the checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.reports import markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from pipeline.reports.inputs import RegionInputs, ReportInputs

_ROWS = 40
_ORDER = ("final", "preliminary", "missing")
_TEMPLATE = """\
<p>The record runs from <time>{{ data.first_day }}</time> to <time>{{ data.last_day }}</time>:
{{ total | count("day") }}.</p>
<div class="stack" role="img"
aria-label="{% for label, many, _ in counts %}{{ label }}: {{ many | count('day') }}; {% endfor %}">
{% for label, many, share in counts if share %}<span class="{{ label }}"
style="flex-grow:{{ '%.4f' % share }}"></span>{% endfor %}</div>
<dl class="tiles">{% for label, many, share in counts %}<div><dt><i class="{{ label }}"></i>{{ label }}</dt>
<dd>{{ many | value }} <small>{{ share | pct }}</small></dd></div>{% endfor %}</dl>
{% macro more(rows) %}{% if rows | length > limit %}<p class="fine">… and {{ (rows | length - limit) | value
}} more.</p>{% endif %}{% endmacro %}
{% if data.gaps %}<div class="scroll"><table><caption>Gaps. No window crosses one.</caption><thead><tr><th
scope="col">From</th>
<th scope="col">To</th><th scope="col">Days</th></tr></thead><tbody>
{% for gap in data.gaps[:limit] %}<tr><td>{{ gap.start }}</td><td>{{ gap.end }}</td><td>{{ gap.days | value
}}</td></tr>
{% endfor %}</tbody></table></div>{{ more(data.gaps) }}{% else %}<p>No day is missing.</p>{% endif %}
{% if data.quarantined %}<div class="scroll"><table><caption>Files that were refused and set
apart.</caption><thead><tr>
<th scope="col">File</th><th scope="col">Check</th><th scope="col">Why</th></tr></thead><tbody>
{% for file in data.quarantined[:limit] %}<tr><td><code>{{ file.name }}</code></td><td>{{ file.check }}</td>
<td>{{ file.reason }}</td></tr>{% endfor %}</tbody></table></div>{{ more(data.quarantined) }}
{% else %}<p>No file was refused.</p>{% endif %}
{% if data.findings %}<details><summary>{{ data.findings | length | count("finding") }} of the
checks</summary><div class="scroll"><table>
<thead><tr><th scope="col">Day</th><th scope="col">Check</th><th scope="col">Severity</th><th
scope="col">Finding</th></tr></thead><tbody>
{% for finding in data.findings[:limit] %}<tr><td>{{ finding.day | value }}</td><td>{{ finding.check }}</td>
<td>{{ finding.severity }}</td><td>{{ finding.message }}</td></tr>{% endfor %}</tbody></table></div>{{
more(data.findings) }}</details>{% endif %}
"""


def build(_: ReportInputs, region: RegionInputs) -> Section:
    """Counts, gaps, quarantine and findings."""
    data = region.data
    labels = [*_ORDER, *(label for label in data.counts if label not in _ORDER)]
    total = sum(data.counts.values())
    counts = [
        (label, many, many / total if total else 0.0)
        for label in labels
        for many in [data.counts.get(label, 0)]
    ]
    return Section("Data", markup.fill(_TEMPLATE, data=data, counts=counts, total=total, limit=_ROWS))
