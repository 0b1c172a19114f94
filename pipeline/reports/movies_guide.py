"""How to read the report of movies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.reports import markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from pipeline.reports.inputs import ReportInputs

_TEMPLATE = """\
<dl class="glossary">
<dt>Movie</dt><dd>Pictures of one size in unbroken order. Where a picture lacks, a new movie begins.</dd>
<dt>Window</dt><dd>A piece of one movie: the pictures that are given, and those after them that are forecast.</dd>
<dt>Lead</dt><dd>How many pictures after the last that was given.</dd>
{% if rolled %}<dt>Roll-out</dt><dd>A network that gives the next picture is given its own forecast as the next, and so
on. What it has understood of the movement shows in how long that goes well.</dd>
{% endif %}<dt>RMSE, MAE, MSE</dt><dd>Root of the mean square, mean size, and mean square of forecast less truth, over
all cells whose truth is known: lower is better.</dd>
<dt>Skill</dt><dd>1 − RMSE / RMSE of the baseline: 100% is perfect, 0 is no better, below is worse.</dd>
<dt>Interval</dt><dd>From a bootstrap: test movies, or blocks of windows where there are few movies, are drawn anew many
times. A difference is paired: both forecasters are scored on the same draws.</dd>
<dt>Promoted</dt><dd>The interval of the difference between the model's RMSE and that of the best baseline lies below
zero.</dd>
<dt>Baselines</dt><dd><b>Persistence</b>: the last picture stays; a cell that it lacks is as the nearest known one.{%
for name, what in others %} <b>{{ name | forecaster }}</b>: {{ what }}{% endfor %}</dd>
<dt>Validation loss</dt><dd>Of the pictures that are asked for in training{% if stepwise %}, one after each that is
given{% endif %}. It decides which epoch is kept{% if rolled %}, and is no measure of a roll-out{% endif %}.</dd>
</dl>
"""
_OTHERS = {
    "optical-flow": "each part of the last picture moves on as it moved before.",
}


def build(inputs: ReportInputs) -> Section:
    """Definitions."""
    rungs = {str(one) for movies in inputs.movies for one in movies.scores.reference.values}
    others = [(name, what) for name, what in _OTHERS.items() if name in rungs]
    stepwise = [movies.windows for movies in inputs.movies if movies.windows.learn == "next"]
    html = markup.fill(
        _TEMPLATE, others=others, stepwise=bool(stepwise), rolled=any(one.horizon > 1 for one in stepwise)
    )
    return Section("How to read this", html)
