import os

import numpy as np
import tensorflow as tf

from models.devices import ONE_THREAD, compiled, has_gpu

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
