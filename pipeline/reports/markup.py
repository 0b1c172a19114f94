"""Text of the page: one escaping template environment, and numbers and names as people read them."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MISSING = "–"
PERCENT = 0.01
_LABELS = {"eof_ridge": "EOF-ridge", "convlstm": "ConvLSTM", "conv1d": "1-D convolution"}
_ACRONYMS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}
METRICS = {"mae": "MAE", "rmse": "RMSE", "bias": "Bias"}
_SEASONS = {
    "all": "All seasons",
    "DJF": "December–February",
    "MAM": "March–May",
    "JJA": "June–August",
    "SON": "September–November",
}


def number(value: float | None, digits: int = 2, *, sign: bool = False) -> str:
    """A number with a true minus sign, or a dash where there is none."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    if not float(text):
        text = text.lstrip("+-")
    return text.replace("-", "−")


def percent(value: float | None, digits: int = 1, *, sign: bool = False) -> str:
    """A fraction as a percentage."""
    text = number(None if value is None else value / PERCENT, digits, sign=sign)
    return text if text == MISSING else f"{text}%"


def interval(low: float, high: float, digits: int = 2, *, sign: bool = True) -> str:
    """`[low, high]`, or a dash where there is no interval."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    return f"[{number(low, digits, sign=sign)}, {number(high, digits, sign=sign)}]"


def percent_interval(bounds: tuple[float, float] | None) -> str:
    """`+4.1% to +8.2%`, or a dash where there is no interval."""
    if bounds is None or not all(math.isfinite(bound) for bound in bounds):
        return MISSING
    return " to ".join(percent(bound, sign=True) for bound in bounds)


def value(anything: Any) -> str:
    """A fact of a card or of a lineage as text: thousands apart, dates short, nothing as a dash."""
    if anything is None or anything == "":
        return MISSING
    if isinstance(anything, bool | np.bool_):
        return "yes" if anything else "no"
    if isinstance(anything, int | np.integer):
        return (
            f"{int(anything):,}".replace(",", "\u202f")
            if abs(int(anything)) >= 10_000
            else str(int(anything))
        )
    if isinstance(anything, float | np.floating):
        return f"{float(anything):.4g}".replace("-", "−") if math.isfinite(anything) else MISSING
    if isinstance(anything, dt.datetime):
        return anything.strftime("%Y-%m-%d %H:%M")
    if isinstance(anything, list | tuple):
        return ", ".join(value(item) for item in anything) or MISSING
    return str(anything)


def count(many: int, one: str, more: str = "") -> str:
    """`1 day`, `12 days`."""
    return f"{value(many)} {one if many == 1 else more or one + 's'}"


def name(forecaster: str) -> str:
    """A forecaster's name as people read it."""
    plain = forecaster.replace("-", "_")
    return _LABELS.get(plain) or " ".join(_ACRONYMS.get(word, word) for word in plain.split("_"))


def title(forecaster: str) -> str:
    """A forecaster's name at the start of a line."""
    text = name(forecaster)
    return text[:1].upper() + text[1:]


def season(code: str) -> str:
    """A season by its months."""
    return _SEASONS.get(code, code)


def day(time: np.datetime64) -> str:
    """An ISO day."""
    return str(time.astype("datetime64[D]"))


def moment(time: np.datetime64) -> str:
    """An ISO day with hour and minute."""
    return str(time.astype("datetime64[m]")).replace("T", " ")


def with_names(sentence: str, names: Mapping[str, str]) -> str:
    """A sentence with true minus signs, and with each word that is a key of `names` replaced by its value."""
    words = "|".join(re.escape(one) for one in sorted(names, key=len, reverse=True))
    named = re.sub(rf"(?<!\w)(?:{words})(?!\w)", lambda found: names[found[0]], sentence)
    return re.sub(r"(?<!\w)-(?=\d)", "−", named)


def runs(leads: Sequence[int]) -> str:
    """`1–3, 5 and 7–9` of ascending whole numbers."""
    parts: list[list[int]] = []
    for lead in leads:
        if parts and lead == parts[-1][-1] + 1:
            parts[-1].append(lead)
        else:
            parts.append([lead])
    return listed(str(part[0]) if len(part) == 1 else f"{part[0]}–{part[-1]}" for part in parts)


def listed(words: Iterable[str]) -> str:
    """`a, b and c`."""
    *front, last = list(words) or [MISSING]
    return f"{', '.join(front)} and {last}" if front else last


ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("pipeline.reports", "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters.update(
    num=number,
    pct=percent,
    value=value,
    count=count,
    name=name,
    forecaster=title,
    season=season,
    day=day,
    moment=moment,
)
ENVIRONMENT.globals.update(interval=interval, missing=MISSING)


def fill(template: str, **context: Any) -> Markup:
    """The template's HTML, with every value escaped that is not markup already."""
    return Markup(ENVIRONMENT.from_string(template).render(**context))  # noqa: S704 (it came out escaped)


def slug(text: str) -> str:
    """Lower-case letters, digits and hyphens of a name, for ids on the page."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "part"
