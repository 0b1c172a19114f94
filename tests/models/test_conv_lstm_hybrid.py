"""The hybrid of convolution and LSTM is the published network, and is trained as it was."""

import keras
import numpy as np
import pytest

from models.base import MovieShape
from models.conv_lstm_hybrid import Config, build
from models.specs import TrainingSpec
from models.training import _optimizer

SHAPE = MovieShape(13, 4, None, 1)


def sigmoid(value):
    return 1 / (1 + np.exp(-value))


def softsign(value):
    return value / (1 + np.abs(value))


def by_hand(weights, movies):
    """float64 (movie, time, y, x): the network of the tutorial, written down number by number."""
    kernel, bias, by_input, by_state, offset, cells, level = (each.astype(np.float64) for each in weights)
    given = np.empty(movies.shape)
    for number, movie in enumerate(movies):
        state = memory = np.zeros(by_state.shape[0])
        for at, picture in enumerate(movie):
            seen = np.array(
                [
                    np.maximum(
                        np.tensordot(picture[2 * i : 2 * i + 2, 2 * j : 2 * j + 2], kernel[:, :, 0], 2)
                        + bias,
                        0,
                    )
                    for i in range(6)
                    for j in range(2)
                ]
            )
            gates = np.split(seen.ravel() @ by_input + state @ by_state + offset, 4)
            enter, forget, leave = sigmoid(gates[0]), sigmoid(gates[1]), sigmoid(gates[3])
            memory = forget * memory + enter * softsign(gates[2])
            state = leave * softsign(memory)
            given[number, at] = (state @ cells + level).reshape(13, 4)
    return given


def test_it_is_the_published_network():
    model = build(Config(), SHAPE)
    assert model.count_params() == 7 * 4 + 7 + 84 * 800 + 200 * 800 + 800 + 200 * 52 + 52
    rng = np.random.default_rng(3)
    movies = rng.normal(size=(2, 5, 13, 4)).astype(np.float32)
    got = np.asarray(model({"history": movies}))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, by_hand(model.get_weights(), movies), rtol=1e-4, atol=1e-5)


def test_weights_are_drawn_from_glorots_normal_distribution():
    model = build(Config(), SHAPE)
    by_state = model.get_layer("memory").get_weights()[1]
    assert by_state.std() == pytest.approx(np.sqrt(2 / (200 + 800)), rel=0.02)
    cells, level = model.get_layer("cells").get_weights()
    assert cells.std() == pytest.approx(np.sqrt(2 / (200 + 52)), rel=0.05)
    np.testing.assert_array_equal(level, 0)


def test_no_picture_is_seen_before_its_time():
    model = build(Config(units=5), SHAPE)
    movies = np.random.default_rng(4).normal(size=(1, 6, 13, 4)).astype(np.float32)
    later = movies.copy()
    later[:, 4:] += 1
    whole, other = np.asarray(model({"history": movies})), np.asarray(model({"history": later}))
    np.testing.assert_array_equal(whole[:, :4], other[:, :4])
    assert not np.allclose(whole[:, 4:], other[:, 4:])
    np.testing.assert_allclose(
        np.asarray(model({"history": movies[:, :3]})), whole[:, :3], rtol=1e-5, atol=1e-6
    )


def test_on_the_newest_picture_it_begins_at_persistence():
    movies = np.random.default_rng(5).normal(size=(2, 3, 13, 4)).astype(np.float32)
    np.testing.assert_array_equal(build(Config(base="last"), SHAPE)({"history": movies}), movies)


def test_it_is_saved_and_loaded_safely(tmp_path):
    movies = np.random.default_rng(6).normal(size=(2, 3, 13, 4)).astype(np.float32)
    for base in ("mean", "last"):
        model = build(Config(units=5, base=base), MovieShape(13, 4, 3, 1))
        model.save(tmp_path / "model.keras")
        back = keras.saving.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
        np.testing.assert_array_equal(back({"history": movies}), model({"history": movies}))


class _Samples:
    windows = range(64)
    buckets = None


def test_adagrad_divides_by_the_root_of_all_squares_so_far_of_clipped_gradients():
    spec = TrainingSpec(
        optimizer="adagrad", clip_value=10, learning_rate=0.005, schedule="constant", averaged=False
    )
    optimizer = _optimizer(spec, _Samples())
    weight = keras.Variable([1.0, 2.0, 3.0])
    optimizer.build([weight])
    expected, squares = np.array([1.0, 2.0, 3.0]), np.full(3, 1e-6)
    for gradient in ([25.0, -0.5, 3.0], [4.0, -40.0, 0.1], [-11.0, 2.0, -3.0]):
        clipped = np.clip(gradient, -10, 10)
        squares += clipped**2
        expected -= 0.005 * clipped / np.sqrt(squares)
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weight])
        np.testing.assert_allclose(np.asarray(weight), expected, rtol=1e-5)


def test_gradients_are_clipped_by_their_norm_where_no_bound_is_given():
    for name in ("adamw", "adam", "rmsprop", "adagrad"):
        optimizer = _optimizer(TrainingSpec(optimizer=name), _Samples())
        assert (optimizer.global_clipnorm, optimizer.clipvalue) == (1.0, None)


def test_a_bound_that_is_not_given_is_not_told_of():
    assert "clip_value" not in TrainingSpec().model_dump(mode="json")
    spec = TrainingSpec(clip_value=10)
    assert TrainingSpec(**spec.model_dump(mode="json")) == spec
