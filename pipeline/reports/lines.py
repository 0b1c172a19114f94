"""Values over time as lines: what was observed, and what forecasts made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

from pipeline.reports import charts, markup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

WIDE = (10.6, 3.0)
OBSERVED = "observed"
_COLOURS = {OBSERVED: "var(--ink)"}
_LEGEND = """\
<ul class="legend">{% for label, colour, dash in entries %}<li><svg viewBox="0 0 34 12" aria-hidden="true"><path
d="M0 6H34" style="stroke:{{ colour }};stroke-width:2;stroke-dasharray:{{ dash }}"/></svg>{{ label }}</li>
{% endfor %}</ul>
"""


def time_axis(ax: Axes) -> None:
    """Dates as short as they can be read."""
    locator = AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    ax.xaxis.get_offset_text().set_color(charts.INK)


def mark(ax: Axes, time: np.datetime64, text: str = "") -> None:
    """An upright dotted line at a time, with a few words above it."""
    at = float(date2num(time))  # type: ignore[no-untyped-call]
    ax.axvline(at, color=charts.INK, linewidth=1, linestyle=(0, (1, 2)))
    ax.annotate(
        text, (at, 1), xycoords=("data", "axes fraction"), xytext=(4, -2), textcoords="offset points",
        color=charts.INK, fontsize=9, va="bottom",
    )  # fmt: skip


def draw(ax: Axes, time: NDArray[np.generic], values: NDArray[np.floating], look: charts.Look | None) -> None:
    """A line with gaps where values are missing; that of the observations, without a look, is in the page's ink."""
    if not np.isfinite(values).any():
        return
    alone = len(values) == 1
    ax.plot(
        time,
        values,
        color=look.colour if look else charts.INK,
        linestyle=look.dash if look else "-",
        linewidth=(look.width if look else 1.2),
        marker=(look.marker if look else "x") if alone else None,
        markersize=6,
        zorder=3 if look else 2,
    )


def legend(looks: Mapping[str, charts.Look | None]) -> Markup:
    """The lines' samples by their label."""
    entries = [
        (label, f"var(--s{look.index % len(charts.SERIES)})", look.dasharray)
        if look
        else (label, _COLOURS[OBSERVED], "none")
        for label, look in looks.items()
    ]
    return markup.fill(_LEGEND, entries=entries)
