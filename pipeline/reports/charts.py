"""Line charts as inline SVG that takes its colours from the page: light, dark and print all read well."""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup, escape
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator
from scipy.optimize import isotonic_regression

from pipeline.reports import markup, standing
from pipeline.reports.leads import Leads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pipeline.reports.collection_inputs import CollectionInputs
    from pipeline.reports.inputs import RegionInputs, ReportInputs

# matplotlib writes these; the page's variables take their place. The first is the model's.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a07000", "#56b4e9", "#767676", "#332288")
QUIET = 6
INK, RULE = "#0a0b0c", "#0d0e0f"
_DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 1.5, 2)), (0, (4, 1.5, 1, 1.5, 1, 1.5)), (0, (1, 1.5)))
_QUARTER = 6  # hours
_MARKED = 14  # markers on a line at most, about
_LINE, _SMALL = 10.5, 8  # points from line to line of small text, and its size
_MARKERS = ("o", "s", "^", "D", "v", "P")
_SAVE: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "isotherm", "font.family": "DejaVu Sans"}
_DROPPED = re.compile(
    r'<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<!--.*?-->|\sxmlns(?::\w+)?="[^"]*"', re.DOTALL
)
_USED = re.compile(r'(?:url\(#|href="#)([^")]+)')


@dataclass(frozen=True, slots=True)
class Look:
    """Colour, dash and marker of one forecaster, the same on the whole page; a quiet one is thin and grey."""

    index: int
    quiet: bool = False

    @property
    def colour(self) -> str:
        """The colour that matplotlib writes."""
        return SERIES[QUIET] if self.quiet else SERIES[self.index % len(SERIES)]

    @property
    def dash(self) -> object:
        """A matplotlib line style."""
        return "-" if self.quiet else _DASHES[self.index % len(_DASHES)]

    @property
    def marker(self) -> str:
        """A matplotlib marker."""
        return _MARKERS[self.index % len(_MARKERS)]

    @property
    def width(self) -> float:
        """Points; the model's line is the strongest."""
        if self.quiet:
            return 0.9
        return 1.5 if self.index else 2.4

    @property
    def dasharray(self) -> str:
        """The dash as an SVG attribute."""
        dash = self.dash
        return " ".join(str(part * self.width) for part in dash[1]) if isinstance(dash, tuple) else "none"


def looks(inputs: ReportInputs, region: RegionInputs) -> dict[str, Look]:
    """A look for each forecaster: index 0 is the judged model's, and other models are quiet."""
    ladder = dict.fromkeys(rung for each in inputs.regions for rung in standing.rungs(each.scores))
    models = [one for one in standing.forecasters(region.scores) if one not in ladder]
    return _looks(ladder, models, standing.model_of(region) or next(iter(models), None))


def looks_of(collection: CollectionInputs) -> dict[str, Look]:
    """As `looks`, of labelled records or of movies."""
    ladder = standing.rungs(collection.scores)
    models = [one for one in standing.forecasters(collection.scores) if one not in ladder]
    return _looks(ladder, models, collection.verdict.model)


def _looks(ladder: Iterable[str], models: Iterable[str], judged: str | None) -> dict[str, Look]:
    found = {rung: Look(index) for index, rung in enumerate(ladder, start=1)}
    return found | {one: Look(0) if one == judged else Look(QUIET, quiet=True) for one in models}


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


def lead_axis(ax: Axes, leads: Leads) -> None:
    """Whole days, or quarters and halves of a day, on the horizontal axis."""
    first, last = min(leads.values), max(leads.values)
    if leads.unit == "hour" and last >= _QUARTER:
        ax.xaxis.set_major_locator(MultipleLocator(_QUARTER * (1 + (last > 4 * _QUARTER))))
    else:
        ax.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True, min_n_ticks=1))
    margin = max(0.4, 0.01 * (last - first))
    ax.set_xlim(first - margin, last + margin)


