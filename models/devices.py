"""What the machine offers beyond plain execution, on whichever backend Keras runs."""

from __future__ import annotations

import os
from functools import wraps
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

if TYPE_CHECKING:
    from collections.abc import Callable


ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"
"""Of a compiled function: the tasks into which XLA would cut each small step cost more than they save."""


def has_gpu() -> bool:
    """Whether the backend sees a GPU."""
    try:
        return bool(keras.distribution.list_devices("gpu"))
    except (RuntimeError, AttributeError):
        # JAX raises where there is none, and not every backend can list.
        return False


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, of tensors alone, compiled by XLA wherever TensorFlow traces it; on other backends as it is.

    Calls that do not wait for one another then run side by side on a CPU's cores, which they do not within one
    compiled model. Where XLA_FLAGS does not say otherwise, each keeps to one core.
    """
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    flags = os.environ.get("XLA_FLAGS", "")
    if ONE_THREAD.partition("=")[0] not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {ONE_THREAD}".strip()
    fast = tf.function(function, jit_compile=True)

    @wraps(function)
    def call(*tensors: Any) -> Any:
        # A single eager call is not worth the seconds that compiling takes.
        return function(*tensors) if tf.executing_eagerly() else fast(*tensors)

    return call


def kernel_gradient(inputs: Any, upstream: Any, shape: tuple[int, ...]) -> Any:
    """Gradient of the kernel of a convolution with stride 1 and padding "same".

    `inputs` (batch, height, width, channel), `upstream` (batch, height, width, filter) the gradient of its output;
    `shape`, of the kernel, is the shape of what is returned.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.raw_ops.Conv2DBackpropFilter(
            input=inputs, filter_sizes=shape, out_backprop=upstream, strides=[1] * 4, padding="SAME"
        )
    return correlated(inputs, upstream, shape)


def correlated(inputs: Any, upstream: Any, shape: tuple[int, ...]) -> Any:
    """`kernel_gradient` as a convolution over the fields, in which batch and channels have changed places."""
    before = [(size - 1) // 2 for size in shape[:2]]
    margins = [(each, size - 1 - each) for each, size in zip(before, shape[:2], strict=True)]
    padded = ops.pad(inputs, ((0, 0), *margins, (0, 0)))
    turned = ops.conv(ops.transpose(padded, (3, 1, 2, 0)), ops.transpose(upstream, (1, 2, 0, 3)))
    return ops.transpose(turned, (1, 2, 0, 3))
