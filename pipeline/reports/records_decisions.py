"""What follows where probabilities of at least one half are taken for yes, of all forecasters side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.evaluation.decisions import LONG_NAMES
from pipeline.reports import charts, markup
from pipeline.reports.base import Section
from pipeline.reports.training import duration

if TYPE_CHECKING:
    from markupsafe import Markup

    from pipeline.reports.inputs import ReportInputs
    from pipeline.reports.records_inputs import RecordsInputs

_NAMES = {"accuracy": "Accuracy", "precision": "Precision", "recall": "Recall", "f1": "F1"}
_TEMPLATE = """\
<p>Where a probability of at least one half is taken for yes, {{ first.name | name }} has the highest accuracy:
{{ first.accuracy | pct }} of the test records are called right. {% if apart %}An accuracy on the training records far
above that on the test records shows what was learned by heart.{% endif %}{% if known %} {{ reached }} of the
{{ known | length | count("model") }} of which others have published an accuracy {{ "reaches" if reached == 1 else
"reach" }} it.{% endif %}</p>
<div class="charts"><figure><figcaption>Accuracy on the test records, with its interval{% if known %}; ◇ as published
by others{% endif %}</figcaption>{{ chart }}</figure></div>
<div class="scroll" tabindex="0" role="region" aria-label="Decisions of everyone"><table class="numbers"
data-table="records-decisions">
<caption>On the same test records, with {{ level }} intervals of a bootstrap over records, the highest accuracy first;
the best of each column in bold. The scores hold the other intervals.</caption>
<thead><tr><th scope="col">Forecaster</th>{% for name, title in names.items() %}<th scope="col">{{ title
}}</th>{% if loop.first %}<th scope="col">Interval</th>{% endif %}{% endfor %}{% if known %}<th scope="col">Accuracy,
published</th>{% endif %}{% if apart %}<th scope="col">Accuracy, training</th>{% endif %}
<th scope="col">Parameters</th><th scope="col">Epochs</th><th scope="col">Trained in</th></tr></thead><tbody>
{% for row in rows %}<tr{% if row.name == judged %} class="judged"{% endif %}><th scope="row">{{ row.name | forecaster
}}{% if row.name == judged %} <small>judged</small>{% elif row.baseline %} <small>baseline</small>{% endif %}</th>
{% for name in names %}<td{% if row[name] == best[name] %} class="best"{% endif %}>{{ row[name] | num(3) }}</td>{% if
loop.first %}<td>{{ row[name + "_interval"] }}</td>{% endif %}{% endfor %}
{% if known %}<td>{{ row.published | num(3) }}</td>{% endif %}{% if apart %}<td>{{ row.train_accuracy | num(3)
}}</td>{% endif %}<td>{{ row.parameters | value }}</td><td>{{ row.epochs | value }}</td><td>{{ row.time }}</td></tr>
{% endfor %}</tbody></table></div>
"""


def build(_: ReportInputs, records: RecordsInputs) -> Section:
    """Accuracy, precision, recall and F1 of everyone, beside what others have published."""
    rows = sorted(_rows(records), key=lambda row: -row["accuracy"])
    known = [row for row in rows if math.isfinite(row["published"])]
    html = markup.fill(
        _TEMPLATE,
        rows=rows,
        first=rows[0],
        names=_NAMES,
        best={name: max((row[name] for row in rows), key=_or_less) for name in _NAMES},
        known=known,
        reached=sum(row["accuracy"] >= row["published"] for row in known),
        apart="train_accuracy" in records.scores,
        judged=records.verdict.model,
        level=f"{records.verdict.confidence:.0%}",
        chart=_chart(rows, f"{markup.slug(records.name)}-decisions"),
    )
    return Section("Decisions", html)


def _rows(records: RecordsInputs) -> list[dict[str, Any]]:
    scores, facts = records.scores, {one.name: one for one in records.models}
    found = []
    for name in map(str, scores.forecaster.values):
        here, model = scores.sel(forecaster=name), facts.get(name)
        row: dict[str, Any] = {"name": name, "baseline": name in scores.reference.values}
        for measure in LONG_NAMES:
            low, high = (float(each) for each in here[f"{measure}_interval"].values)
            row[measure] = float(here[measure])
            row[f"{measure}_bounds"] = (low, high)
            row[f"{measure}_interval"] = markup.interval(low, high, 3, sign=False)
        for key, variable in (("published", "accuracy_published"), ("train_accuracy", "train_accuracy")):
            row[key] = float(here[variable]) if variable in scores else math.nan
        row["parameters"] = model.parameters if model else None
        row["epochs"] = len(model.training.epochs) if model else None
        row["time"] = (
            duration(sum(each.seconds for each in model.training.epochs)) if model else markup.MISSING
        )
        found.append(row)
    return found


def _or_less(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def _chart(rows: list[dict[str, Any]], key: str) -> Markup:
    figure, ax = charts.axes("Accuracy", "", height=0.9 + 0.36 * len(rows))
    ax.grid(visible=False, axis="y")
    ax.grid(axis="x", color=charts.RULE, linewidth=0.8)
    for at, row in enumerate(reversed(rows)):
        colour = charts.SERIES[charts.QUIET if row["baseline"] else 0]
        ax.plot(row["accuracy_bounds"], [at, at], color=colour, linewidth=2)
        ax.plot([row["accuracy"]], [at], color=colour, marker="o", markersize=6)
        if math.isfinite(row["published"]):
            ax.plot(
                [row["published"]],
                [at],
                marker="D",
                markersize=7,
                color=charts.SERIES[1],
                markerfacecolor="none",
            )
    ax.set_yticks(np.arange(len(rows)), [markup.title(row["name"]) for row in reversed(rows)])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    return charts.svg(figure, key, "Accuracy of each forecaster with its interval, the highest above")
