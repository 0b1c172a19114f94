import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.conv_recurrence import SMALLEST_LANE
from models.convlstm2d import ConvLSTM2D
from models.unrolling import UNROLLED
from pipeline.errors import ConfigError


def random(*shape, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(scale=scale, size=shape).astype(np.float32)


def pair(inputs, filters=2, kernel_size=3, **options):
    """Ours and Keras's layer with the same random weights."""
    ours, theirs = (kind(filters, kernel_size, **options) for kind in (ConvLSTM2D, keras.layers.ConvLSTM2D))
    ours(inputs)
    theirs(inputs)
    theirs.set_weights([random(*each.shape, seed=1, scale=0.4) for each in theirs.get_weights()])
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def states_of(layer, inputs, seed=5):
    shape = layer.compute_output_shape(inputs.shape)
    shape = shape[-1] if isinstance(shape[0], tuple) else (shape[0], *shape[-3:])
    return [tf.constant(random(*shape, seed=seed + each, scale=0.5)) for each in range(2)]


def differentiate(layer, inputs, mask=None, states=(), traced=False, **compiling):
    """Outputs, and the gradients of inputs, states and weights against a fixed weighting of the outputs."""

    def run(inputs, *states):
        with tf.GradientTape() as tape:
            tape.watch([inputs, *states])
            outputs = layer(inputs, initial_state=list(states) or None, mask=mask)
            outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
            loss = sum(
                tf.reduce_sum(each * random(*each.shape, seed=seed)) for seed, each in enumerate(outputs)
            )
        gradients = tape.gradient(loss, [inputs, *states, *layer.trainable_variables])
        return [*outputs, *gradients]

    if traced:
        run = tf.function(run, **compiling)
    return [np.asarray(each) for each in run(tf.constant(inputs), *states)]


def same(got, expected):
    for ours, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * max(1, np.abs(theirs).max()), rtol=0)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_outputs_and_gradients_are_those_of_keras(data):
    draw = lambda strategy, label: data.draw(strategy, label=label)  # noqa: E731
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)), "kernel")
    size = [draw(st.integers(side, side + 4), "size") for side in kernel]
    batch, steps = draw(st.integers(1, 3), "batch"), draw(st.integers(1, 5), "steps")
    inputs = random(batch, steps, *size, draw(st.integers(1, 3), "channels"))
    ours, theirs = pair(
        inputs,
        draw(st.integers(1, 3), "filters"),
        kernel,
        strides=draw(st.tuples(st.integers(1, 3), st.integers(1, 3)), "strides"),
        padding=draw(st.sampled_from(["same", "valid"]), "padding"),
        return_sequences=draw(st.booleans(), "sequences"),
        return_state=draw(st.booleans(), "state"),
        go_backwards=draw(st.booleans(), "backwards"),
        use_bias=draw(st.booleans(), "bias"),
    )
    states = states_of(ours, inputs) if draw(st.booleans(), "initial state") else ()
    row = st.lists(st.booleans(), min_size=steps, max_size=steps)
    mask = draw(st.none() | st.lists(row, min_size=batch, max_size=batch).map(np.array), "mask")
    same(*(differentiate(layer, inputs, mask, states) for layer in (ours, theirs)))


@pytest.mark.parametrize("steps", [3, UNROLLED + 3], ids=["unrolled", "loop"])
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize("activation", ["tanh", "softsign"])
@pytest.mark.parametrize("side", [5, 18], ids=["one lane", "two lanes"])
def test_traced_it_is_the_same(steps, masked, activation, side):
    if side == 18:
        assert side * side > 2 * SMALLEST_LANE
        steps = min(steps, 3)
    inputs = random(2, steps, side, side, 1)
    mask = np.random.default_rng(2).random((2, steps)) < 0.6 if masked else None
    ours, theirs = pair(
        inputs, padding="same", return_sequences=True, return_state=masked, activation=activation
    )
    same(differentiate(ours, inputs, mask, traced=True), differentiate(theirs, inputs, mask, traced=True))


def test_compiled_as_a_whole_it_is_the_same():
    inputs = random(2, 3, 18, 18, 2)
    ours, theirs = pair(inputs, padding="same")
    states = states_of(ours, inputs)
    same(
        differentiate(ours, inputs, None, states, traced=True, jit_compile=True),
        differentiate(theirs, inputs, None, states),
    )


