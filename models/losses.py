"""Losses that know the sea: weighted by area, deaf to land."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray


class AreaWeightedMSE(keras.losses.Loss):
    """Mean squared error over samples, leads and the area of the ocean.

    Parameters
    ----------
    area
        Relative area (latitude, longitude) of each cell, zero on land.
    """

    def __init__(self, area: NDArray[np.floating]) -> None:
        super().__init__(name="area_weighted_mse", dtype="float32")
        self._share = np.asarray(area / area.sum(), np.float32)[..., None]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Per-sample loss (batch,) of fields (batch, latitude, longitude, lead_time)."""
        squared = ops.square(ops.cast(y_true, "float32") - ops.cast(y_pred, "float32"))
        return ops.mean(ops.sum(squared * self._share, axis=(1, 2)), axis=-1)
