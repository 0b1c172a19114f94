"""Forecast pictures beside the truth: a slider moves through what was given and then through what was forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.reports import maps, markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.reports.inputs import ReportInputs
    from pipeline.reports.movies_inputs import MoviesInputs

TITLE = "Forecast and truth"
COLOURS = "viridis"
_STRIP = 6
_TEMPLATE = """\
<p>Choose a movie and move the slider (arrow keys work): first through the {{ given | count("picture") }} that {{ "was"
if given == 1 else "were" }} given, then through the {{ asked | count("picture") }} that {{ "was" if asked == 1 else
"were" }} forecast.{% if rolled %} Each is forecast from the one before, which is itself a forecast.{% endif %}</p>
<div class="viewer" id="{{ key }}">
<div class="controls">
<label>Movie <select>{% for start in starts %}<option>{{ start.day }}</option>{% endfor %}</select></label>
<label class="lead">Picture <input type="range" min="0" max="{{ starts[0].frames | length - 1 }}" step="1" value="0"
 aria-valuetext="{{ starts[0].frames[0].label }}"></label>
<output aria-live="polite">{{ starts[0].frames[0].label }}</output></div>
<p class="note">{{ starts[0].frames[0].note }}</p>
{{ panels }}
<div class="bars">{{ scale.bar() }}</div>
<script type="application/json">{{ starts | tojson }}</script>
<noscript><p class="fine">The slider needs JavaScript; without it the first picture of the first movie is
shown.</p></noscript>
</div>
{% if strip %}<details open><summary>The first movie at a glance</summary><div class="scroll"><table
data-table="movies-strip"><thead><tr><th scope="col">Ahead</th>{% for lead in strip_leads %}<th scope="col">{{ lead
}}</th>{% endfor %}</tr></thead><tbody>
{% for label, cells in strip %}<tr><th scope="row">{{ label }}</th>{% for src, alt in cells %}<td><img class="still"
src="{{ src }}" alt="{{ alt }}" width="{{ wide }}" height="{{ high }}"></td>{% endfor %}</tr>
{% endfor %}</tbody></table></div></details>{% endif %}
"""


def build(_: ReportInputs, movies: MoviesInputs) -> Section:
    """The viewer, with every picture in the page, and one movie as a strip."""
    scores = movies.scores
    low, high = (float(each) for each in scores.attrs["shown"])
    label = str(scores.attrs["picture"])
    scale = maps.Scale(
        low,
        high,
        COLOURS,
        label[:1].upper() + label[1:] + (f" ({movies.units.strip()})" if movies.units else ""),
    )
    truth = scores.example_truth.values
    rows, columns = truth.shape[-2:]
    canvas = maps.Canvas(north_up=False, stride=1, aspect=columns / rows, xticks=[], yticks=[])
    verdict = movies.verdict
    forecasts = {markup.title(verdict.model): scores.example_model.values}
    if "example_best_rung" in scores:
        forecasts[markup.title(verdict.best_rung)] = scores.example_best_rung.values
    for rung in map(str, scores.reference.values):
        if f"example_rung_{rung}" in scores:
            forecasts[markup.title(rung)] = scores[f"example_rung_{rung}"].values
    plates = {"Truth": truth} | {f"Forecast: {name}": each for name, each in forecasts.items()}
    starts = [_start(movies, at, plates, scale) for at in range(scores.sizes["example"])]
    first = starts[0]["frames"][0]["pictures"]
    blank = np.full((rows, columns), np.nan)
    shown = [scores.example_history.values[0, 0], *(blank for _ in forecasts)]
    panels = [
        canvas.figure(title, values, scale, picture["alt"])
        for title, values, picture in zip(plates, shown, first, strict=True)
    ]
    chosen = _evenly(truth.shape[1])
    html = markup.fill(
        _TEMPLATE,
        key=f"{markup.slug(movies.name)}-player",
        given=scores.sizes["past"],
        asked=scores.sizes["lead_time"],
        rolled=movies.windows.learn == "next" and truth.shape[1] > 1,
        starts=starts,
        panels=canvas.row(panels),
        scale=scale,
        strip=[
            (title, [(scale.png(each[0, at]), _alt(title, each[0, at], movies)) for at in chosen])
            for title, each in plates.items()
        ],
        strip_leads=[movies.ahead(at + 1).removesuffix(" ahead") for at in chosen],
        wide=96,
        high=round(96 * rows / columns),
    )
    return Section(TITLE, html)


def _start(
    movies: MoviesInputs, at: int, plates: dict[str, NDArray[np.floating]], scale: maps.Scale
) -> dict[str, Any]:
    """A movie: its pictures in turn, as the page's script takes them."""
    scores, frames = movies.scores, []
    history = scores.example_history.values[at]
    nothing = {"src": scale.png(np.full((1, 1), np.nan)), "alt": "Nothing is forecast yet"}
    for number, picture in enumerate(history, start=1):
        given = {"src": scale.png(picture), "alt": _alt("Given", picture, movies)}
        label = f"given, {number} of {len(history)}"
        frames.append(
            {
                "label": label,
                "note": "What the forecasters see.",
                "pictures": [given, *(nothing for _ in range(len(plates) - 1))],
            }
        )
    truth = plates["Truth"][at]
    for lead in range(truth.shape[0]):
        pictures = [
            {"src": scale.png(each[at, lead]), "alt": _alt(title, each[at, lead], movies)}
            for title, each in plates.items()
        ]
        off = [
            f"{title.removeprefix('Forecast: ')} {markup.number(_rmse(each[at, lead], truth[lead]), 3)}{movies.units}"
            for title, each in plates.items()
            if title != "Truth"
        ]
        note = f"RMSE of the cells shown: {', '.join(off)}."
        frames.append({"label": movies.ahead(lead + 1), "note": note, "pictures": pictures})
    return {"day": str(scores.example.values[at]), "frames": frames}


def _evenly(leads: int) -> list[int]:
    """Places of at most six leads, the first and the last among them."""
    return sorted({round(float(at)) for at in np.linspace(0, leads - 1, min(_STRIP, leads))})


def _alt(title: str, values: NDArray[np.floating], movies: MoviesInputs) -> str:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return f"{title}: no values"
    low, high = (markup.number(float(each), 2) for each in (finite.min(), finite.max()))
    return f"{title}: {low} to {high}{movies.units}"


def _rmse(forecast: NDArray[np.floating], truth: NDArray[np.floating]) -> float | None:
    known = np.isfinite(truth) & np.isfinite(forecast)
    if not known.any():
        return None
    return float(np.sqrt(np.mean(np.square(forecast[known] - truth[known]))))
