"""What pictures of the sea's temperature on a small grid show."""

from __future__ import annotations

from pipeline.movies.base import Axis, Picture

DAY = 86_400
SEA_SURFACE = Picture(
    name="sst",
    long_name="daily sea surface temperature",
    units="degree_Celsius",
    low=-3.0,
    high=45.0,
    step=DAY,
    shown=(-2.0, 32.0),
)


def axes(height: int, width: int) -> tuple[Axis, Axis]:
    """The axes of grids whose cells are only counted: rows from north to south, columns from west to east."""
    rows, columns = (tuple(float(at) for at in range(1, many + 1)) for many in (height, width))
    return (
        Axis(name="y", long_name="row, from north to south", units="1", values=rows),
        Axis(name="x", long_name="column, from west to east", units="1", values=columns),
    )
