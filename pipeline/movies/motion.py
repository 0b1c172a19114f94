"""Where the pattern of a picture moves, and where it will be if it goes on so: Lagrangian extrapolation.

Germann and Zawadzki (2002), doi:10.1175/1520-0493(2002)130<2859:SDOTPO>2.0.CO;2, with the optical flow of Le Besnerais
and Champagnat (2005), doi:10.1109/ICIP.2005.1529706, as scikit-image has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt, map_coordinates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

RADIUS = 12
"""Cells around each one that are taken to move together."""


def filled(picture: Array) -> Array:
    """(y, x) with the value of the nearest known cell where none is known; zero where none is at all."""
    unknown = ~np.isfinite(picture)
    if unknown.all():
        return np.zeros_like(picture)
    if not unknown.any():
        return picture
    nearest = distance_transform_edt(unknown, return_distances=False, return_indices=True)
    found: Array = picture[tuple(nearest)]
    return found


def motion(before: Array, after: Array, *, radius: int = RADIUS) -> Array:
    """Cells a step that the pattern moves down and across, (2, y, x), between pictures (y, x) without missing cells."""
    from skimage.registration import optical_flow_ilk

    size = min(radius, (min(before.shape) - 1) // 2)
    if size < 1 or np.array_equal(before, after):
        return np.zeros((2, *before.shape), np.float32)
    flow = optical_flow_ilk(before, after, radius=size, prefilter=True)  # type: ignore[no-untyped-call]
    return np.asarray(flow, np.float32)


def moved(picture: Array, flow: Array, leads: int) -> Array:
    """The picture (y, x) at each of the next `leads` steps, (lead, y, x), carried by a motion (2, y, x) that stays.

    Each cell is followed back along the motion, a step at a time. What comes in over the edge is as the edge is.
    """
    at = np.indices(picture.shape).astype(np.float64)
    found = np.empty((leads, *picture.shape), np.float32)
    for lead in range(leads):
        at -= np.stack([map_coordinates(each, at, order=1, mode="nearest") for each in flow])
        found[lead] = map_coordinates(picture, at, order=1, mode="nearest")
    return found


def extrapolated(history: Array, scaled: Array, leads: int, *, radius: int = RADIUS) -> Array:
    """The last picture of a history (time, y, x), moved on as its last two do: (lead, y, x), known everywhere.

    Parameters
    ----------
    scaled
        The history as models see it, (time, y, x), NaN where nothing is known: of rain in decibels, where optical flow
        would see little else than a few cores.
    """
    last = filled(history[-1])
    if len(scaled) < 2:
        flow = np.zeros((2, *last.shape), np.float32)
    else:
        flow = motion(filled(scaled[-2]), filled(scaled[-1]), radius=radius)
    return moved(last, flow, leads)
