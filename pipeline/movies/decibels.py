"""Rain rates on a scale of decibels, on which a drizzle and a downpour can both be told from their like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import ConfigError, NotFittedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

UNITS = "mm h-1"
"""Of rain rates."""
FAINT = 0.1
"""mm h-1: the scale is even above it and fades to zero below, so that no rain is zero and not minus infinity."""


def to_decibels(rate: Array) -> Array:
    """10 log10(1 + rate / 0.1), of rates of at least zero, mm h-1; NaN stays.

    Raises
    ------
    NotFittedError
        A rate is below zero: it is none of rain.
    """
    if (rate < 0).any():
        raise NotFittedError(
            f"a rate of {float(np.nanmin(rate)):g} is none of rain, and has no decibels",
            remedy='choose another scaling than "decibel" in windows of [movies]',
        )
    return np.asarray(10 * np.log10(1 + rate / np.float32(FAINT)), np.float32)


def from_decibels(decibels: Array) -> Array:
    """mm h-1, the inverse of `to_decibels`; what lies below zero is no rain."""
    return np.asarray(FAINT * (10 ** (np.maximum(decibels, 0) / np.float32(10)) - 1), np.float32)


def require_rain(units: str) -> None:
    """Refuse pictures of anything else.

    Raises
    ------
    ConfigError
        They are not in mm h-1.
    """
    if units != UNITS:
        raise ConfigError(
            f"scaling = 'decibel' is for rain in {UNITS}, and the pictures are in {units!r}",
            remedy='choose another scaling, such as "standard"',
            key="scaling",
        )
