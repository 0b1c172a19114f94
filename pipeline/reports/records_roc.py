"""How well the probabilities tell the records with the label from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.evaluation.classification import roc
from pipeline.reports import charts, lines, markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from markupsafe import Markup

    from pipeline.reports.inputs import ReportInputs
    from pipeline.reports.records_inputs import RecordsInputs

_TEMPLATE = """\
<p>Records are called positive from some probability on. As that falls, more of those with the label are found,
and more
of the others are called so by mistake. A curve along the diagonal tells nothing apart; the area under it is the
AUC.
{{ found }}</p>
{{ legend }}
<div class="charts"><figure><figcaption>ROC curve</figcaption>{{ roc }}</figure><figure><figcaption>Precision and
recall</figcaption>{{ precision }}</figure></div>
"""


def build(_: ReportInputs, records: RecordsInputs) -> Section:
    """The curves of everyone, and what the model's says at one point."""
    scores, shown = records.scores, charts.looks_of(records)
    label = scores.label.values
    curves = {name: roc(label, scores.probability.sel(forecaster=name).values) for name in shown}
    false_rate, true_rate = curves[records.verdict.model]
    at = int(np.searchsorted(false_rate, 0.1, side="right")) - 1
    found = (
        f"The model finds {markup.percent(float(true_rate[at]), 0)} of the records with the label where it calls at "
        "most one in ten of the others so."
    )
    key = markup.slug(records.name)
    html = markup.fill(
        _TEMPLATE,
        found=found,
        legend=lines.legend({markup.title(name): look for name, look in shown.items()}),
        roc=_roc(curves, shown, f"{key}-roc"),
        precision=_precision(curves, shown, float(label.mean()), f"{key}-precision"),
    )
    return Section("Discrimination", html)


def _roc(curves: dict[str, tuple[np.ndarray, np.ndarray]], shown: dict[str, charts.Look], key: str) -> Markup:
    figure, ax = charts.axes("False positive rate", "True positive rate", height=4.0)
    ax.plot([0, 1], [0, 1], color=charts.INK, linewidth=1, linestyle=(0, (1, 2)))
    for name, (false_rate, true_rate) in reversed(curves.items()):
        look = shown[name]
        ax.plot(false_rate, true_rate, color=look.colour, linestyle=look.dash, linewidth=look.width)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.01)
    return charts.svg(
        figure, key, "True against false positive rate of each forecaster, above the diagonal of chance"
    )


def _precision(
    curves: dict[str, tuple[np.ndarray, np.ndarray]], shown: dict[str, charts.Look], share: float, key: str
) -> Markup:
    figure, ax = charts.axes("Recall", "Precision", height=4.0)
    for name, (false_rate, true_rate) in reversed(curves.items()):
        hits, alarms = share * true_rate[1:], (1 - share) * false_rate[1:]
        look = shown[name]
        ax.plot(
            true_rate[1:], hits / (hits + alarms), color=look.colour, linestyle=look.dash, linewidth=look.width,
            marker=look.marker if len(hits) == 1 else None,
        )  # fmt: skip
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.01)
    return charts.svg(figure, key, "Precision against recall of each forecaster")
