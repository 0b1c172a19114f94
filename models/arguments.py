"""What a layer's arguments may be; each is returned as the layer wants it, or refused with a `ConfigError`."""

from __future__ import annotations

from typing import Any

from pipeline.errors import ConfigError


def sizes(name: str, given: Any, count: int) -> tuple[int, ...]:
    """`count` positive whole numbers, which may be given as one."""
    sizes = (given,) * count if isinstance(given, int) else given
    if (
        isinstance(given, bool)
        or not isinstance(sizes, (list, tuple))
        or len(sizes) != count
        or not all(isinstance(each, int) and each > 0 for each in sizes)
    ):
        many = "a positive whole number" + f", or {count} of them" * (count > 1)
        raise ConfigError(f"{name} must be {many}, and it is {given!r}", remedy=f"change {name}")
    return tuple(sizes)


def one_of(name: str, given: Any, *allowed: str) -> str:
    """One of what is allowed."""
    if given not in allowed:
        known = " or ".join(map(repr, allowed))
        raise ConfigError(f"{name} must be {known}, and it is {given!r}", remedy=f"set {name}={allowed[0]!r}")
    return str(given)


def share(name: str, given: float) -> float:
    """From 0 to less than 1."""
    if not isinstance(given, (int, float)) or not 0 <= given < 1:
        raise ConfigError(
            f"{name} must be from 0 to less than 1, and it is {given!r}", remedy=f"change {name}"
        )
    return given
