"""Rectilinear grids: centres, edges, cell areas, and the regular grid of a region."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from pipeline.errors import GridError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pipeline.types import Box

_TOLERANCE = 1e-4
"""Of a cell's width; coordinates stored as float32 are off by less."""


@dataclass(frozen=True, eq=False)
class Grid:
    """The cells of a rectilinear grid, a value object.

    Parameters
    ----------
    latitude
        Centres in degrees, ascending or descending, within −90…90.
    longitude
        Centres in degrees, going eastwards in either convention; kept without jumps, so that
        (…, 179.5, −179.5, …) becomes (…, 179.5, 180.5, …).

    Raises
    ------
    GridError
        An axis is empty, not finite, uneven in its direction, or goes round the Earth more than once.
    """

    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]

    def __post_init__(self) -> None:
        latitude, longitude = _axis("latitude", self.latitude), _axis("longitude", self.longitude)
        if abs(latitude).max() > 90:
            raise GridError(f"latitudes lie within −90…90 and one is {abs(latitude).max():g}")
        steps = np.diff(latitude)
        if not (np.all(steps > 0) or np.all(steps < 0)):
            raise GridError("latitude neither ascends nor descends throughout")
        eastwards = np.diff(longitude) % 360
        if np.any(eastwards == 0):
            raise GridError("two longitudes are the same")
        longitude = np.concatenate([longitude[:1], longitude[0] + np.cumsum(eastwards)])
        for name, centres in (("latitude", latitude), ("longitude", longitude)):
            centres.setflags(write=False)
            object.__setattr__(self, name, centres)
        width = self.longitude_edges[-1] - self.longitude_edges[0]
        if width > 360 + _TOLERANCE * 360 / len(longitude):
            raise GridError(f"longitude goes round the Earth more than once ({width:g} degrees)")

    @classmethod
    def regular(cls, box: Box, resolution: float) -> Self:
        """The grid of square cells of `resolution` degrees that fills `box`.

        Longitude runs from the box's west eastwards without a jump: (350, 20) gives −9.5…19.5, (150, −150) gives
        150.5…209.5.

        Raises
        ------
        GridError
            The box is not a whole number of cells wide or high.
        """
        south, north = box.latitude
        west = box.longitude[0]
        counts = []
        for name, extent in (("latitude", north - south), ("longitude", box.width)):
            count = round(extent / resolution)
            if count < 1 or abs(count * resolution - extent) > _TOLERANCE * resolution:
                raise GridError(
                    f"{name}: {extent:g} degrees are not a whole number of cells of {resolution:g} degrees",
                    remedy="choose bounds that are multiples of the resolution apart",
                    box=box.model_dump(),
                    resolution=resolution,
                )
            counts.append(count)
        if west >= 180 and west + box.width > 360:
            west -= 360
        latitude = south + (np.arange(counts[0]) + 0.5) * ((north - south) / counts[0])
        longitude = west + (np.arange(counts[1]) + 0.5) * (box.width / counts[1])
        return cls(latitude.astype(np.float64), longitude.astype(np.float64))

    @property
    def shape(self) -> tuple[int, int]:
        """Cells of latitude, of longitude."""
        return len(self.latitude), len(self.longitude)

    @cached_property
    def latitude_edges(self) -> NDArray[np.float64]:
        """float64 (latitude + 1,), degrees, half-way between centres and within −90…90."""
        return np.clip(_edges(self.latitude, self._step), -90, 90)

    @cached_property
    def longitude_edges(self) -> NDArray[np.float64]:
        """float64 (longitude + 1,), degrees, ascending; exactly 360 apart where the grid is cyclic."""
        edges = _edges(self.longitude, self._step)
        if abs(edges[-1] - edges[0] - 360) <= _TOLERANCE * 360 / len(self.longitude):
            edges[-1] = edges[0] + 360
        return edges

    @property
    def cyclic(self) -> bool:
        """Whether the last cell touches the first."""
        return bool(self.longitude_edges[-1] - self.longitude_edges[0] == 360)

    @cached_property
    def area(self) -> NDArray[np.float64]:
        """float64 (latitude, longitude): exact areas on the unit sphere, steradian."""
        height = abs(np.diff(np.sin(np.radians(self.latitude_edges))))
        return np.asarray(height[:, None] * np.radians(np.diff(self.longitude_edges)), np.float64)

    @property
    def _step(self) -> float:
        for centres in (self.latitude, self.longitude):
            if len(centres) > 1:
                return abs(float(centres[1] - centres[0]))
        raise GridError("the size of a single cell cannot be known from its centre", remedy="use two or more")

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Grid)
            and np.array_equal(self.latitude, other.latitude)
            and np.array_equal(self.longitude, other.longitude)
        )

    def __hash__(self) -> int:
        return hash((self.latitude.tobytes(), self.longitude.tobytes()))

    def __str__(self) -> str:
        south, north = sorted((self.latitude_edges[0], self.latitude_edges[-1]))
        west, east = self.longitude_edges[[0, -1]]
        rows, columns = self.shape
        return f"{rows}×{columns} cells, latitude {south:g}…{north:g}, longitude {west:g}…{east:g}"


def require_ocean(grid: Grid, ocean: NDArray[np.bool_], region: str) -> None:
    """Refuse a region that has no defined cell at all.

    Parameters
    ----------
    ocean
        bool (latitude, longitude): cells that hold values.

    Raises
    ------
    GridError
        No cell is ocean.
    """
    if not ocean.any():
        raise GridError(
            f"region {region!r} holds no ocean: none of its {grid} has a value",
            remedy="move or widen the region's box, or lower minimum_valid_fraction",
            region=region,
        )


def _axis(name: str, values: ArrayLike) -> NDArray[np.float64]:
    centres = np.array(values, dtype=np.float64)
    if centres.ndim != 1 or not len(centres) or not np.isfinite(centres).all():
        raise GridError(f"{name} must be a list of finite numbers and has shape {centres.shape}")
    return centres


def _edges(centres: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    if len(centres) == 1:
        return np.array([centres[0] - step / 2, centres[0] + step / 2])
    inner = (centres[:-1] + centres[1:]) / 2
    return np.concatenate([[2 * centres[0] - inner[0]], inner, [2 * centres[-1] - inner[-1]]])
