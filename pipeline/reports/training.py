"""How the model was trained: its losses by epoch, and what its card says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from pipeline.reports import charts, markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from markupsafe import Markup

    from pipeline.reports.base import RegionInputs, ReportInputs, TrainingHistory

_TEMPLATE = """\
{% if history and history.epochs %}<p>{{ history.epochs | length | count("epoch") }} in {{ time }}; the
weights of epoch
{{ history.best_epoch }} were kept{% if best %}, with a validation loss of {{ best.validation_loss | value
}}{% endif %}.</p>
<div class="charts"><figure><figcaption>Loss by epoch</figcaption>
<ul class="legend"><li><i style="background:var(--s0)"></i>Validation</li><li><i
style="background:var(--s6)"></i>Training</li></ul>
{{ loss }}</figure><figure><figcaption>Learning rate by epoch</figcaption>{{ rate }}</figure></div>
{% else %}<p>There is no training history: {% if card %}it was not kept{% else %}no model was trained for
this region{% endif %}.</p>{% endif %}
{% if card %}<h4>Model card</h4><dl class="facts">{% for label, fact in card.items() %}
<div><dt>{{ label | forecaster }}</dt><dd>{{ fact | value }}</dd></div>{% endfor %}</dl>{% endif %}
"""


def build(_: ReportInputs, region: RegionInputs) -> Section:
    """Loss and learning rate by epoch, and the facts of the card."""
    history, key = region.training, markup.slug(region.name)
    epochs = history.epochs if history else ()
    best = next((one for one in epochs if history and one.epoch == history.best_epoch), None)
    html = markup.fill(
        _TEMPLATE,
        history=history,
        best=best,
        time=duration(sum(one.seconds for one in epochs)),
        loss=_loss(history, key) if history and epochs else "",
        rate=_rate(history, key) if history and epochs else "",
        card=region.card,
    )
    return Section("Training", html)


def duration(seconds: float) -> str:
    """`42 s`, `7 min 5 s`, `1 h 2 min`."""
    if not math.isfinite(seconds):
        return "an unknown time"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _loss(history: TrainingHistory, key: str) -> Markup:
    figure, ax = charts.axes("Epoch", "Loss")
    epochs = [one.epoch for one in history.epochs]
    for values, colour, width in (
        ([one.loss for one in history.epochs], charts.SERIES[6], 1.5),
        ([one.validation_loss for one in history.epochs], charts.SERIES[0], 2.4),
    ):
        if np.isfinite(values).any():
            ax.plot(epochs, values, color=colour, linewidth=width, marker="o", markersize=3)
    ax.axvline(history.best_epoch, color=charts.INK, linewidth=1, linestyle=(0, (2, 2)))
    ax.annotate(
        "kept", (history.best_epoch, 1), xycoords=("data", "axes fraction"), xytext=(4, -9),
        textcoords="offset points", color=charts.INK, fontsize=9,
    )  # fmt: skip
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return charts.svg(
        figure, f"{key}-loss", "Training and validation loss by epoch, with the epoch that was kept"
    )


def _rate(history: TrainingHistory, key: str) -> Markup:
    figure, ax = charts.axes("Epoch", "Learning rate")
    rates = np.array([one.learning_rate for one in history.epochs], dtype=float)
    if np.isfinite(rates).any():
        ax.step(
            [one.epoch for one in history.epochs], rates, where="mid", color=charts.SERIES[0], linewidth=2
        )
        ax.set_ylim(0, float(np.nanmax(rates)) * 1.08 or 1.0)
        ax.yaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return charts.svg(figure, f"{key}-rate", "Learning rate by epoch")
