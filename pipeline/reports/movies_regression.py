"""The regression table of movies: of each cell, and in the mean of the cells, of the model and of the baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.evaluation.regression import STATISTICS
from pipeline.reports import markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from pipeline.reports.inputs import ReportInputs
    from pipeline.reports.movies_inputs import MoviesInputs

_TEMPLATE = """\
<p>Over all {{ pictures }} of the test movies{% if leads > 1 %}, of the first picture ahead{% endif %}, cell by cell.
RSE is the squared errors over the squared departures of the truth from its own mean, PC Pearson’s correlation, R² one
less the RSE. These three compare with the mean of a cell over everything that was tested on: where that holds warm and
cold seas and all seasons, whoever repeats the newest picture has an R² near one. What a forecast is worth is
told by its RMSE beside that of {{ best | name }}{% if better is
not none %}, below which the model is in {{ better }} of {{ cells | length }} cells{% endif %}.</p>
{% for each in others %}<p>{{ each.name | forecaster }} {{ "has a lower RMSE than" if each.rmse < each.rung else "does
not come up to" }} {{ best | name }}: {{ each.rmse | num(4) }} against {{ each.rung | num(4) }}{{ unit }}.</p>
{% endfor %}
<div class="scroll" tabindex="0" role="region" aria-label="Means over cells"><table class="numbers"
data-table="movies-regression">
<caption>Means over the {{ cells | length }} cells, with {{ level }} intervals; the best of each column in bold. The
RMSE here is a mean of roots.</caption>
<thead><tr><th scope="col">Forecaster</th>{% for heading in headings %}<th scope="col">{{ heading }}</th>{% endfor
%}</tr></thead><tbody>
{% for row in means %}<tr{% if row.name == model %} class="judged"{% endif %}><th scope="row">{{ row.name | forecaster
}}</th>{% for cell in row.cells %}<td{% if cell.best %} class="best"{% endif %}>{{ cell.value | num(4) }}<br><small>{{
cell.interval }}</small></td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
{% if groups %}<div class="scroll"><table class="numbers" data-table="movies-groups">
<caption>RMSE{{ units }} in each part, and the model’s skill over {{ best | name }} there, with {{ level }}
intervals, each from windows of that part alone{% if short %}; a dash where it has too few of them to draw
from{% endif %}</caption>
<thead><tr><th scope="col">Part</th>{% for name in names %}<th scope="col">{{ name | forecaster }}</th>{% endfor %}<th
scope="col">Skill</th><th scope="col">Interval</th></tr></thead><tbody>
{% for row in groups %}<tr><th scope="row">{{ row.name }}</th>{% for value in row.cells %}<td{% if value == row.least
%} class="best"{% endif %}>{{ value | num(4) }}</td>{% endfor %}<td>{{ row.skill | pct(1, sign=true) }}</td><td>{{
row.interval }}</td></tr>
{% endfor %}</tbody></table></div>{% endif %}
<details><summary>Each cell, of {{ model | name }} and of {{ best | name }}</summary><div class="scroll"><table
class="numbers" data-table="movies-cells"><thead><tr><th scope="col" rowspan="2">Row</th><th scope="col"
rowspan="2">Column</th><th scope="colgroup" colspan="{{ headings | length }}">{{ model | forecaster }}</th><th
scope="colgroup" colspan="{{ headings | length }}">{{ best | forecaster }}</th></tr><tr>{% for _ in "12" %}{% for
heading in headings %}<th scope="col">{{ heading }}</th>{% endfor %}{% endfor %}</tr></thead><tbody>
{% for row in cells %}<tr><th scope="row">{{ row.y }}</th><td>{{ row.x }}</td>{% for value in row.cells %}<td>{{ value
| num(4) }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div></details>
"""


def has_table(movies: MoviesInputs) -> bool:
    """For movies that were scored by the group `regression`."""
    return "mean_mse" in movies.scores


def build(_: ReportInputs, movies: MoviesInputs) -> Section:
    """The means with intervals, the parts where there are any, and every cell."""
    scores, verdict = movies.scores.isel(lead_time=0), movies.verdict
    names = [str(name) for name in scores.forecaster.values]
    pair = (verdict.model, verdict.best_rung)
    rmse = [scores.cell_rmse.sel(forecaster=name).values for name in pair]
    html = markup.fill(
        _TEMPLATE,
        pictures=markup.count(
            verdict.windows * (movies.windows.history if _stepwise(movies) else 1), "forecast"
        ),
        leads=verdict.leads,
        model=verdict.model,
        best=verdict.best_rung,
        better=int((rmse[0] < rmse[1]).sum()) if np.isfinite(rmse).any() else None,
        level=f"{verdict.confidence:.0%}",
        headings=[heading for heading, _ in STATISTICS.values()],
        names=names,
        means=[_means(movies, name, names) for name in names],
        groups=(groups := _groups(movies, names)),
        short=any(row["interval"] == markup.MISSING for row in groups),
        cells=_cells(movies, pair),
        others=[
            {
                "name": name,
                "rmse": float(scores.rmse_pooled.sel(forecaster=name)),
                "rung": float(scores.rmse_pooled.sel(forecaster=verdict.best_rung)),
            }
            for name in names
            if name != verdict.model and name not in scores.reference.values
        ],
        unit=movies.units,
        units=f" ({movies.units.strip()})" if movies.units else "",
    )
    return Section("Cell by cell", html)


def _stepwise(movies: MoviesInputs) -> bool:
    return movies.windows.judged == "each-step"


def _means(movies: MoviesInputs, name: str, names: list[str]) -> dict[str, Any]:
    scores = movies.scores.isel(lead_time=0)
    cells = []
    for statistic in STATISTICS:
        every = scores[f"mean_{statistic}"]
        value = float(every.sel(forecaster=name))
        best = float(every.max() if statistic in ("pc", "r2") else every.min())
        low, high = (float(each) for each in scores[f"mean_{statistic}_interval"].sel(forecaster=name).values)
        shown = markup.interval(low, high, 4, sign=False)
        cells.append({"value": value, "best": len(names) > 1 and value == best, "interval": shown})
    return {"name": name, "cells": cells}


def _groups(movies: MoviesInputs, names: list[str]) -> list[dict[str, Any]]:
    scores = movies.scores
    if "group_rmse" not in scores:
        return []
    rows = []
    for group in map(str, scores.group.values):
        values = [float(scores.group_rmse.sel(forecaster=name, group=group)) for name in names]
        skill = scores.sel(group=group, reference=movies.verdict.best_rung)
        low, high = (float(each) for each in skill.group_skill_interval.values)
        rows.append(
            {
                "name": group,
                "cells": values,
                "least": min(values),
                "skill": float(skill.group_skill),
                "interval": markup.percent_interval((low, high)),
            }
        )
    return rows


def _cells(movies: MoviesInputs, pair: tuple[str, str]) -> list[dict[str, Any]]:
    scores = movies.scores.isel(lead_time=0)
    columns = [
        scores[f"cell_{statistic}"].sel(forecaster=name).values for name in pair for statistic in STATISTICS
    ]
    rows, across = columns[0].shape
    return [
        {"y": y + 1, "x": x + 1, "cells": [float(column[y, x]) for column in columns]}
        for y in range(rows)
        for x in range(across)
    ]
