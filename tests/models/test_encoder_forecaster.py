"""The encoder and the forecaster: any number of pictures in and out, and states that are taken over."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from models.base import MovieShape
from models.encoder_forecaster import Config, build
from models.movie_layers import LastSteps, PictureCells, PicturePatches
from pipeline.errors import ConfigError

SMALL = Config(filters=(3, 2), patch=2, normalise=False)


def stirred(model: keras.Model) -> keras.Model:
    rng = np.random.default_rng(5)
    for weight in model.weights:
        if "moving" not in weight.path:
            weight.assign(rng.normal(scale=0.4, size=weight.shape))
    return model


def pictures(count: int, *, y: int = 7, x: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(2, count, y, x)).astype(np.float32)


@pytest.mark.parametrize(("history", "horizon"), [(1, 1), (1, 5), (4, 2), (2, 7), (6, 6)])
def test_any_number_of_pictures_goes_in_and_comes_out(history: int, horizon: int) -> None:
    model = build(SMALL, MovieShape(y=7, x=6, history=history, horizon=horizon))
    assert model({"history": pictures(history)}).shape == (2, horizon, 7, 6)
    for level in (0, 1):
        steps = {
            name: model.get_layer(f"{name}_{level}").output[0].shape[1] for name in ("encoder", "forecaster")
        }
        assert steps == {"encoder": history, "forecaster": horizon}


def test_a_trained_network_reads_longer_histories_where_their_number_is_left_open() -> None:
    shape = MovieShape(y=7, x=6, history=None, horizon=3)
    model = stirred(build(SMALL, shape))
    for count in (2, 5):
        fixed = build(SMALL, MovieShape(y=7, x=6, history=count, horizon=3))
        fixed.set_weights(model.get_weights())
        np.testing.assert_allclose(
            model({"history": pictures(count)}), fixed({"history": pictures(count)}), atol=1e-5
        )


def test_before_training_it_forecasts_nothing() -> None:
    model = build(Config(filters=(3,), patch=4), MovieShape(y=7, x=6, history=3, horizon=4))
    assert not np.asarray(model({"history": pictures(3)})).any()


def test_it_is_what_keras_layers_give_whose_states_are_handed_over() -> None:
    model = stirred(build(SMALL, MovieShape(y=8, x=6, history=4, horizon=5)))
    given = pictures(4, y=8)

    def run(name: str, steps, states=None):
        ours = model.get_layer(name)
        theirs = keras.layers.ConvLSTM2D(
            ours.filters, ours.kernel_size, padding="same", return_sequences=True, return_state=True
        )
        theirs.build(steps.shape)
        theirs.set_weights(ours.get_weights())
        output, *last = theirs(steps, initial_state=states)
        return output, last

    squares = PicturePatches(2)(given)
    below, low = run("encoder_0", squares)
    top, high = run("encoder_1", below)
    first, _ = run("forecaster_1", ops.repeat(top[:, -1:], 5, axis=1), high)
    second, _ = run("forecaster_0", first, low)
    seen = ops.concatenate([first, second, ops.repeat(squares[:, -1:], 5, axis=1)], axis=-1)
    leads = PictureCells(2, 8, 6)(model.get_layer("leads")(seen))
    np.testing.assert_allclose(model({"history": given}), leads, atol=2e-5)


def test_without_the_states_it_would_give_something_else() -> None:
    model = stirred(build(SMALL, MovieShape(y=7, x=6, history=4, horizon=2)))
    given = pictures(4)
    other = given.copy()
    other[:, 0] += 1
    assert not np.allclose(model({"history": given}), model({"history": other}), atol=1e-3)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_squares_are_folded_and_unfolded_without_loss(size: int) -> None:
    given = pictures(3)
    folded = PicturePatches(size)(given)
    assert folded.shape == (2, 3, -(-7 // size), -(-6 // size), size**2)
    np.testing.assert_array_equal(PictureCells(size, 7, 6)(folded), given)
    np.testing.assert_array_equal(np.asarray(folded)[:, :, 0, 0, 0], given[:, :, 0, 0])


def test_the_last_step_is_repeated() -> None:
    given = pictures(3)
    np.testing.assert_array_equal(LastSteps(4)(given), np.repeat(given[:, -1:], 4, axis=1))


def test_the_next_picture_at_every_step_is_refused() -> None:
    with pytest.raises(ConfigError, match="learn"):
        build(SMALL, MovieShape(y=7, x=6, history=4, horizon=1, stepwise=True))


def test_its_layers_are_known_wherever_a_model_is_loaded() -> None:
    names = "'PicturePatches', 'PictureCells', 'LastSteps'"
    code = (
        "import keras, models.trained; "
        f"print([n for n in ({names}) if keras.saving.get_registered_object('isotherm>' + n) is None])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
