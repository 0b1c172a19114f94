"""Whether the probabilities mean what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.reports import charts, lines, markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from markupsafe import Markup

    from pipeline.reports.inputs import ReportInputs
    from pipeline.reports.records_inputs import RecordsInputs

_TEMPLATE = """\
<p>Test records in {{ rows | length | count("group") }} of about the same size, from the lowest to the highest
probability that the model gave. Where the share that had the label is the mean probability of the group,
probabilities
mean what they say, and the curve lies on the diagonal.</p>
{{ legend }}
<div class="charts"><figure><figcaption>Reliability curve</figcaption>{{ curve
}}</figure><figure><figcaption>Probabilities
of the model</figcaption>{{ spread }}</figure></div>
<details><summary>The groups of {{ model | name }}</summary><div class="scroll"><table class="numbers"
data-table="records-calibration"><thead><tr><th scope="col">Group</th><th scope="col">Records</th><th
scope="col">Mean
probability</th><th scope="col">Share with the label</th></tr></thead><tbody>
{% for row in rows %}<tr><th scope="row">{{ loop.index }}</th><td>{{ row.count }}</td><td>{{ row.forecast | num(3)
}}</td><td>{{ row.observed | num(3) }}</td></tr>
{% endfor %}</tbody></table></div></details>
"""
_BINS = 25


def build(_: ReportInputs, records: RecordsInputs) -> Section:
    """Reliability curve of the model and of the best rung, and where the model's probabilities lie."""
    verdict, key = records.verdict, markup.slug(records.name)
    shown = {
        name: look
        for name, look in charts.looks_of(records).items()
        if name in (verdict.model, verdict.best_rung)
    }
    shown = dict(sorted(shown.items(), key=lambda each: each[1].index))
    model = records.scores.sel(forecaster=verdict.model)
    rows: list[dict[str, Any]] = [
        {"forecast": float(forecast), "observed": float(observed), "count": int(count)}
        for forecast, observed, count in zip(
            model.calibration_forecast.values,
            model.calibration_observed.values,
            model.calibration_count.values,
            strict=True,
        )
    ]
    html = markup.fill(
        _TEMPLATE,
        model=verdict.model,
        rows=rows,
        legend=lines.legend({markup.title(name): look for name, look in shown.items()}),
        curve=_curve(records, shown, f"{key}-reliability"),
        spread=_spread(records, f"{key}-probabilities"),
    )
    return Section("Calibration", html)


def _curve(records: RecordsInputs, shown: dict[str, charts.Look], key: str) -> Markup:
    figure, ax = charts.axes("Mean probability of the group", "Share with the label", height=4.0)
    most = 0.0
    for name, look in reversed(shown.items()):
        here = records.scores.sel(forecaster=name)
        forecast, observed = here.calibration_forecast.values, here.calibration_observed.values
        most = max(most, float(forecast.max()), float(observed.max()))
        ax.plot(
            forecast, observed, color=look.colour, linestyle=look.dash, linewidth=look.width, marker=look.marker,
            markersize=4,
        )  # fmt: skip
    most = min(1.0, 1.1 * most)
    ax.plot([0, most], [0, most], color=charts.INK, linewidth=1, linestyle=(0, (1, 2)))
    ax.set_xlim(0, most)
    ax.set_ylim(0, most)
    return charts.svg(figure, key, "Share with the label against mean probability, beside the diagonal")


def _spread(records: RecordsInputs, key: str) -> Markup:
    figure, ax = charts.axes("Probability", "Records", height=4.0)
    given = records.scores.probability.sel(forecaster=records.verdict.model).values
    label = records.scores.label.values > 0
    edges = np.linspace(0, 1, _BINS + 1)
    for some, colour in ((given[~label], charts.SERIES[charts.QUIET]), (given[label], charts.SERIES[1])):
        ax.stairs(np.histogram(some, edges)[0], edges, color=colour, linewidth=1.8)
    ax.set_xlim(0, 1)
    ax.annotate(
        "without the label",
        (0.97, 0.95),
        xycoords="axes fraction",
        ha="right",
        color=charts.SERIES[charts.QUIET],
    )
    ax.annotate("with the label", (0.97, 0.88), xycoords="axes fraction", ha="right", color=charts.SERIES[1])
    return charts.svg(figure, key, "How many records have which probability, without and with the label")
