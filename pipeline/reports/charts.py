"""Line charts as inline SVG that takes its colours from the page: light, dark and print all read well."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup, escape
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.reports import markup, standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pipeline.reports.base import ReportInputs

# matplotlib writes these; the page's variables take their place. The first is the model's.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a07000", "#56b4e9", "#767676", "#332288")
INK, RULE = "#0a0b0c", "#0d0e0f"
_DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 1.5, 2)), (0, (4, 1.5, 1, 1.5, 1, 1.5)), (0, (1, 1.5)))
_MARKERS = ("o", "s", "^", "D", "v", "P")
_SAVE: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "isotherm", "font.family": "DejaVu Sans"}
_DROPPED = re.compile(
    r'<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<!--.*?-->|\sxmlns(?::\w+)?="[^"]*"', re.DOTALL
)
_USED = re.compile(r'(?:url\(#|href="#)([^")]+)')


@dataclass(frozen=True, slots=True)
class Look:
    """Colour, dash and marker of one forecaster, the same on the whole page."""

    index: int

    @property
    def colour(self) -> str:
        """The colour that matplotlib writes."""
        return SERIES[self.index % len(SERIES)]

    @property
    def dash(self) -> object:
        """A matplotlib line style."""
        return _DASHES[self.index % len(_DASHES)]

    @property
    def marker(self) -> str:
        """A matplotlib marker."""
        return _MARKERS[self.index % len(_MARKERS)]

    @property
    def width(self) -> float:
        """Points; the model's line is the strongest."""
        return 1.5 if self.index else 2.4

    @property
    def dasharray(self) -> str:
        """The dash as an SVG attribute."""
        dash = self.dash
        return " ".join(str(part * self.width) for part in dash[1]) if isinstance(dash, tuple) else "none"


def looks(inputs: ReportInputs) -> dict[str, Look]:
    """A look for each forecaster of any region; index 0 is kept for models."""
    ladder = dict.fromkeys(rung for region in inputs.regions for rung in standing.rungs(region.scores))
    found = {rung: Look(index) for index, rung in enumerate(ladder, start=1)}
    for region in inputs.regions:
        found |= {one: Look(0) for one in standing.forecasters(region.scores) if one not in ladder}
    return found


def axes(xlabel: str, ylabel: str, *, width: float = 5.2, height: float = 3.2) -> tuple[Figure, Axes]:
    """A figure of `width` × `height` inches with one quiet pair of axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    ax = figure.subplots()
    ax.set_xlabel(xlabel, color=INK)
    ax.set_ylabel(ylabel, color=INK)
    ax.patch.set_visible(False)
    ax.tick_params(colors=INK, length=3)
    ax.grid(axis="y", color=RULE, linewidth=0.8)
    ax.set_axisbelow(True)
    for side, spine in ax.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(INK)
    return figure, ax


def lead_axis(ax: Axes, days: Sequence[int]) -> None:
    """Whole days on the horizontal axis."""
    ax.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True, min_n_ticks=1))
    ax.set_xlim(min(days) - 0.4, max(days) + 0.4)


def draw(
    ax: Axes, days: Sequence[int], values: NDArray[np.floating], look: Look, *, strong: bool = True
) -> None:
    """One forecaster's line; nothing where it has no value."""
    if np.isfinite(values).any():
        ax.plot(
            days,
            values,
            color=look.colour,
            linestyle=look.dash,
            linewidth=look.width,
            marker=look.marker if strong else None,
            markersize=3.5 + (look.width > 2),
        )


def band(ax: Axes, days: Sequence[int], interval: xr.DataArray, look: Look) -> None:
    """The interval (…, bound) around a line."""
    low, high = (interval.sel(bound=bound).values for bound in ("low", "high"))
    if np.isfinite(low).any():
        ax.fill_between(days, low, high, color=look.colour, alpha=0.18, linewidth=0)


def zero(ax: Axes) -> None:
    """A line at zero, where neither side is ahead."""
    ax.axhline(0, color=INK, linewidth=1)


def svg(figure: Figure, key: str, label: str) -> Markup:
    """The figure as an inline `<svg>` element with an accessible `label`; `key` is unique on the page."""
    stream = io.StringIO()
    with mpl.rc_context(_SAVE):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    text = _DROPPED.sub("", stream.getvalue()).replace("xlink:href", "href").strip()
    text = _own_ids(text, key)
    text = re.sub(r"font: (?:\w+ )*?([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(
        r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf'<svg \1 role="img" aria-label="{escape(label)}">', text
    )
    text = text.replace(INK, "currentColor").replace(RULE, "var(--rule)")
    for index, colour in enumerate(SERIES):
        text = text.replace(colour, f"var(--s{index})")
    return Markup(re.sub(r"\n\s*", "\n", text))  # noqa: S704 (matplotlib escapes text, and the label is escaped)


def _own_ids(text: str, key: str) -> str:
    """Ids that something refers to get the figure's key, so that figures share a page; others go."""
    used = {found: f"{key}-{at}" for at, found in enumerate(dict.fromkeys(_USED.findall(text)))}
    text = re.sub(r'\sid="([^"]+)"', lambda m: f' id="{used[m[1]]}"' if m[1] in used else "", text)
    return _USED.sub(lambda m: m[0].replace(m[1], used[m[1]]), text)


def by_lead(
    metric: xr.DataArray,
    shown: Iterable[str],
    all_looks: dict[str, Look],
    *,
    ylabel: str,
    bands: xr.DataArray | None = None,
    size: tuple[float, float] = (5.2, 3.2),
    from_zero: bool = False,
) -> Figure:
    """Lines (forecaster, lead_time) against lead, with bands (forecaster, lead_time, bound) for the model."""
    figure, ax = axes("Lead (days)", ylabel, width=size[0], height=size[1])
    days = standing.lead_days(metric)
    for one in reversed(list(shown)):
        if bands is not None and all_looks[one].index == 0:
            band(ax, days, bands.sel(forecaster=one), all_looks[one])
        draw(ax, days, metric.sel(forecaster=one).values, all_looks[one])
    lead_axis(ax, days)
    if from_zero:
        ax.set_ylim(bottom=0)
    return figure


def legend(shown: Iterable[str], all_looks: dict[str, Look]) -> Markup:
    """The forecasters' line samples, as HTML."""
    return markup.fill(
        _LEGEND, entries=[(one, all_looks[one], _PATHS[all_looks[one].marker]) for one in shown]
    )


# Marker outlines on a 34 × 12 sample of the line, centred at (17, 6).
_PATHS = {
    "o": "M13.5 6a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",
    "s": "M14 3h6v6h-6z",
    "^": "M17 2.5l3.8 7h-7.6z",
    "D": "M17 2l4 4l-4 4l-4-4z",
    "v": "M17 9.5l3.8-7h-7.6z",
    "P": "M15.7 2.5h2.6v2.2h2.2v2.6h-2.2v2.2h-2.6v-2.2h-2.2v-2.6h2.2z",
}
_LEGEND = """\
<ul class="legend">{% for one, look, outline in entries %}
<li><svg viewBox="0 0 34 12" aria-hidden="true"><path d="M0 6H34" style="stroke:var(--s{{ look.index % 8 }});\
stroke-width:{{ look.width }};stroke-dasharray:{{ look.dasharray }}"/><path d="{{ outline }}"\
 style="fill:var(--s{{ look.index % 8 }})"/></svg>{{ one | forecaster }}</li>
{% endfor %}</ul>
"""
