"""How the network of movies was trained, beside the course that others published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from pipeline.reports import charts, markup, training
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from markupsafe import Markup

    from pipeline.movies.published import PublishedCurve
    from pipeline.reports.inputs import ReportInputs, TrainingHistory
    from pipeline.reports.movies_inputs import MoviesInputs

_TEMPLATE = """\
<h4>Beside what was published</h4>
<p>Validation losses of {{ published.source }}.{% if published.note %} {{ published.note }}{% endif %}</p>
<ul class="legend"><li><i style="background:var(--s0)"></i>Validation, here</li><li><i
style="background:var(--s1)"></i>Published</li></ul>
<div class="charts"><figure><figcaption>Validation loss by epoch</figcaption>{{ chart }}</figure></div>
<div class="scroll"><table class="numbers" data-table="published"><thead><tr><th scope="col">Epoch</th><th
scope="col">Published</th><th scope="col">Here</th></tr></thead><tbody>
{% for epoch, theirs, ours in rows %}<tr><th scope="row">{{ epoch }}</th><td>{{ theirs | value }}</td><td>{{ ours |
value }}</td></tr>
{% endfor %}</tbody></table></div>
"""


def build(inputs: ReportInputs, movies: MoviesInputs) -> Section:
    """What every kind tells of its training, and the published curve."""
    usual = training.build(inputs, movies)
    published, history = movies.published, movies.training
    if published is None or history is None or not history.epochs:
        return usual
    ours = {one.epoch: one.validation_loss for one in history.epochs}
    html = markup.fill(
        _TEMPLATE,
        published=published,
        chart=_chart(published, history, f"{markup.slug(movies.name)}-published"),
        rows=[
            (epoch, loss, ours.get(epoch))
            for epoch, loss in zip(published.epochs, published.validation_loss, strict=True)
        ],
    )
    return Section(usual.title, f"{usual.html}\n{html}")


def _chart(published: PublishedCurve, history: TrainingHistory, key: str) -> Markup:
    figure, ax = charts.axes("Epoch", "Validation loss")
    ax.plot(
        published.epochs,
        published.validation_loss,
        color=charts.SERIES[1],
        linewidth=1.5,
        marker="s",
        markersize=4,
    )
    ax.plot(
        [one.epoch for one in history.epochs],
        [one.validation_loss for one in history.epochs],
        color=charts.SERIES[0],
        linewidth=2.4,
        marker="o",
        markersize=3,
    )
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return charts.svg(figure, key, "Validation loss by epoch, here and as published, on a logarithmic axis")