@pytest.mark.parametrize("recurrent_activation", ["sigmoid", "hard_sigmoid"])
@pytest.mark.parametrize("activation", ["tanh", "relu", None])
def test_any_activations_are_those_of_keras(activation, recurrent_activation):
    inputs = random(2, 4, 5, 4, 2)
    ours, theirs = pair(
        inputs, activation=activation, recurrent_activation=recurrent_activation, return_state=True
    )
    states = states_of(ours, inputs)
    same(*(differentiate(layer, inputs, states=states) for layer in (ours, theirs)))


@pytest.mark.parametrize("forgetting", [True, False])
def test_it_begins_as_the_layer_of_keras_and_gives_its_weights_back(forgetting):
    options = {"unit_forget_bias": forgetting, "bias_initializer": keras.initializers.Constant(0.3)}
    inputs = random(1, 2, 4, 4, 2)
    ours, theirs = ConvLSTM2D(3, (2, 3), **options), keras.layers.ConvLSTM2D(3, (2, 3), **options)
    ours(inputs)
    theirs(inputs)
    assert [each.name for each in ours.weights] == [each.name for each in theirs.weights]
    assert [each.shape for each in ours.weights] == [each.shape for each in theirs.weights]
    np.testing.assert_array_equal(ours.bias, theirs.cell.bias)
    flat = np.reshape(ours.recurrent_kernel, (-1, 12))
    np.testing.assert_allclose(flat.T @ flat, np.eye(12), atol=1e-5)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(inputs), theirs(inputs), atol=1e-6)
    again = ConvLSTM2D(3, (2, 3))
    again(inputs)
    again.set_weights(theirs.get_weights())
    np.testing.assert_array_equal(again(inputs), ours(inputs))


