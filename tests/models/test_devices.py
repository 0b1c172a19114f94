import os

import hypothesis
import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

from models.devices import ONE_THREAD, compiled, correlated, has_gpu, kernel_gradient

MARK = "_XlaMustCompile"


def doubled(given):
    return 2.0 * given + 1.0


def test_a_compiled_function_gives_what_the_function_does_in_a_graph_and_out_of_one():
    given = tf.constant([1.0, 2.0])
    fast = compiled(doubled)
    traced = tf.function(lambda: fast(given))
    np.testing.assert_array_equal(fast(given), [3, 5])
    np.testing.assert_array_equal(traced(), [3, 5])
    plain = tf.function(lambda: tf.function(doubled)(given))
    assert [MARK in str(each.get_concrete_function().graph.as_graph_def()) for each in (traced, plain)] == [
        True,
        False,
    ]


def test_what_the_user_says_of_threads_stays(monkeypatch):
    for given, expected in (
        ("", ONE_THREAD),
        ("--xla_dump_to=", f"--xla_dump_to= {ONE_THREAD}"),
        ("--xla_cpu_multi_thread_eigen=true", "--xla_cpu_multi_thread_eigen=true"),
    ):
        monkeypatch.setenv("XLA_FLAGS", given)
        compiled(doubled)
        assert os.environ["XLA_FLAGS"] == expected


def test_a_gpu_is_seen_where_tensorflow_lists_one():
    assert has_gpu() == bool(tf.config.list_physical_devices("GPU"))


@hypothesis.settings(max_examples=15, deadline=None)
@hypothesis.given(
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    size=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    channels=st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_the_gradient_of_a_kernel_is_that_of_the_convolution(kernel, size, channels):
    rng = np.random.default_rng(0)
    inputs, upstream = (tf.constant(rng.normal(size=(2, *size, each)), tf.float32) for each in channels)
    weights = tf.zeros((*kernel, *channels))
    with tf.GradientTape() as tape:
        tape.watch(weights)
        loss = tf.reduce_sum(upstream * tf.nn.conv2d(inputs, weights, 1, "SAME"))
    expected = tape.gradient(loss, weights)
    np.testing.assert_allclose(kernel_gradient(inputs, upstream, weights.shape), expected, atol=1e-5)
    np.testing.assert_allclose(correlated(inputs, upstream, weights.shape), expected, atol=1e-5)
