"""Which probabilities each model gives, to the training and to the test records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.reports import charts, markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from markupsafe import Markup
    from numpy.typing import NDArray

    from pipeline.reports.inputs import ReportInputs
    from pipeline.reports.records_inputs import RecordsInputs

_BINS = 20
_SMALL = (2.9, 2.2)
_TEMPLATE = """\
<p>How large a share of the records has which probability. Where the two curves lie apart, the model tells the records
apart; where training is told apart better than test, it has learned by heart.</p>
<ul class="legend"><li><i style="background:var(--s1)"></i>With the label</li><li><i
style="background:var(--s6)"></i>Without</li></ul>
<div class="charts small">{% for name, split in pairs %}{% for title, chart in split %}<figure><figcaption>{{ name |
forecaster }}, {{ title | lower }}</figcaption>{{ chart }}</figure>{% endfor %}{% endfor %}</div>
"""


def build(_: ReportInputs, records: RecordsInputs) -> Section:
    """Histograms of each model, of training and of test."""
    scores, key = records.scores, markup.slug(records.name)
    models = [str(one) for one in scores.forecaster.values if one not in scores.reference.values]
    pairs = []
    for at, name in enumerate(models):
        here = scores.sel(forecaster=name)
        split = [("Test", here.probability.values, scores.label.values)]
        if "train_probability" in scores:
            split.insert(0, ("Training", here.train_probability.values, scores.train_label.values))
        drawn = [
            (title, _histogram(given, label > 0, f"{key}-histogram-{at}-{title.lower()}", name, title))
            for title, given, label in split
        ]
        pairs.append((name, drawn))
    return Section("Probabilities", markup.fill(_TEMPLATE, pairs=pairs))


def _histogram(
    given: NDArray[np.floating], label: NDArray[np.bool_], key: str, name: str, title: str
) -> Markup:
    figure, ax = charts.axes("Probability", "Share", width=_SMALL[0], height=_SMALL[1])
    edges = np.linspace(0, 1, _BINS + 1)
    for some, colour in ((given[~label], charts.SERIES[charts.QUIET]), (given[label], charts.SERIES[1])):
        ax.stairs(np.histogram(some, edges)[0] / max(len(some), 1), edges, color=colour, linewidth=1.8)
    ax.set_xlim(0, 1)
    ax.set_ylim(0)
    told = f"Shares of {title.lower()} records by the probability of {markup.name(name)}, with and without the label"
    return charts.svg(figure, key, told)
