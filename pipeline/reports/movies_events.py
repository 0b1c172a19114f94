"""Whether rain is where it was forecast: events cell by cell and within neighbourhoods, by lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from pipeline.naming import symbol
from pipeline.reports import charts, lines, markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    import xarray as xr
    from markupsafe import Markup
    from numpy.typing import NDArray

    from pipeline.reports.inputs import ReportInputs
    from pipeline.reports.movies_inputs import MoviesInputs

    Curve = tuple[NDArray[np.floating], xr.DataArray]

TITLE = "Events"
MEASURES = {
    "csi": "Critical success index",
    "pod": "Probability of detection",
    "far": "False alarm ratio",
}
NEAR = 5.0
"""Side in cells of the neighbourhoods whose fractions are drawn by lead."""
_TEMPLATE = """\
<p>An event is a cell of at least a threshold. Of all that was forecast or seen, the critical success index (CSI) is the
share that was both; the probability of detection (POD) is the share of the seen that was forecast, and the false alarm
ratio (FAR) the share of the forecast that was not seen. A near miss counts twice there, as a miss and as a false alarm;
the fractions skill score (FSS) compares shares of neighbourhoods instead, and forgives what they are wider than.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Events over all leads"><table class="numbers"
data-table="movies-events">
<caption>Over all leads, with {{ level }} intervals of a bootstrap over {{ drawn }}. A dash stands where there was no
such event, or no interval can be told.</caption>
<thead><tr><th scope="col">Threshold</th><th scope="col">Forecaster</th>{% for name in short %}<th scope="col">{{ name
}}</th><th scope="col">Interval</th>{% endfor %}</tr></thead><tbody>
{% for row in rows %}<tr{% if row.judged %} class="judged"{% endif %}><th scope="row">{{ row.threshold }}</th><td>{{
row.name | forecaster }}</td>
{% for value, interval, best in row.cells %}<td{% if best %} class="best"{% endif %}>{{ value }}</td><td>{{ interval
}}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
{{ legend }}
{% for name, figures in by_lead %}<h4>{{ name }}</h4>
<div class="charts">{% for caption, figure in figures %}<figure><figcaption>{{ caption }}</figcaption>{{ figure
}}</figure>{% endfor %}</div>
{% endfor %}
{% for told, figures in fractions %}<h4>Fractions skill score {{ told }}</h4>
<div class="charts">{% for caption, figure in figures %}<figure><figcaption>{{ caption }}</figcaption>{{ figure
}}</figure>{% endfor %}</div>
{% endfor %}
"""


def has_events(movies: MoviesInputs) -> bool:
    """For movies that were scored by events."""
    return "csi" in movies.scores


def build(_: ReportInputs, movies: MoviesInputs) -> Section:
    """The table over all leads, and the curves."""
    scores = movies.scores
    thresholds = [float(each) for each in scores.threshold.values]
    html = markup.fill(
        _TEMPLATE,
        level=f"{float(scores.attrs['confidence']):.0%}",
        drawn=scores.attrs["drawn"],
        short=[name.upper() for name in MEASURES],
        rows=[row for each in thresholds for row in _rows(movies, each)],
        legend=lines.legend({markup.title(name): look for name, look in charts.looks_of(movies).items()}),
        by_lead=[
            (told, [(_caption(movies, each), _by_lead(movies, name, each)) for each in thresholds])
            for name, told in MEASURES.items()
        ],
        fractions=_fractions(movies, thresholds) if "fss" in scores else [],
    )
    return Section(TITLE, html)


def _rows(movies: MoviesInputs, threshold: float) -> list[dict[str, object]]:
    chosen = movies.scores.sel(threshold=threshold)
    best = {
        name: (np.nanmin if name == "far" else np.nanmax)(chosen[f"{name}_pooled"].values)
        if np.isfinite(chosen[f"{name}_pooled"].values).any()
        else np.nan
        for name in MEASURES
    }
    rows: list[dict[str, object]] = []
    for forecaster in map(str, movies.scores.forecaster.values):
        cells = []
        for name in MEASURES:
            value = float(chosen[f"{name}_pooled"].sel(forecaster=forecaster))
            low, high = map(float, chosen[f"{name}_pooled_interval"].sel(forecaster=forecaster).values)
            interval = markup.interval(low, high, 3, sign=False)
            cells.append((markup.number(value, 3), interval, value == best[name]))
        rows.append(
            {
                "threshold": _caption(movies, threshold),
                "name": forecaster,
                "judged": forecaster == movies.verdict.model,
                "cells": cells,
            }
        )
    return rows


def _by_lead(movies: MoviesInputs, measure: str, threshold: float) -> Markup:
    """A measure of everyone against lead, with the interval of the model."""
    chosen = movies.scores[[measure, f"{measure}_interval"]].sel(threshold=threshold)
    leads = [float(lead) for lead in movies.scores.lead_time.values]
    drawn = {
        name: (
            chosen[measure].sel(forecaster=name).values,
            chosen[f"{measure}_interval"].sel(forecaster=name),
        )
        for name in map(str, movies.scores.forecaster.values)
    }
    return _curves(movies, drawn, leads, "Pictures ahead", f"{measure}-{threshold:g}", MEASURES[measure])


def _fractions(movies: MoviesInputs, thresholds: list[float]) -> list[tuple[str, list[tuple[str, Markup]]]]:
    scores = movies.scores
    names = list(map(str, scores.forecaster.values))
    defined = np.isfinite(scores.fss_pooled).any(["forecaster", "threshold"]).values
    fits = [float(each) for each in scores.scale.values[defined]]
    by_scale, near = [], []
    for threshold in thresholds:
        chosen = scores.sel(threshold=threshold)
        pooled = chosen.sel(scale=fits)
        drawn = {
            name: (
                pooled.fss_pooled.sel(forecaster=name).values,
                pooled.fss_pooled_interval.sel(forecaster=name),
            )
            for name in names
        }
        caption = _caption(movies, threshold)
        figure = _curves(
            movies, drawn, fits, "Side of the neighbourhood, cells", f"fss-scale-{threshold:g}", "FSS"
        )
        by_scale.append((caption, figure))
        if NEAR in fits:
            at = chosen.sel(scale=NEAR)
            drawn = {
                name: (at.fss.sel(forecaster=name).values, at.fss_interval.sel(forecaster=name))
                for name in names
            }
            leads = [float(lead) for lead in scores.lead_time.values]
            near.append(
                (caption, _curves(movies, drawn, leads, "Pictures ahead", f"fss-{threshold:g}", "FSS"))
            )
    told = [("by scale, over all leads", by_scale)]
    return [*told, (f"by lead, of neighbourhoods of {NEAR:g} × {NEAR:g} cells", near)] if near else told


def _curves(
    movies: MoviesInputs, drawn: dict[str, Curve], at: list[float], across: str, key: str, label: str
) -> Markup:
    shown = charts.looks_of(movies)
    figure, ax = charts.axes(across, label, width=4.0, height=2.8)
    for name in reversed(list(drawn)):
        values, interval = drawn[name]
        if shown[name].index == 0 and np.isfinite(interval.values).any():
            charts.band(ax, at, interval, shown[name])
        charts.draw(ax, at, values, shown[name])
    ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    ax.set_ylim(0, 1)
    return charts.svg(figure, f"{markup.slug(movies.name)}-{key}", f"{label} of each forecaster")


def _caption(movies: MoviesInputs, threshold: float) -> str:
    return f"At least {threshold:g} {symbol(str(movies.scores.attrs['units']))}".strip()
