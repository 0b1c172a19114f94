"""What the machine offers beyond plain execution, on whichever backend Keras runs."""

from __future__ import annotations

import os
from functools import wraps
from typing import TYPE_CHECKING, Any

import keras

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
