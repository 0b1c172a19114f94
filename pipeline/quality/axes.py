"""Checks of what a field says of itself: its shape, its cells, its units, its days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.base import Context, Finding
from pipeline.types import SST_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.types import Field

_NEAR = 1e-3
"""Of a cell's width; coordinates come as float32."""


def check_structure(field: Field, context: Context) -> Iterator[Finding]:  # noqa: ARG001
    """The values have the shape of their axes, and the axes ascend."""
    axes = (len(field.time), len(field.latitude), len(field.longitude))
    if field.values.shape != axes:
        yield _refuse("structure", f"values have shape {field.values.shape} and their axes {axes}")
    elif not all(axes):
        yield _refuse("structure", f"it holds no cell: its axes have {axes} entries")
    for name, steps in (
        ("time", np.diff(field.time).astype(int)),
        ("latitude", np.diff(field.latitude)),
        ("longitude", np.diff(field.longitude)),
    ):
        if np.any(steps <= 0):
            yield _refuse("structure", f"{name} does not ascend")


def check_grid(field: Field, context: Context) -> Iterator[Finding]:
    """The cells are those of the files before: the same width, at the same places, though perhaps fewer."""
    for name, found, known, turn in (
        ("latitude", field.latitude, context.latitude, 0.0),
        ("longitude", field.longitude, context.longitude, 360.0),
    ):
        if known is not None and not same_cells(found, known, turn):
            yield _refuse(
                "grid", f"{name} is {_described(found)}, and the files before have {_described(known)}"
            )


def same_cells(found: NDArray[np.float64], known: NDArray[np.float64], turn: float = 0.0) -> bool:
    """Whether two axes (in degrees, cyclic after `turn` where it is not 0) are parts of the same one."""
    if min(len(found), len(known)) < 2:
        return len(found) == len(known) and bool(abs(found - known).max() <= _NEAR)
    step = float(known[1] - known[0])
    if np.ptp(np.diff(known)) > _NEAR * abs(step):
        return len(found) == len(known) and bool(np.allclose(found, known, rtol=0, atol=_NEAR))
    if abs(np.diff(found) - step).max() > _NEAR * step:
        return False
    off = float(found[0] - known[0])
    shifts = [off] if not turn else [off, off + turn, off - turn]
    return any(abs(shift / step - round(shift / step)) <= 2 * _NEAR for shift in shifts)


def check_units(field: Field, context: Context) -> Iterator[Finding]:  # noqa: ARG001
    """Values are in degree_Celsius, as the source's decoder calls it."""
    if field.units != SST_UNITS:
        yield _refuse("units", f"values are in {field.units or 'no units'!r}, not in {SST_UNITS}")


def check_date(field: Field, context: Context) -> Iterator[Finding]:
    """The days are among those that the granule promises."""
    promised = np.array(context.granule.days, "datetime64[D]")
    days = field.time.astype("datetime64[D]")
    strange = days[~np.isin(days, promised)]
    if len(strange):
        said = f"{promised[0]}" if len(promised) == 1 else f"{promised[0]}…{promised[-1]}"
        yield _refuse("date", f"it holds {strange[0]} and {context.granule.name} promises {said}")


def _refuse(check: str, message: str) -> Finding:
    return Finding(check, "refuse", None, message)


def _described(axis: NDArray[np.float64]) -> str:
    step = f" by {axis[1] - axis[0]:g}" if len(axis) > 1 else ""
    return f"{axis[0]:g}…{axis[-1]:g}{step}"
