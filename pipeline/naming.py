"""Answers to a name that is not known: the nearest right spelling, and all that there are."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.errors import IsothermError

Kind = TypeVar("Kind", bound="IsothermError")


def unknown(what: str, name: str, known: Iterable[str], error: type[Kind], *, where: str = "") -> Kind:
    """The error that says that there is no `what` called `name`, and what was probably meant."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    meant = f"did you mean {near[0]!r}? " if near else ""
    listed = ", ".join(names) if names else "none"
    return error(
        f"there is no {what} {name!r}{f' ({where})' if where else ''}",
        remedy=f"{meant}known: {listed}",
        name=name,
        known=names,
    )


SYMBOLS = {"degree_Celsius": "°C", "hPa": "hPa", "g m-3": "g/m³", "m s-1": "m/s", "mm h-1": "mm/h", "1": ""}


def symbol(units: str) -> str:
    """Units as people write them."""
    return SYMBOLS.get(units, units)


def counted(many: int, one: str) -> str:
    """`1 day`, `12 days`."""
    return f"{many} {one if many == 1 else one + 's'}"


def lead_name(days: float) -> str:
    """A lead as people say it: in days where it is whole ones, else in hours."""
    count, unit = (days, "day") if days == int(days) else (days * 24, "hour")
    return f"{count:g} {unit}" if count == 1 else f"{count:g} {unit}s"


def reach(first: float, last: float) -> str:
    """From which lead to which, in days, as people say it."""
    if first == last:
        return f"{lead_name(first)} ahead"
    count, unit = (24, "hours") if first < 1 else (1, "days")
    return f"{count * first:g} to {count * last:g} {unit} ahead"
