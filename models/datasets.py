"""Windows to tf.data: the one place that knows TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.encoder import FieldEncoder
    from pipeline.forecasts.base import Record
    from pipeline.windows import Windows

PREFETCH = 4


@dataclass(frozen=True, slots=True)
class FieldSamples:
    """Samples of one split, made from the record when they are asked for.

    The target is what the base forecast leaves over, in units of its deviation at each lead.
    """

    record: Record
    windows: Windows
    encoder: FieldEncoder

    def batch(self, samples: NDArray[np.int64]) -> tuple[NDArray[np.float32], ...]:
        """`history`, `base` and `constants` of these samples, and the target, all (sample, latitude, longitude, …)."""
        init = self.windows.init[samples]
        spec = self.windows.spec
        history = self.record.values[init[:, None] + np.arange(1 - spec.history, 1)]
        truth = self.record.values[init[:, None] + np.arange(1, spec.horizon + 1)]
        inputs, base = self.encoder.inputs(history, self.windows.init_time[samples])
        return inputs["history"], inputs["base"], inputs["constants"], self.encoder.target(truth, base)


def epoch(
    samples: FieldSamples, *, batch_size: int, seed: int, number: int, steps: int | None = None
) -> tf.data.Dataset:
    """The batches of training epoch `number`: an order that only `seed` and `number` decide.

    Every batch is whole, so that the compiled step is one; what is left over comes in other epochs.

    Parameters
    ----------
    steps
        At most so many batches.
    """
    order = np.random.default_rng((seed, number)).permutation(len(samples.windows))
    batches = min(len(order) // batch_size, steps or len(order)) or 1
    return _stream(
        samples, [np.sort(part) for part in np.array_split(order[: batches * batch_size], batches)]
    )


def ordered(samples: FieldSamples, *, batch_size: int) -> tf.data.Dataset:
    """All samples once, in the order of time."""
    order = np.arange(len(samples.windows))
    return _stream(samples, [order[first : first + batch_size] for first in range(0, len(order), batch_size)])


def _stream(samples: FieldSamples, parts: list[NDArray[np.int64]]) -> tf.data.Dataset:
    shape = samples.encoder.shape
    grid = (None, shape.latitude, shape.longitude)
    depths = (shape.history, shape.horizon, shape.constants, shape.horizon)

    def read(position: NDArray[np.int64]) -> tuple[NDArray[np.float32], ...]:
        return samples.batch(parts[int(position)])

    def named(position: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        arrays = tf.numpy_function(read, [position], [tf.float32] * 4)
        history, base, constants, target = (
            tf.ensure_shape(array, (*grid, depth)) for array, depth in zip(arrays, depths, strict=True)
        )
        return {"history": history, "base": base, "constants": constants}, target

    return tf.data.Dataset.range(len(parts)).map(named, num_parallel_calls=1).prefetch(PREFETCH)
