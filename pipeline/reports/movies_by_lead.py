"""How the errors of forecast pictures grow with the lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from pipeline.reports import charts, lines, markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from markupsafe import Markup

    from pipeline.reports.inputs import ReportInputs
    from pipeline.reports.movies_inputs import MoviesInputs

_TEMPLATE = """\
<p>{{ told }}</p>
{{ legend }}
<div class="charts"><figure><figcaption>RMSE by lead</figcaption>{{ rmse }}</figure><figure><figcaption>MAE by
lead</figcaption>{{ mae }}</figure></div>
<details><summary>RMSE of everyone at each lead</summary><div class="scroll"><table class="numbers"
data-table="movies-by-lead"><thead><tr><th scope="col">Lead</th>{% for name in names %}<th scope="col">{{ name |
forecaster }}</th>{% endfor %}</tr></thead><tbody>
{% for lead, cells in rows %}<tr><th scope="row">{{ lead }}</th>{% for value, best in cells %}<td{%
if best %} class="best"{% endif %}>{{ value | num(4) }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div></details>
"""


def build(_: ReportInputs, movies: MoviesInputs) -> Section:
    """Curves with the model's interval, and the table behind them."""
    scores, shown = movies.scores, charts.looks_of(movies)
    names = [str(name) for name in scores.forecaster.values]
    leads = [int(lead) for lead in scores.lead_time.values]
    rows = []
    for lead in leads:
        values = [float(scores.rmse.sel(forecaster=name, lead_time=lead)) for name in names]
        rows.append((movies.ahead(lead), [(value, value == min(values)) for value in values]))
    rolled = movies.windows.learn == "next" and len(leads) > 1
    told = (
        "The network forecasts one picture and is then given its own forecast as if it had been seen, again and again: "
        "its errors add up."
        if rolled
        else "All pictures are forecast at once."
        if len(leads) > 1
        else "One picture is forecast."
    )
    key = markup.slug(movies.name)
    html = markup.fill(
        _TEMPLATE,
        told=told,
        legend=lines.legend({markup.title(name): look for name, look in shown.items()}),
        rmse=curve(movies, "rmse", "RMSE", f"{key}-rmse"),
        mae=curve(movies, "mae", "MAE", f"{key}-mae"),
        names=names,
        rows=rows,
    )
    return Section("By lead", html)


def curve(movies: MoviesInputs, measure: str, label: str, key: str) -> Markup:
    """A measure (forecaster, lead_time) of everyone against lead, with the interval of the model."""
    scores, shown = movies.scores, charts.looks_of(movies)
    units = f" ({movies.units.strip()})" if movies.units else ""
    figure, ax = charts.axes("Pictures ahead", f"{label}{units}")
    leads = [float(lead) for lead in scores.lead_time.values]
    for name in reversed(list(map(str, scores.forecaster.values))):
        if shown[name].index == 0:
            charts.band(ax, leads, scores[f"{measure}_interval"].sel(forecaster=name), shown[name])
        charts.draw(ax, leads, scores[measure].sel(forecaster=name).values, shown[name])
    ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    ax.set_ylim(bottom=0)
    return charts.svg(figure, key, f"{label} of each forecaster by lead")
