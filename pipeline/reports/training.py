"""How the model was trained: its losses by epoch, and what its card says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from pipeline.reports import charts, markup, standing
from pipeline.reports.base import Section
from pipeline.reports.inputs import RegionInputs
from pipeline.reports.leads import Leads
from pipeline.reports.records_inputs import RecordsInputs

if TYPE_CHECKING:
    from markupsafe import Markup

    from pipeline.reports.inputs import ReportInputs, TrainingHistory
    from pipeline.reports.movies_inputs import MoviesInputs

_SMALL = (2.9, 2.3)
_MEASURES = {"loss": "Loss", "mae": "MAE", "accuracy": "Accuracy"}
_SHOWN = {"mae": "Mean absolute error by epoch", "accuracy": "Accuracy by epoch"}
_SEVERAL = """\
<p>{{ rows | length | count("model") }} on the same {{ what }}, in {{ time }} altogether. The dashed line is the epoch
whose weights were kept: that of the lowest validation loss.</p>
<ul class="legend"><li><i style="background:var(--s0)"></i>Validation</li><li><i
style="background:var(--s6)"></i>Training</li></ul>
<div class="charts small">{% for one, chart in rows %}<figure><figcaption>{{ one.name | forecaster }}</figcaption>{{
chart }}</figure>{% endfor %}</div>
{% for title, drawn in further %}<details{{ " open" if title == opened }}><summary>{{ title }}</summary><div
class="charts small">{% for name, chart in drawn %}<figure><figcaption>{{ name | forecaster }}</figcaption>{{ chart
}}</figure>{% endfor %}</div></details>{% endfor %}
<div class="scroll"><table class="numbers" data-table="models"><thead><tr><th scope="col">Model</th>
<th scope="col">Parameters</th><th scope="col">Epochs</th><th scope="col">Best epoch</th>
<th scope="col">Its validation loss</th>{% if errors %}<th scope="col">Its validation MAE</th>{% endif %}{% if right
%}<th scope="col">Its validation accuracy</th>{% endif %}
<th scope="col">Seconds an epoch</th></tr></thead><tbody>
{% for one, _ in rows %}<tr{% if loop.first %} class="judged"{% endif %}><th scope="row">{{ one.name | forecaster
}}{% if loop.first %} <small>judged</small>{% endif %}</th><td>{{ one.parameters | value }}</td><td>{{
one.training.epochs | length }}</td><td>{{ one.training.best_epoch }}</td>
<td>{{ one.training.best.validation_loss | num(4) }}</td>{% if errors %}<td>{{
one.training.best.validation_mae | num(4) }}</td>{% endif %}{% if right %}<td>{{
one.training.best.validation_accuracy | num(3) }}</td>{% endif %}<td>{{ one.training.pace | num(1) }}</td></tr>
{% endfor %}</tbody></table></div>
"""
_STACKING = """\
<p>The forecast of {{ model | name }} is drawn towards {{ rung | name }}: the network's weight is {% for weight, ahead
in weights %}{% if not loop.first %}{{ " and " if loop.last else ", " }}{% endif %}{{ weight | num }} {{ ahead
}} ahead{% endfor %}, and {{ rung | name }} has the rest. The weights leave the least squared error of out-of-fold
forecasts of the training windows, in {{ folds | count("fold") }} (stacked generalisation).</p>
"""
_CARD = """\
{% if card %}<h4>Model card{% if many %} of {{ many | name }}{% endif %}</h4><dl class="facts">{%
for label, fact in card.items() %}
<div><dt>{{ label | forecaster }}</dt><dd>{{ fact | value }}</dd></div>{% endfor %}</dl>{% endif %}
"""
_TEMPLATE = """\
{% if history and history.epochs %}<p>{{ history.epochs | length | count("epoch") }} in {{ time }}; the
weights of epoch
{{ history.best_epoch }} were kept{% if best %}, with a validation loss of {{ best.validation_loss | value
}}{% endif %}.</p>
<div class="charts"><figure><figcaption>Loss by epoch</figcaption>
<ul class="legend"><li><i style="background:var(--s0)"></i>Validation</li><li><i
style="background:var(--s6)"></i>Training</li></ul>
{{ loss }}</figure>{% if accuracy %}<figure><figcaption>Accuracy by epoch</figcaption>{{ accuracy }}</figure>{% endif
%}<figure><figcaption>Learning rate by epoch</figcaption>{{ rate }}</figure></div>
{% else %}<p>There is no training history: {% if card %}it was not kept{% else %}no model was trained for
this region{% endif %}.</p>{% endif %}
"""


def build(_: ReportInputs, region: RegionInputs | RecordsInputs | MoviesInputs) -> Section:
    """Losses by epoch of each model, and the facts of the judged one's card."""
    several = len(region.models) > 1
    facts = {label: fact for label, fact in region.card.items() if label != "stacking"}
    html = (
        (_several(region) if several else _one(region))
        + (_stacked(region) if isinstance(region, RegionInputs) else "")
        + markup.fill(_CARD, card=facts, many=region.models[0].name if several else "")
    )
    return Section("Training", html)