def draw(
    ax: Axes, at: Sequence[float], values: NDArray[np.floating], look: Look, *, strong: bool = True
) -> None:
    """One forecaster's line; nothing where it has no value."""
    if np.isfinite(values).any():
        ax.plot(
            at,
            values,
            color=look.colour,
            linestyle=look.dash,
            linewidth=look.width,
            marker=look.marker if strong and (not look.quiet or len(at) == 1) else None,
            markersize=3.5 + (look.width > 2),
            markevery=max(1, len(at) // _MARKED),
            zorder=1.5 if look.quiet else 2,
        )


def name_ends(ax: Axes, at: float, ends: Mapping[str, float], *, height: float) -> None:
    """Names beside the ends of quiet lines, moved apart where they would stand on each other.

    Parameters
    ----------
    at
        Where the lines end on the horizontal axis.
    ends
        Their last values by name.
    height
        Of the axes, in inches.
    """
    low, high = ax.get_ylim()
    ends = {
        name: value for name, value in sorted(ends.items(), key=lambda one: one[1]) if math.isfinite(value)
    }
    if not ends:
        return
    rise = _LINE / (72 * height) * (high - low) * np.arange(len(ends))
    # The nearest places to the ends that keep their order and a line's distance (least squares).
    places = isotonic_regression(np.array(list(ends.values())) - rise).x + rise
    places -= max(0.0, float(places[-1]) - high)
    places += max(0.0, low - float(places[0]))
    for place, (name, value) in zip(places, ends.items(), strict=True):
        ax.annotate(
            name, (at, value), xytext=(1.03, (place - low) / (high - low)), textcoords="axes fraction",
            va="center", fontsize=_SMALL, color=SERIES[QUIET], annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": SERIES[QUIET], "linewidth": 0.5, "shrinkA": 0, "shrinkB": 1,
                        "relpos": (0, 0.5)},
        )  # fmt: skip


def band(ax: Axes, at: Sequence[float], interval: xr.DataArray, look: Look) -> None:
    """The interval (…, bound) around a line."""
    low, high = (interval.sel(bound=bound).values for bound in ("low", "high"))
    if np.isfinite(low).any():
        ax.fill_between(at, low, high, color=look.colour, alpha=0.18, linewidth=0)


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
    named: bool = False,
) -> Figure:
    """Lines (forecaster, lead_time) against lead, with bands (forecaster, lead_time, bound) for the model.

    Where `named`, quiet lines have their names beside their ends.
    """
    leads = Leads.of(metric)
    figure, ax = axes(leads.axis, ylabel, width=size[0], height=size[1])
    everyone = list(shown)
    for one in reversed(everyone):
        if bands is not None and all_looks[one].index == 0:
            band(ax, leads.values, bands.sel(forecaster=one), all_looks[one])
        draw(ax, leads.values, metric.sel(forecaster=one).values, all_looks[one])
    lead_axis(ax, leads)
    if from_zero:
        ax.set_ylim(bottom=0)
    quiet = [one for one in everyone if all_looks[one].quiet]
    if named and quiet:
        ends = {markup.name(one): float(metric.sel(forecaster=one)[-1]) for one in quiet}
        name_ends(ax, leads.values[-1], ends, height=size[1] - 0.6)
    return figure


def legend(shown: Iterable[str], all_looks: dict[str, Look]) -> Markup:
    """The forecasters' line samples, as HTML; those of quiet ones are one sample."""
    known = [(one, all_looks[one]) for one in shown]
    return markup.fill(
        _LEGEND,
        entries=[(one, look, _PATHS[look.marker]) for one, look in known if not look.quiet],
        quiet=next((look for _, look in known if look.quiet), None),
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
{% endfor %}{% if quiet %}<li><svg viewBox="0 0 34 12" aria-hidden="true"><path d="M0 6H34"\
 style="stroke:var(--s{{ quiet.index % 8 }});stroke-width:{{ quiet.width }}"/></svg>Other models</li>{% endif %}</ul>
"""
