"""The models of a station against what is published of them: Chollet, Deep Learning with Python (2021), chapter 10."""

import keras
import numpy as np
import pytest

from models import STATION_MODELS
from models.base import SeriesShape, build_of, config_of

JENA = SeriesShape(history=120, variables=14, leads=1)
PUBLISHED = {
    "linear_map": [120 * 14 + 1],
    "dense": [(120 * 14 + 1) * 16, 17],
    "pooled_dense": [11 * 14 * 128 + 128, 129],
    "conv1d": [(24 * 14 + 1) * 8, (12 * 8 + 1) * 8, (6 * 8 + 1) * 8, 9],
    "simple_rnn": [496, 17],
    "stacked_simple_rnn": [496, 528, 528, 17],
    "lstm": [1984, 17],
    "lstm_dropout": [6016, 33],
    "stacked_gru": [4608, 6336, 33],
    "bidirectional_lstm": [1984, 1984, 33],
}


def built(name, shape=JENA, **options):
    """The model, its last layer begun at random: as it is built, it forecasts zero."""
    model = build_of(name)(config_of(name)(**options), shape)
    leads = model.get_layer("leads")
    assert not np.any(leads.get_weights()[0])
    leads.set_weights([np.random.default_rng(1).normal(size=each.shape) for each in leads.get_weights()])
    return model


def history(shape, batch=3, seed=0):
    return np.random.default_rng(seed).normal(size=(batch, shape.history, shape.variables)).astype(np.float32)


@pytest.mark.parametrize("name", STATION_MODELS)
def test_parameters_are_as_many_as_published(name):
    assert [each.count_params() for each in built(name).layers if each.count_params()] == PUBLISHED[name]


def test_the_simple_network_is_its_recurrence():
    shape = SeriesShape(history=9, variables=2, leads=3)
    model = built("simple_rnn", shape, units=4)
    kernel, recurrent, bias, weights, intercept = (each.astype(float) for each in model.get_weights())
    given = history(shape)
    hidden = np.zeros((3, 4))
    for step in range(shape.history):
        hidden = np.tanh(given[:, step] @ kernel + hidden @ recurrent + bias)
    np.testing.assert_allclose(model({"history": given}), hidden @ weights + intercept, atol=1e-6)


def test_the_linear_map_is_linear():
    shape = SeriesShape(history=5, variables=3, leads=2)
    model = built("linear_map", shape)
    weights, intercept = model.get_weights()
    given = history(shape)
    np.testing.assert_allclose(
        model({"history": given}), given.reshape(3, -1) @ weights + intercept, atol=1e-5
    )


TEXTBOOK = {
    "lstm": lambda: [keras.layers.LSTM(16)],
    "lstm_dropout": lambda: [keras.layers.LSTM(32, recurrent_dropout=0.25), keras.layers.Dropout(0.5)],
    "stacked_gru": lambda: [
        keras.layers.GRU(32, recurrent_dropout=0.5, return_sequences=True),
        keras.layers.GRU(32, recurrent_dropout=0.5),
        keras.layers.Dropout(0.5),
    ],
    "bidirectional_lstm": lambda: [keras.layers.Bidirectional(keras.layers.LSTM(16))],
    "stacked_simple_rnn": lambda: [
        keras.layers.SimpleRNN(16, return_sequences=True),
        keras.layers.SimpleRNN(16, return_sequences=True),
        keras.layers.SimpleRNN(16),
    ],
    "conv1d": lambda: [
        keras.layers.Conv1D(8, 24, activation="relu"),
        keras.layers.MaxPooling1D(2),
        keras.layers.Conv1D(8, 12, activation="relu"),
        keras.layers.MaxPooling1D(2),
        keras.layers.Conv1D(8, 6, activation="relu"),
        keras.layers.GlobalAveragePooling1D(),
    ],
    "dense": lambda: [keras.layers.Flatten(), keras.layers.Dense(16, activation="relu")],
}


@pytest.mark.parametrize("name", TEXTBOOK)
def test_the_textbook_model_with_the_same_weights_gives_the_same(name):
    theirs = keras.Sequential(
        [keras.Input((JENA.history, JENA.variables)), *TEXTBOOK[name](), keras.layers.Dense(1)]
    )
    ours = built(name)
    theirs.set_weights(ours.get_weights())
    given = history(JENA)
    np.testing.assert_allclose(ours({"history": given}), theirs(given), atol=1e-5)


def test_sizes_are_set_by_the_configuration():
    shape = SeriesShape(history=24, variables=2, leads=5)
    layers = {
        each.name: each
        for each in built("stacked_gru", shape, units=3, depth=3, recurrent_dropout=0.1).layers
    }
    assert [layers[f"encoder_{level}"].units for level in (1, 2, 3)] == [3, 3, 3]
    assert layers["encoder_3"].recurrent_dropout == 0.1
    assert layers["leads"].units == 5


@pytest.mark.parametrize("name", ["lstm_dropout", "stacked_gru"])
def test_what_is_dropped_is_found_by_its_name(name):
    """Training sets these states by seed and epoch."""
    names = [each.name for each in built(name, SeriesShape(4, 2, 1)).non_trainable_variables]
    assert names
    assert set(names) == {"seed_generator_state"}
