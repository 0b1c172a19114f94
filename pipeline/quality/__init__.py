"""What is wrong with a field: CHECKS names each check; `inspect` asks them all.

Structure, grid, units, date, range and completeness refuse a day. A jump of the mean warns, for an ocean does
jump; a land mask that changes warns while the change is small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.quality.axes import check_date, check_grid, check_structure, check_units
from pipeline.quality.values import check_completeness, check_jump, check_land_mask, check_range

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.quality.base import Check, Context, Finding
    from pipeline.types import Field

CHECKS: dict[str, Check] = {
    "structure": check_structure,
    "grid": check_grid,
    "units": check_units,
    "date": check_date,
    "range": check_range,
    "completeness": check_completeness,
    "land_mask": check_land_mask,
    "jump": check_jump,
}
"""In the order in which they are asked: the cheap and the fatal first."""


def inspect(field: Field, context: Context, *, only: Iterable[str] = tuple(CHECKS)) -> list[Finding]:
    """Every finding of the checks; those after a structure or units that is refused are not asked."""
    findings: list[Finding] = []
    for name in only:
        found = list(CHECKS[name](field, context))
        findings += found
        if name in {"structure", "units"} and found:
            break
    return findings
