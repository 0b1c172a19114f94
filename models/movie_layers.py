"""Layers between pictures and the squares of cells that convolutional recurrences run on, step by step."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.layers import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class PicturePatches(keras.layers.Layer):
    """Squares of cells of each picture become channels, so that a convolution sees farther at a fraction of the cost.

    Input (batch, time, y, x), output (batch, time, ⌈y / size⌉, ⌈x / size⌉, size²); what is missing at the two far
    edges is zero. Time may be of any length.
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def call(self, pictures: Any) -> Any:
        """Fold."""
        size, (_, _, height, width) = self.size, pictures.shape
        time, rows, columns = ops.shape(pictures)[1], -(-height // size), -(-width // size)
        margins = ((0, 0), (0, 0), (0, rows * size - height), (0, columns * size - width))
        squares = ops.reshape(ops.pad(pictures, margins), (-1, time, rows, size, columns, size))
        return ops.reshape(ops.transpose(squares, (0, 1, 2, 4, 3, 5)), (-1, time, rows, columns, size * size))

    def compute_output_shape(self, pictures_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(batch, time, rows, columns, size²)."""
        rows, columns = (-(-(side or 0) // self.size) for side in pictures_shape[2:])
        return (*pictures_shape[:2], rows, columns, self.size**2)

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable(package=PACKAGE)
class PictureCells(keras.layers.Layer):
    """The inverse of `PicturePatches`: (batch, time, rows, columns, size²) to (batch, time, y, x)."""

    def __init__(self, size: int, height: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.height = height
        self.width = width

    def call(self, squares: Any) -> Any:
        """Unfold, and cut the margins off."""
        size, (_, _, rows, columns, _) = self.size, squares.shape
        time = ops.shape(squares)[1]
        parted = ops.reshape(squares, (-1, time, rows, columns, size, size))
        whole = ops.reshape(
            ops.transpose(parted, (0, 1, 2, 4, 3, 5)), (-1, time, rows * size, columns * size)
        )
        return whole[:, :, : self.height, : self.width]

    def compute_output_shape(self, squares_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(batch, time, y, x)."""
        return (*squares_shape[:2], self.height, self.width)

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        return {**super().get_config(), "size": self.size, "height": self.height, "width": self.width}


@keras.saving.register_keras_serializable(package=PACKAGE)
class LastSteps(keras.layers.Layer):
    """The last step of (batch, time, …) `steps` times: (batch, steps, …)."""

    def __init__(self, steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.steps = steps

    def call(self, sequences: Any) -> Any:
        """Repeat."""
        return ops.repeat(sequences[:, -1:], self.steps, axis=1)

    def compute_output_shape(self, sequences_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(batch, steps, …)."""
        return (sequences_shape[0], self.steps, *sequences_shape[2:])

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        return {**super().get_config(), "steps": self.steps}
