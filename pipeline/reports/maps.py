"""Maps as palette PNGs of one pixel a cell: small, exact, with land left transparent for the page's grey."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.ticker import MaxNLocator
from PIL import Image

from pipeline.reports import markup

if TYPE_CHECKING:
    from collections.abc import Iterable

    import xarray as xr
    from markupsafe import Markup
    from numpy.typing import NDArray

_LAND = 255
_COLOURS = 255  # 0 … 254
SST, SPREAD, ERROR = "plasma", "viridis", "RdBu_r"


@dataclass(frozen=True, slots=True)
class Scale:
    """A colour scale from `low` to `high`; values beyond take the end colours, and the bar says so."""

    low: float
    high: float
    colours: str
    label: str
    clipped: bool = False

    @classmethod
    def spanning(cls, values: NDArray[np.floating], colours: str, label: str) -> Scale:
        """From the smallest to the largest value."""
        finite = values[np.isfinite(values)]
        if not finite.size:
            return cls(0.0, 1.0, colours, label)
        low, high = float(finite.min()), float(finite.max())
        return cls(low, high if high > low else low + 1.0, colours, label)

    @classmethod
    def around_zero(cls, values: NDArray[np.floating], label: str) -> Scale:
        """As far below zero as above it; the last half per cent of the values is clipped."""
        finite = np.abs(values[np.isfinite(values)])
        if not finite.size or not finite.max():
            return cls(-1.0, 1.0, ERROR, label)
        reach = math.ceil(float(np.quantile(finite, 0.995)) * 20) / 20
        return cls(-reach, reach, ERROR, label, clipped=bool(finite.max() > reach))

    def png(self, values: NDArray[np.floating]) -> str:
        """A data address of the picture of (row, column); row 0 is at the top."""
        position = np.clip((values - self.low) / (self.high - self.low), 0, 1) * (_COLOURS - 1)
        index = np.where(np.isfinite(position), np.round(np.nan_to_num(position)), _LAND).astype(np.uint8)
        colours = mpl.colormaps[self.colours](np.linspace(0, 1, _COLOURS), bytes=True)[:, :3]
        picture = Image.frombytes("P", index.shape[::-1], index.tobytes())
        picture.putpalette(np.vstack([colours, np.full((1, 3), 128)]).astype(np.uint8).tobytes())
        stream = io.BytesIO()
        picture.save(stream, format="PNG", optimize=True, transparency=_LAND)
        return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()

    def bar(self) -> Markup:
        """The scale's colour bar, as HTML."""
        ticks = [
            (
                float(100 * (tick - self.low) / (self.high - self.low)),
                markup.number(tick, _digits(self.high - self.low)),
            )
            for tick in _ticks(self.low, self.high)
        ]
        ramp = self.png(np.linspace(self.low, self.high, 128)[None, :])
        return markup.fill(_BAR, scale=self, ticks=ticks, ramp=ramp)


_BAR = """\
<div class="bar"><div class="ramp"><img src="{{ ramp }}" alt="">
{% for at, text in ticks %}<span style="left:{{ '%.1f' % at }}%">{{ text }}</span>{% endfor %}
</div><p>{{ scale.label }}{% if scale.clipped %}; the few values beyond the ends take the end colours{%
endif %}</p></div>
"""


@dataclass(frozen=True, slots=True)
class Canvas:
    """The plate that all maps of one region share: how cells become pixels, and what the edges say."""

    north_up: bool
    stride: int
    aspect: float
    xticks: list[tuple[float, str]]
    yticks: list[tuple[float, str]]

    @classmethod
    def of(cls, field: xr.Dataset | xr.DataArray, *, max_cells: int = 40_000) -> Canvas:
        """For fields on (…, latitude, longitude); grids above `max_cells` show every second, third … cell."""
        latitude, longitude = field["latitude"].values.astype(float), field["longitude"].values.astype(float)
        stride = max(1, math.ceil(math.sqrt(latitude.size * longitude.size / max_cells)))
        (south, north), (west, east) = _edges(latitude), _edges(longitude)
        aspect = (east - west) * math.cos(math.radians((south + north) / 2)) / (north - south)
        xticks = [(100 * (x - west) / (east - west), _meridian(x)) for x in _ticks(west, east, many=4)]
        yticks = [(100 * (north - y) / (north - south), _parallel(y)) for y in _ticks(south, north, many=4)]
        ascending = latitude.size < 2 or bool(latitude[0] < latitude[-1])
        return cls(ascending, stride, max(aspect, 0.05), xticks, yticks)

    def pixels(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """(latitude, longitude) → (row, column), north at the top."""
        return (values[::-1] if self.north_up else values)[:: self.stride, :: self.stride]

    def figure(self, title: str, values: NDArray[np.floating], scale: Scale, alt: str) -> Markup:
        """One map with its axes, as HTML."""
        return markup.fill(_MAP, canvas=self, title=title, src=scale.png(self.pixels(values)), alt=alt)

    def row(self, figures: Iterable[Markup]) -> Markup:
        """Maps side by side, as HTML; wide maps get wider columns."""
        return markup.fill(_ROW, figures=list(figures), wide=self.aspect > _WIDE)


_WIDE = 1.6
_ROW = """\
<div class="maps{% if wide %} wide{% endif %}">{% for figure in figures %}{{ figure }}{% endfor %}</div>
"""
_MAP = """\
<figure class="map">{% if title %}<figcaption>{{ title }}</figcaption>{% endif %}
<div class="plate" style="aspect-ratio:{{ '%.3f' % canvas.aspect }}"><img src="{{ src }}" alt="{{ alt }}">
{% for at, text in canvas.yticks %}<span class="y" style="top:{{ '%.1f' % at }}%">{{ text }}</span>{% endfor
%}
{% for at, text in canvas.xticks %}<span
class="x{% if loop.index is even %} spare{% endif %}" style="left:{{ '%.1f' % at }}%">{{ text }}</span>{%
endfor %}
</div></figure>
"""


def span(values: NDArray[np.floating]) -> str:
    """`12.3 to 21.0 °C`, for descriptions of pictures."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return "no values"
    return f"{markup.number(float(finite.min()), 1)} to {markup.number(float(finite.max()), 1)} °C"


def _edges(centres: NDArray[np.float64]) -> tuple[float, float]:
    ordered = np.sort(centres)
    half = float(np.diff(ordered).mean()) / 2 if ordered.size > 1 else 0.5
    return float(ordered[0]) - half, float(ordered[-1]) + half


def _ticks(low: float, high: float, many: int = 5) -> list[float]:
    found = MaxNLocator(nbins=many, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    slack = (high - low) * 1e-6
    return [float(tick) for tick in found if low - slack <= tick <= high + slack]


def _digits(width: float) -> int:
    return max(0, min(3, 1 - math.floor(math.log10(width / 2)))) if width < 8 else 0


def _meridian(degrees: float) -> str:
    turned = (degrees + 180) % 360 - 180
    side = "" if turned in (-180, 0) else "W" if turned < 0 else "E"
    return f"{abs(turned):g}°{side}"


def _parallel(degrees: float) -> str:
    return f"{abs(degrees):g}°{'S' if degrees < 0 else 'N' if degrees > 0 else ''}"