@settings(max_examples=10, deadline=None)
@given(seam=st.integers(1, 5), sequences=st.booleans(), masked=st.booleans())
def test_a_run_in_pieces_is_the_run(seam, sequences, masked):
    inputs = random(2, 6, 5, 5, 2)
    mask = np.arange(6) % 3 != np.array([[1], [2]]) if masked else None
    layer = ConvLSTM2D(3, 3, return_sequences=sequences, return_state=True)
    whole = layer(inputs, mask=mask)
    parts = (None, None) if mask is None else np.split(mask, [seam], axis=1)
    first = layer(inputs[:, :seam], mask=parts[0])
    second = layer(inputs[:, seam:], initial_state=first[1:], mask=parts[1])
    for got, expected in zip(second[1:], whole[1:], strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-6)
    if sequences:
        joined = np.concatenate([first[0], second[0]], axis=1)
        # A step that does not count repeats an output of its own piece.
        counts = np.ones((2, 6), bool) if mask is None else mask
        np.testing.assert_allclose(joined[counts], np.asarray(whole[0])[counts], atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(padding=st.integers(1, 4), before=st.booleans(), sequences=st.booleans())
def test_what_is_masked_cannot_change_a_result(padding, before, sequences):
    inputs = random(2, 3, 5, 5, 2)
    layer = ConvLSTM2D(3, 3, padding="same", return_sequences=sequences)
    blank = 100 * random(2, padding, 5, 5, 2, seed=3)
    parts = [blank, inputs] if before else [inputs, blank]
    counts = np.concatenate([np.full((2, each.shape[1]), each is inputs) for each in parts], axis=1)
    got = np.asarray(layer(np.concatenate(parts, axis=1), mask=counts))
    expected = np.asarray(layer(inputs))
    if not sequences:
        np.testing.assert_allclose(got, expected, atol=1e-6)
    elif before:
        np.testing.assert_array_equal(got[:, :padding], 0)
        np.testing.assert_allclose(got[:, padding:], expected, atol=1e-6)
    else:
        np.testing.assert_allclose(got[:, :3], expected, atol=1e-6)
        np.testing.assert_allclose(got[:, 3:], np.repeat(expected[:, -1:], padding, axis=1), atol=1e-6)


def test_the_mask_goes_with_the_sequence():
    layer = ConvLSTM2D(2, 3, return_sequences=True, return_state=True)
    assert layer.compute_mask(None, "mask") == ["mask", None, None]
    assert ConvLSTM2D(2, 3).compute_mask(None, "mask") is None


@pytest.mark.parametrize(
    "dropped", [{"recurrent_dropout": 0.4}, {"dropout": 0.3}], ids=lambda each: next(iter(each))
)
def test_what_is_dropped_gives_the_distribution_of_keras(dropped):
    draws = 8000
    inputs = np.repeat(random(1, 4, 3, 3, 2, seed=5), draws, axis=0)
    ours, theirs = pair(inputs[:2], 2, 2, seed=11, **dropped)
    got, expected = (np.asarray(layer(inputs, training=True)) for layer in (ours, theirs))
    assert expected.std(axis=0).min() > 1e-3
    error = np.sqrt((got.var(axis=0) + expected.var(axis=0)) / draws)
    assert (abs(got.mean(axis=0) - expected.mean(axis=0)) < 5 * error).all()
    np.testing.assert_allclose(got.std(axis=0), expected.std(axis=0), rtol=0.1)
    for order in (0.05, 0.5, 0.95):
        at = [np.quantile(each, order, axis=0) for each in (got, expected)]
        np.testing.assert_allclose(*at, atol=0.1 * expected.std(axis=0).max())


def test_the_state_is_dropped_at_the_same_cells_at_all_steps():
    """With gates that are open and a linear cell, a cell's output doubles at each step, or is never seen again."""
    layer = ConvLSTM2D(
        1,
        1,
        activation=None,
        recurrent_activation="linear",
        recurrent_dropout=0.5,
        return_sequences=True,
        seed=1,
    )
    inputs = np.zeros((1, 6, 20, 20, 1), np.float32)
    inputs[:, 0] = 1.0
    layer(inputs)
    kernel, recurrent = np.zeros((1, 1, 1, 4)), np.zeros((1, 1, 1, 4))
    kernel[..., 2] = recurrent[..., 2] = 1.0
    layer.set_weights([kernel, recurrent, np.array([1.0, 0.0, 0.0, 1.0])])
    got = np.asarray(layer(inputs, training=True))[0, ..., 0]
    kept = got[1] != 0
    assert 0.4 < kept.mean() < 0.6
    np.testing.assert_array_equal(got[1:, ~kept], 0)
    np.testing.assert_allclose(got[:, kept], np.repeat(2.0 ** np.arange(6)[:, None], kept.sum(), axis=1))


def test_the_seed_decides_what_is_dropped_in_training_alone():
    inputs = random(2, 3, 4, 4, 2)
    layers = [ConvLSTM2D(2, 3, recurrent_dropout=0.5, dropout=0.2, seed=seed) for seed in (1, 1, 2)]
    for layer in layers:
        layer(inputs)
        layer.set_weights(layers[0].get_weights())
    first, again, other = (np.asarray(layer(inputs, training=True)) for layer in layers)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(layers[0](inputs, training=True), first)
    np.testing.assert_array_equal(layers[0](inputs), layers[2](inputs))


@pytest.mark.parametrize("side", [5, 18], ids=["one lane", "two lanes"])
def test_mixed_precision_stays_near_float32_with_weights_of_float32(side):
    inputs = random(2, 8, side, side, 2)
    options = {"padding": "same", "return_sequences": True, "return_state": True}
    mixed, plain = ConvLSTM2D(3, 3, dtype="mixed_bfloat16", **options), ConvLSTM2D(3, 3, **options)
    assert {each.dtype.name for each in mixed(inputs)} == {"bfloat16"}
    assert {each.dtype for each in mixed.weights} == {"float32"}
    plain(inputs)
    plain.set_weights(mixed.get_weights())
    states = states_of(plain, inputs)

    def results(layer):
        with tf.GradientTape() as tape:
            outputs = [tf.cast(each, "float32") for each in layer(inputs, initial_state=states)]
            loss = sum(tf.reduce_mean(each * random(*each.shape, seed=3)) for each in outputs)
        return outputs, tape.gradient(loss, layer.trainable_variables)

    (got, d_got), (expected, d_expected) = results(mixed), results(plain)
    for ours, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.03)
    for ours, theirs in zip(d_got, d_expected, strict=True):
        assert ours.dtype == "float32"
        np.testing.assert_allclose(ours, theirs, atol=0.03 * np.abs(theirs).max())


def network(**options):
    movie = keras.Input((None, 6, 6, 1))
    states = [keras.Input((6, 6, 2)), keras.Input((6, 6, 2))]
    options = {"padding": "same", "return_sequences": True, **options}
    sequence, *last = ConvLSTM2D(2, 3, return_state=True, **options)(movie, initial_state=states)
    frames = keras.layers.Conv3D(1, (1, 3, 3), padding="same")(sequence)
    return keras.Model([movie, *states], [frames, *last])