def _stacked(region: RegionInputs) -> Markup:
    """The weights of the judged model beside the rung that it is drawn towards, at the usual leads."""
    stacking = region.card.get("stacking")
    if not stacking:
        return markup.fill("")
    leads = Leads.of(region.scores)
    return markup.fill(
        _STACKING,
        model=standing.model_of(region),
        rung=stacking["with"],
        folds=stacking["folds"],
        weights=[(stacking["weights"][at], leads.ahead(at)) for at in leads.shown()],
    )


def _one(region: RegionInputs | RecordsInputs | MoviesInputs) -> Markup:
    history, key = region.training, markup.slug(region.name)
    epochs = history.epochs if history else ()
    return markup.fill(
        _TEMPLATE,
        history=history,
        best=history.best if history else None,
        card=region.card,
        time=duration(sum(one.seconds for one in epochs)),
        loss=_loss(history, key) if history and epochs else "",
        accuracy=_loss(history, key, measure="accuracy") if history and _has(history, "accuracy") else "",
        rate=_rate(history, key) if history and epochs else "",
    )


def _several(region: RegionInputs | RecordsInputs | MoviesInputs) -> Markup:
    rows = []
    further: dict[str, list[tuple[str, Markup]]] = {}
    for at, one in enumerate(region.models):
        key = f"{markup.slug(region.name)}-model-{at}"
        rows.append((one, _loss(one.training, key, size=_SMALL) if one.training.epochs else ""))
        for measure, title in _SHOWN.items():
            if _has(one.training, measure):
                drawn = _loss(one.training, key, size=_SMALL, measure=measure)
                further.setdefault(title, []).append((one.name, drawn))
    return markup.fill(
        _SEVERAL,
        rows=rows,
        what="records" if isinstance(region, RecordsInputs) else "windows",
        further=further.items(),
        opened=_SHOWN["accuracy"],
        errors=_SHOWN["mae"] in further,
        right=_SHOWN["accuracy"] in further,
        time=duration(sum(epoch.seconds for one in region.models for epoch in one.training.epochs)),
    )


def _has(history: TrainingHistory, measure: str) -> bool:
    return any(math.isfinite(getattr(epoch, f"validation_{measure}")) for epoch in history.epochs)


def duration(seconds: float) -> str:
    """`42 s`, `7 min 5 s`, `1 h 2 min`."""
    if not math.isfinite(seconds):
        return "an unknown time"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _loss(
    history: TrainingHistory, key: str, *, size: tuple[float, float] = (5.2, 3.2), measure: str = "loss"
) -> Markup:
    name = _MEASURES[measure]
    figure, ax = charts.axes("Epoch", name, width=size[0], height=size[1])
    epochs = [one.epoch for one in history.epochs]
    for values, colour, width in (
        ([getattr(one, measure) for one in history.epochs], charts.SERIES[6], 1.5),
        ([getattr(one, f"validation_{measure}") for one in history.epochs], charts.SERIES[0], 2.4),
    ):
        if np.isfinite(values).any():
            ax.plot(epochs, values, color=colour, linewidth=width, marker="o", markersize=3)
    ax.axvline(history.best_epoch, color=charts.INK, linewidth=1, linestyle=(0, (2, 2)))
    ax.annotate(
        "kept", (history.best_epoch, 1), xycoords=("data", "axes fraction"), xytext=(4, -9),
        textcoords="offset points", color=charts.INK, fontsize=9,
    )  # fmt: skip
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    label = f"Training and validation {name} by epoch, with the epoch that was kept"
    return charts.svg(figure, f"{key}-{measure}", label)


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
