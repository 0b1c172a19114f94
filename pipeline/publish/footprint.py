"""Where a product lies, as GeoJSON and STAC have it: longitudes in −180…180, cut at the antimeridian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

BBox = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Footprint:
    """A box in degrees, or a point where it has no width.

    West is greater than east where it crosses the antimeridian (RFC 7946, section 5.2).
    """

    bbox: BBox

    @classmethod
    def of(cls, latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> Self:
        """The footprint of a grid, from the edges of its cells in either convention of longitude."""
        south, north = max(-90.0, float(latitude.min())), min(90.0, float(latitude.max()))
        west, east = float(longitude.min()), float(longitude.max())
        if east - west >= 360:
            return cls((-180.0, south, 180.0, north))
        west = (west + 180) % 360 - 180
        east = (east + 180) % 360 - 180
        return cls((west, south, 180.0 if east == -180 else east, north))

    @classmethod
    def at(cls, latitude: float, longitude: float) -> Self:
        """The footprint of a point, in either convention of longitude."""
        east = (longitude + 180) % 360 - 180
        return cls((east, latitude, east, latitude))

    @property
    def geometry(self) -> dict[str, Any]:
        """A Point, a Polygon, or a MultiPolygon where the antimeridian cuts it."""
        west, south, east, north = self.bbox
        if (west, south) == (east, north):
            return {"type": "Point", "coordinates": [west, south]}
        if west < east:
            return {"type": "Polygon", "coordinates": [_ring(west, south, east, north)]}
        halves = ((west, 180.0), (-180.0, east))
        return {"type": "MultiPolygon", "coordinates": [[_ring(a, south, b, north)] for a, b in halves]}


def as_bbox(values: Sequence[float]) -> BBox:
    """West, south, east, north."""
    west, south, east, north = values
    return west, south, east, north


def enclosing(boxes: Iterable[BBox]) -> BBox:
    """One box around all; around the globe where one of several crosses the antimeridian."""
    wests, souths, easts, norths = zip(*(distinct := set(boxes)), strict=True)
    if len(distinct) == 1:
        return next(iter(distinct))
    crossing = any(west > east for west, east in zip(wests, easts, strict=True))
    west, east = (-180.0, 180.0) if crossing else (min(wests), max(easts))
    return west, min(souths), east, max(norths)


def _ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]