@pytest.mark.parametrize("dropped", [0.0, 0.2])
def test_movies_of_any_length_and_batches_of_any_size_train(dropped):
    model = network(recurrent_dropout=dropped)
    assert [each.shape for each in model.outputs] == [(None, None, 6, 6, 1), *[(None, 6, 6, 2)] * 2]
    model.compile("sgd", ["mse", None, None])
    for batch, steps in ((3, 2), (2, UNROLLED + 1)):
        movie, states = random(batch, steps, 6, 6, 1), [random(batch, 6, 6, 2)] * 2
        before = [each.copy() for each in model.get_weights()]
        model.fit([movie, *states], [movie, *states], verbose=0)
        after = model.get_weights()
        assert all(np.isfinite(each).all() for each in after)
        assert not any(np.array_equal(*each) for each in zip(before, after, strict=True))


def test_it_is_saved_and_loaded_in_safe_mode(tmp_path):
    model = network(activation="softsign", strides=1)
    model.save(tmp_path / "model.keras")
    back = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    given = [random(2, 4, 6, 6, 1), random(2, 6, 6, 2), random(2, 6, 6, 2)]
    for ours, theirs in zip(back.predict(given, verbose=0), model.predict(given, verbose=0), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_it_is_rebuilt_from_its_configuration():
    layer = ConvLSTM2D(
        3,
        (2, 3),
        strides=(1, 2),
        padding="same",
        activation="softsign",
        recurrent_activation="hard_sigmoid",
        use_bias=False,
        kernel_initializer="he_normal",
        recurrent_initializer=keras.initializers.Orthogonal(gain=0.5, seed=3),
        bias_initializer="ones",
        unit_forget_bias=False,
        dropout=0.1,
        recurrent_dropout=0.2,
        seed=4,
        return_sequences=True,
        return_state=True,
        go_backwards=True,
        name="a",
        dtype="mixed_bfloat16",
    )
    stored = keras.saving.serialize_keras_object(layer)
    assert stored["registered_name"] == "isotherm>ConvLSTM2D"
    back = keras.saving.deserialize_keras_object(stored)
    assert type(back) is ConvLSTM2D
    assert back.get_config() == layer.get_config()
    theirs = keras.layers.ConvLSTM2D(3, (2, 3)).get_config()
    assert set(ConvLSTM2D(3, (2, 3)).get_config()) <= set(theirs)
    defaults = ConvLSTM2D(3, (2, 3), name="b").get_config()
    assert {name: theirs[name] for name in defaults if name != "name"} == {
        name: value for name, value in defaults.items() if name != "name"
    }


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"filters": 0}, "filters must be a positive whole number, and it is 0"),
        ({"filters": 2.0}, "filters must be"),
        ({"kernel_size": (3, 3, 3)}, "kernel_size must be a positive whole number, or 2 of them"),
        ({"kernel_size": "3"}, "kernel_size must be"),
        ({"strides": 0}, "strides must be"),
        ({"strides": True}, "strides must be"),
        ({"padding": "causal"}, "padding must be 'valid' or 'same', and it is 'causal'"),
        ({"data_format": "channels_first"}, "data_format must be 'channels_last'"),
        ({"dropout": 1.0}, "dropout must be from 0 to less than 1"),
        ({"recurrent_dropout": "a"}, "recurrent_dropout must be"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused_by_name(arguments, named):
    with pytest.raises(ConfigError, match=named):
        ConvLSTM2D(**{"filters": 2, "kernel_size": 3, **arguments})


def test_what_it_cannot_run_on_is_refused():
    layer = ConvLSTM2D(2, 3, name="second")
    with pytest.raises(ConfigError, match="height, width and channels must be known"):
        layer(keras.Input((4, None, 6, 1)))
    with pytest.raises(ConfigError, match="nothing is left of 2 cells under a kernel of 3"):
        ConvLSTM2D(2, 3)(random(1, 2, 2, 5, 1))
    inputs = random(1, 2, 5, 5, 1)
    with pytest.raises(ConfigError, match=r"mask must be of \(batch, time\)"):
        layer(inputs, mask=np.ones((1, 2, 5)))
    fitting = np.zeros((1, 3, 3, 2), np.float32)
    for state in ([fitting], [fitting, fitting[:, 1:]], fitting):
        with pytest.raises(ConfigError, match=r"initial_state must be two arrays of \(batch, 3, 3, 2\)"):
            layer(inputs, initial_state=state)
