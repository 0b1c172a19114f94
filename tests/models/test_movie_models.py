"""What lies between movies and a network: scaling, samples, losses with unknown cells, and roll-outs."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models import MOVIE_MODELS, training
from models.base import MovieShape, build_of, config_of, learning_of
from models.checkpoints import Checkpoints
from models.convlstm2d import ConvLSTM2D
from models.layers import Margins
from models.losses import PictureLoss
from models.movie_encoder import MovieEncoder
from models.next_frame import Config, build
from models.rolling import Roller, can_be_carried
from models.specs import TrainingSpec
from pipeline.errors import ConfigError, NotFittedError
from pipeline.movies.base import MovieSet
from pipeline.movies.partition import MoviePartition
from pipeline.movies.windows import MovieSpec
from pipeline.splits import Fractions
from tests.killing import require_resumed_alike
from tests.squares import rain, squares, windows_of

PARTS = Fractions(train=0.5, validation=0.25, test=0.25)
SHAPE = MovieShape(y=7, x=5, history=4, horizon=1, stepwise=True)


def stirred(model, seed=7):
    """With weights that give something else than a constant; variances stay positive."""
    rng = np.random.default_rng(seed)
    model.set_weights(
        [
            np.abs(rng.normal(size=each.shape)) + 0.5
            if "variance" in each.path
            else rng.normal(scale=0.3, size=each.shape)
            for each in model.weights
        ]
    )
    return model


def network(*, history=4, causal=False, depth=3, seed=7):
    shape = MovieShape(y=7, x=5, history=history, horizon=1, stepwise=True)
    return stirred(build(Config(layers=2, filters=3, causal=causal, depth=depth), shape), seed)


def recomputed(history, horizon, **how):
    """A roll-out by whole networks of a growing history, each made anew."""
    known = history
    for _ in range(horizon):
        whole = network(history=known.shape[1], **how)
        known = np.concatenate([known, np.asarray(whole({"history": known}))[:, -1:]], axis=1)
    return known[:, history.shape[1] :]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("depth", "given"), [(3, 4), (3, 1), (1, 2), (5, 3)])
def test_a_roll_out_with_carried_states_is_that_of_the_whole_history(causal, depth, given):
    history = np.random.default_rng(0).random((2, given, 7, 5)).astype(np.float32)
    model = network(causal=causal, depth=depth)
    assert can_be_carried(model)
    got = Roller(model).roll_out(history, 3)
    np.testing.assert_allclose(got, recomputed(history, 3, causal=causal, depth=depth), atol=1e-5)


def test_a_causal_network_sees_nothing_that_comes_later_and_the_other_does():
    history = np.random.default_rng(1).random((1, 4, 7, 5)).astype(np.float32)
    later = history.copy()
    later[:, 3] = 0.5
    for causal in (True, False):
        model = network(causal=causal)
        one, other = (np.asarray(model({"history": each})) for each in (history, later))
        np.testing.assert_array_equal(one[:, :2], other[:, :2])
        assert np.array_equal(one[:, 2], other[:, 2]) == causal
        assert not np.allclose(one[:, 3], other[:, 3])


def test_what_cannot_be_carried_is_given_the_newest_pictures_again():
    history = keras.Input((3, 2, 2), name="history")
    model = keras.Model([history], keras.layers.Rescaling(0.5)(history))
    assert not can_be_carried(model)
    given_ = np.arange(5, dtype=np.float32)[None, :, None, None] * np.ones((1, 5, 2, 2), np.float32)
    got = Roller(model).roll_out(given_, 3)
    np.testing.assert_array_equal(got[0, :, 0, 0], [2.0, 1.0, 0.5])
    with pytest.raises(ConfigError, match="the model takes 3 pictures, and a history has 2"):
        Roller(model).roll_out(given_[:, :2], 1)


@settings(max_examples=30)
@given(
    values=arrays.arrays(np.float32, (2, 3, 2), elements=st.floats(-50, 50, width=32)),
    scaling=st.sampled_from(["none", "unit", "standard"]),
)
def test_encode_and_decode_are_inverse(values, scaling):
    record = MovieSet.of(rain((6, 6), size=(3, 2)))
    encoder = MovieEncoder.fit_on(
        record, MovieSpec(history=2, scaling=scaling), windows_of(record, MovieSpec(history=2))
    )
    np.testing.assert_allclose(encoder.decode(encoder.encode(values)), values, rtol=1e-5, atol=1e-4)


def fitted(record, spec):
    return MovieEncoder.fit_on(record, spec, MoviePartition(record, PARTS, spec).windows("train"))


def test_scaling_is_fitted_on_training_pictures_alone():
    spec = MovieSpec(history=2)
    record = MovieSet.of(rain((6,) * 8))
    encoder = fitted(record, spec)
    train = record.values[: 4 * 6]
    assert encoder.offset == pytest.approx(float(np.nanmean(train.astype(float))))
    assert encoder.scale == pytest.approx(float(np.nanstd(train.astype(float))))
    record.values[4 * 6 :] += 7
    assert fitted(record, spec) == encoder
    record.values[: 4 * 6] += 7
    assert fitted(record, spec).sha256 != encoder.sha256


def test_an_encoder_comes_back_from_its_folder(tmp_path):
    spec = MovieSpec(history=2)
    encoder = fitted(MovieSet.of(rain((6,) * 8)), spec)
    encoder.save(tmp_path)
    assert MovieEncoder.load(tmp_path, spec) == encoder


def test_pictures_of_another_size_are_refused():
    spec = MovieSpec(history=2)
    encoder = fitted(MovieSet.of(rain((6,) * 8)), spec)
    other = MovieSet.of(rain((6,) * 8, size=(4, 4)))
    with pytest.raises(NotFittedError, match="pictures of 3 × 4 cells, and these are of 4 × 4"):
        encoder.samples(other, windows_of(other, spec))


@pytest.mark.parametrize("learn", ["next", "horizon"])
def test_samples_are_what_was_shown_and_what_came_after(learn):
    spec = MovieSpec(history=3, horizon=2, learn=learn, scaling="none")
    record = MovieSet.of(squares(12, 6))
    windows = MoviePartition(record, PARTS, spec).windows("train")
    samples = fitted(record, spec).samples(record, windows)
    some = np.array([0, 3, len(windows) - 1])
    history, target = samples.batch(some)
    (given_,), asked = [each.values() if isinstance(each, dict) else each for each in samples.signature]
    assert history.shape[1:] == given_
    assert target.shape[1:] == asked
    for row, at in enumerate(windows.first[some]):
        np.testing.assert_array_equal(history[row], record.values[at : at + history.shape[1]])
        begin = at + (1 if learn == "next" else 3)
        np.testing.assert_array_equal(target[row], record.asked[begin : begin + target.shape[1]])


def test_what_is_not_known_is_zero_to_models_and_nan_to_the_loss():
    spec = MovieSpec(history=2)
    record = MovieSet.of(rain((6,) * 8))
    encoder = fitted(record, spec)
    samples = encoder.samples(record, MoviePartition(record, PARTS, spec).windows("train"))
    history, target = samples.batch(np.arange(len(samples.windows)))
    first = samples.windows.first
    np.testing.assert_array_equal(np.isnan(target[:, 0]), np.isnan(record.values[first + 2]))
    assert np.isfinite(history).all()
    assert (history[:, 0][np.isnan(record.values[first])] == 0).all()


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "binary-cross-entropy"])
def test_a_loss_is_the_mean_over_the_cells_that_are_known(name):
    rng = np.random.default_rng(2)
    truth, given_ = (rng.random((3, 2, 4, 4)).astype(np.float32) for _ in range(2))
    truth[0, 0] = np.nan
    truth[2] = np.nan
    got = np.asarray(PictureLoss(name).call(truth, given_))
    error = truth.astype(float) - given_
    each = {
        "mse": error**2,
        "mae": np.abs(error),
        "huber": 0.5 * error**2,
        "binary-cross-entropy": -(truth * np.log(given_) + (1 - truth) * np.log(1 - given_)),
    }[name]
    np.testing.assert_allclose(got[:2], np.nanmean(each[:2], axis=(1, 2, 3)), rtol=1e-5)
    assert got[2] == 0


def test_a_loss_of_other_pictures_than_are_asked_for_is_refused():
    one, three = np.zeros((2, 1, 4, 4), np.float32), np.zeros((2, 3, 4, 4), np.float32)
    for truth, given_ in ((one, three), (three, one), (three, three[:, :, :1])):
        with pytest.raises(ConfigError, match=r"a model gives \(2, .* is asked for"):
            PictureLoss("mse").call(truth, given_)


def of_layers(*layers):
    history = keras.Input((4, 6, 6), name="history")
    pictures = hidden = keras.layers.Reshape((-1, 6, 6, 1))(history)
    for layer in layers:
        hidden = layer(hidden)
    return keras.Model([history], hidden if layers else pictures)


def recurrence(**how):
    return ConvLSTM2D(2, 3, **{"padding": "same", "return_sequences": True, **how})


def test_only_what_keeps_the_size_of_pictures_is_carried():
    convolution = keras.layers.Conv3D
    for layers in (
        [],
        [recurrence()],
        [recurrence(), convolution(1, 1)],
        [Margins(2, 0, 1), convolution(1, 3)],
        [recurrence(), Margins(1, 1, 2), convolution(1, (3, 5, 5))],
    ):
        assert can_be_carried(of_layers(*layers))
    for layers in (
        [recurrence(padding="valid")],
        [recurrence(strides=2)],
        [recurrence(return_sequences=False)],
        [recurrence(go_backwards=True)],
        [convolution(1, 3)],
        [convolution(1, 3, padding="same")],
        [Margins(2, 0, 1), convolution(1, 3, padding="same")],
        [Margins(2, 0, 1), convolution(1, 3, strides=(1, 2, 2))],
        [Margins(4, 0, 1), convolution(1, 3, dilation_rate=(2, 1, 1))],
        [Margins(0, 1, 1), convolution(1, 3)],
        [keras.layers.Reshape((2, 12, 6, 1))],
    ):
        assert not can_be_carried(of_layers(*layers))


@pytest.mark.parametrize("name", [name for name in MOVIE_MODELS if learning_of(name).learns == "next"])
def test_whether_states_are_carried_is_as_it_is_said(name):
    shape = MovieShape(y=8, x=8, history=4, horizon=1, stepwise=True)
    assert can_be_carried(build_of(name)(config_of(name)(), shape)) == learning_of(name).carried


def test_binary_cross_entropy_is_that_of_keras():
    rng = np.random.default_rng(3)
    truth = (rng.random((4, 2, 3, 3)) < 0.5).astype(np.float32)
    given_ = rng.random((4, 2, 3, 3)).astype(np.float32)
    ours = float(np.mean(PictureLoss("binary-cross-entropy").call(truth, given_)))
    assert ours == pytest.approx(float(np.mean(keras.losses.binary_crossentropy(truth, given_))), rel=1e-5)


def test_a_training_that_was_killed_ends_as_one_that_was_not(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "KEPT_EVERY", 0)
    spec = MovieSpec(history=3, horizon=2, learn="next", scaling="none")
    record = MovieSet.of(squares(40, 5))
    samples = fitted(record, spec).samples(record, MoviePartition(record, PARTS, spec).windows("train"))
    how = TrainingSpec(epochs=2, batch_size=4, loss="binary-cross-entropy", seed=2, precision="float32")

    def of(folder, progress):
        config = Config(layers=1, filters=2)
        return training.train("next_frame", config, how, samples, samples, Checkpoints(folder), progress)

    require_resumed_alike(of, tmp_path, "epoch 2, batch 3")


def test_the_network_in_full_is_as_described():
    model = build_of("next_frame")(config_of("next_frame")(), MovieShape(40, 40, 15, 1, stepwise=True))
    kinds = [type(each).__name__ for each in model.layers]
    assert kinds.count("ConvLSTM2D") == kinds.count("BatchNormalization") == 4
    assert kinds.count("Conv3D") == 1
    first, others = 4 * 40 * (9 * (1 + 40) + 1), 4 * 40 * (9 * (40 + 40) + 1)
    assert model.count_params() == first + 3 * others + 4 * 4 * 40 + 27 * 40 + 1
