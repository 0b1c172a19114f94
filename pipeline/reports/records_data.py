"""What the records are: how many, what was left out and why, which values cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.reports import markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from pipeline.reports.inputs import ReportInputs
    from pipeline.reports.records_inputs import RecordsInputs

_ROWS = 100
_TEMPLATE = """\
<dl class="tiles">
<div><dt>Records held</dt><dd>{{ data.records | value }}</dd></div>
<div><dt>With the label</dt><dd>{{ data.positives | value }} <small>{{ share | pct }}</small></dd></div>
{% if data.texts %}<div><dt>Characters</dt><dd>{{ data.characters | value }}</dd></div>
<div><dt>Published for test</dt><dd>{{ data.published | value }}</dd></div>
{% else %}<div><dt>Measurements</dt><dd>{{ data.measurements | value }}</dd></div>
{% endif %}<div><dt>Left out</dt><dd>{{ data.excluded | value }}</dd></div>
</dl>
{% if data.exclusions %}<div class="scroll"><table data-table="exclusions"><caption>Records, and outcomes, that
were left
out.</caption><thead><tr><th scope="col">Record</th><th scope="col">Check</th><th scope="col">File</th><th
scope="col">Line</th><th scope="col">Why</th></tr></thead><tbody>
{% for one in data.exclusions[:limit] %}<tr><td>{{ one.record }}</td><td>{{ one.check }}</td><td><code>{{ one.file
}}</code></td><td>{{ one.line }}</td><td>{{ one.message }}</td></tr>
{% endfor %}</tbody></table></div>{% if data.excluded > data.exclusions | length %}<p class="fine">… and {{
data.excluded - data.exclusions | length }} more.</p>{% endif %}
{% else %}<p>Nothing was left out.</p>{% endif %}
{% if data.texts %}<p>{{ data.repeated | count("text") }} {{ "is" if data.repeated == 1 else "are" }} word for word the
same as one before; of those published for test {{ data.shared | value }} {{ "is" if data.shared == 1 else "are" }} the
same as one that is not. They are kept, as published.</p>
{% elif data.repeated %}<p>{{ data.repeated | count("measurement") }} of a parameter {{ "is" if data.repeated == 1
else
"are" }} of a time at which the record has one already: they are averaged, or added where they are volumes.</p>{%
endif %}
{% if implausible %}<details><summary>{{ total | count("value") }} that cannot be</summary><p>They are kept as
they were
published, and are missing to models and baselines. A descriptor that is unknown is among them.</p><div
class="scroll"><table class="numbers"><thead><tr><th scope="col">Parameter</th><th
scope="col">Values</th></tr></thead><tbody>
{% for name, many in implausible %}<tr><th scope="row">{{ name }}</th><td>{{ many | value }}</td></tr>
{% endfor %}</tbody></table></div></details>{% endif %}
"""


def build(_: ReportInputs, records: RecordsInputs) -> Section:
    """Counts, exclusions and implausible values."""
    data = records.data
    implausible = sorted(data.implausible.items(), key=lambda each: -each[1])
    html = markup.fill(
        _TEMPLATE,
        data=data,
        share=data.positives / data.records if data.records else 0.0,
        implausible=implausible,
        total=sum(data.implausible.values()),
        limit=_ROWS,
    )
    return Section("Data", html)
