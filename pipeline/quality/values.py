"""Checks of a field's values: their range, what is missing, what is land, how far they moved since yesterday."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pipeline.quality.base import Context, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.types import Field

_MASK_REFUSED = 10
"""Times the tolerated change of the land mask."""


def check_range(field: Field, context: Context) -> Iterator[Finding]:
    """No value lies outside the limits."""
    limits = context.limits
    days = field.values.reshape(len(field.values), -1)
    # fmin and fmax pass over NaN, at a third of the cost of nanmin and nanmax.
    low, high = np.fmin.reduce(days, axis=1), np.fmax.reduce(days, axis=1)
    for item in np.flatnonzero((low < limits.minimum) | (high > limits.maximum)):
        outside = int(((days[item] < limits.minimum) | (days[item] > limits.maximum)).sum())
        yield _finding(
            "range",
            field,
            item,
            f"{outside} values outside {limits.minimum:g}…{limits.maximum:g}: "
            f"they lie in {low[item]:.2f}…{high[item]:.2f}",
        )


def check_completeness(field: Field, context: Context) -> Iterator[Finding]:
    """Every promised day is there, is not all fill, and covers the ocean where that is known."""
    held = set(field.time.astype("datetime64[D]").tolist())
    for day in context.granule.days:
        if day not in held and len(context.granule.days) > 1:
            yield Finding("completeness", "refuse", day, f"{context.granule.name} lacks {day}")
    days = field.values.reshape(len(field.values), -1)
    for item, day_values in enumerate(days):
        defined = np.isfinite(day_values)
        if not defined.any():
            yield _finding("completeness", field, item, "every value is missing")
        elif context.ocean is not None and context.ocean.any():
            ocean = context.ocean.ravel()
            present = np.count_nonzero(defined & ocean) / np.count_nonzero(ocean)
            if present < context.limits.ocean_present:
                yield _finding(
                    "completeness", field, item, f"only {present:.1%} of the ocean's cells have a value"
                )


def check_land_mask(field: Field, context: Context) -> Iterator[Finding]:
    """Land stays land and ocean stays ocean, but for a few cells."""
    if context.ocean is None:
        return
    limit = context.limits.land_changed
    for item, values in enumerate(field.values):
        changed = np.count_nonzero(np.isfinite(values) != context.ocean) / values.size
        if changed > limit:
            severity: Literal["refuse", "warn"] = "refuse" if changed > _MASK_REFUSED * limit else "warn"
            yield _finding("land_mask", field, item, f"{changed:.2%} of the cells changed sides", severity)


def check_jump(field: Field, context: Context) -> Iterator[Finding]:
    """The area's mean moves little from one day to the next, over the cells that both days have."""
    before = context.previous
    if before is None:
        return
    area = np.cos(np.radians(field.latitude))
    for item, values in enumerate(field.values):
        moved = values - before
        both = np.isfinite(moved)
        weight = float(area @ both.sum(axis=1))
        if weight:
            mean = float(area @ moved.sum(axis=1, where=both, dtype=np.float64)) / weight
            if abs(mean) > context.limits.mean_jump:
                yield _finding("jump", field, item, f"the mean moved by {mean:+.2f} °C in a day", "warn")
        before = values


def _finding(
    check: str, field: Field, item: Any, message: str, severity: Literal["refuse", "warn"] = "refuse"
) -> Finding:
    return Finding(check, severity, field.time[item].astype("datetime64[D]").item(), message)
