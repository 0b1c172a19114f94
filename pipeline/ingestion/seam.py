"""Where two shards meet: the checks compare the first day of one with the last of the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.store import reader

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.grid import Grid


@dataclass(frozen=True, slots=True)
class Seam:
    """What lies before a shard, with which its days are compared.

    Parameters
    ----------
    known
        The grid of the files before, if there were any.
    day, values
        The newest day before the shard's first, and its fields (latitude, longitude) by region; None and nothing
        where there is none.
    """

    known: Grid | None
    day: np.datetime64 | None
    values: Mapping[str, NDArray[np.float32]]

    @classmethod
    def read(cls, cube: Path, first: dt.date, snapshot: str | None = None) -> Seam:
        """As the cube has it before the day `first`."""
        known = reader.read_source_grid(cube, snapshot=snapshot)
        return cls(known, *reader.last_day_before(cube, np.datetime64(first, "D"), snapshot=snapshot))

    @property
    def ocean(self) -> dict[str, NDArray[np.bool_]]:
        """The cells with a value, by region."""
        return {name: np.isfinite(values) for name, values in self.values.items()}
