"""The chain from the source files to this page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.reports import markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from pipeline.reports.inputs import RegionInputs, ReportInputs
    from pipeline.reports.movies_inputs import MoviesInputs
    from pipeline.reports.records_inputs import RecordsInputs

# The order of the chain; other facts follow below it.
_STEPS = {
    "sources": "Source files",
    "cube_snapshot": "Snapshot of the record",
    "fitted_sha256": "Fitted statistics, hash",
    "windows": "Windows",
    "steps": "Sequences of the records",
    "splits": "Splits",
    "model": "Model",
    "archive_snapshot": "Snapshot of the forecast archive",
    "scores_version": "Scores, version",
}
_TEMPLATE = """\
{% if steps %}<p>Each step names exactly what it was made from, so that any figure on this page can be
traced back to
the files it came from.{% if published %} <code>isotherm lineage</code> prints the same chain for a published
product.{% endif %}</p>
<ol class="chain">{% for label, facts in steps %}
<li><strong>{{ label }}</strong>{% for key, fact in facts %}<div>{% if key %}<span>{{ key }}</span> {% endif
%}<code>{{ fact }}</code></div>{% endfor %}</li>
{% endfor %}<li><strong>This report</strong><div>{{ generated }}, Isotherm {{ version }}</div></li></ol>
{% else %}<p>No lineage was recorded.</p>{% endif %}
{% if others %}<dl class="facts">{% for key, fact in others %}<div><dt>{{ key | forecaster
}}</dt><dd><code>{{ fact }}</code></dd></div>{% endfor %}</dl>{% endif %}
"""


def build(inputs: ReportInputs, region: RegionInputs | RecordsInputs | MoviesInputs) -> Section:
    """Steps in the order of the data's way, then what else the lineage says."""
    lineage = region.lineage
    steps = [(label, _facts(lineage[key])) for key, label in _STEPS.items() if lineage.get(key) is not None]
    others = [
        (f"{key} {inner}".strip(), fact)
        for key, thing in lineage.items()
        if key not in _STEPS
        for inner, fact in _facts(thing)
    ]
    html = markup.fill(
        _TEMPLATE,
        steps=steps,
        others=others,
        published=bool(inputs.regions),
        generated=inputs.generated_at.strftime("%Y-%m-%d %H:%M %Z").strip(),
        version=inputs.isotherm_version,
    )
    return Section("Lineage", html)


def _facts(thing: Any) -> list[tuple[str, str]]:
    if isinstance(thing, Mapping):
        return [(str(key).replace("_", " "), markup.value(fact)) for key, fact in thing.items()]
    return [("", markup.value(thing))]
