import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recurrent import GRU, LSTM, SMALLEST_LANE, SimpleRNN

PEERS = {LSTM: keras.layers.LSTM, GRU: keras.layers.GRU, SimpleRNN: keras.layers.SimpleRNN}
every_layer = pytest.mark.parametrize("kind", PEERS, ids=lambda kind: kind.__name__)


def random(*shape, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(scale=scale, size=shape).astype(np.float32)


def pair(kind, inputs, units=4, **options):
    """Ours and Keras's layer with the same random weights."""
    ours, theirs = kind(units, **options), PEERS[kind](units, **options)
    ours(inputs)
    theirs(inputs)
    theirs.set_weights([random(*each.shape, seed=1, scale=0.5) for each in theirs.get_weights()])
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def differentiate(layer, inputs, compiled=False):
    """Output, and the gradients of its inputs and weights against a fixed weighting of the output."""

    @tf.function(jit_compile=compiled)
    def run(given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            output = layer(given)
            loss = tf.reduce_sum(output * tf.constant(random(*output.shape, seed=2)))
        return output, *tape.gradient(loss, [given, *layer.trainable_variables])

    return [each.numpy() for each in run(tf.constant(inputs))]


def same(got, expected):
    for ours, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * max(1, np.abs(theirs).max()))


@every_layer
@settings(max_examples=4, deadline=None)
@given(
    sequences=st.booleans(),
    backwards=st.booleans(),
    batch=st.integers(1, 4),
    steps=st.integers(1, 6),
    units=st.integers(1, 5),
)
def test_outputs_and_gradients_are_those_of_keras(kind, sequences, backwards, batch, steps, units):
    inputs = random(batch, steps, 3)
    ours, theirs = pair(kind, inputs, units, return_sequences=sequences, go_backwards=backwards)
    same(differentiate(ours, inputs), differentiate(theirs, inputs))


@every_layer
def test_compiled_and_in_two_lanes_they_are_the_same(kind):
    inputs = random(2 * SMALLEST_LANE + 1, 3, 2)
    ours, theirs = pair(kind, inputs)
    same(differentiate(ours, inputs, compiled=True), differentiate(theirs, inputs))


@every_layer
def test_a_long_sequence_of_large_values_stays_that_of_keras(kind):
    inputs = random(2, 60, 3, scale=30.0)
    ours, theirs = pair(kind, inputs)
    np.testing.assert_allclose(ours(inputs), theirs(inputs), atol=1e-5)


def test_the_simple_network_is_its_recurrence():
    inputs = random(3, 7, 2)
    layer = SimpleRNN(4, return_sequences=True)
    got = np.asarray(layer(inputs))
    kernel, recurrent, bias = (each.astype(float) for each in layer.get_weights())
    hidden = np.zeros((3, 4))
    for step in range(7):
        hidden = np.tanh(inputs[:, step] @ kernel + hidden @ recurrent + bias)
        np.testing.assert_allclose(got[:, step], hidden, atol=1e-6)


@every_layer
def test_it_begins_as_the_layer_of_keras(kind):
    keras.utils.set_random_seed(3)
    ours = kind(4)
    ours(random(1, 2, 3))
    keras.utils.set_random_seed(3)
    theirs = PEERS[kind](4)
    theirs(random(1, 2, 3))
    assert [each.name for each in ours.weights] == [each.name for each in theirs.weights]
    assert [each.shape for each in ours.weights] == [each.shape for each in theirs.weights]
    np.testing.assert_array_equal(ours.bias, theirs.cell.bias)
    np.testing.assert_allclose(
        ours.recurrent_kernel @ np.transpose(ours.recurrent_kernel), np.eye(4), atol=1e-5
    )


@every_layer
def test_it_looks_only_at_the_past(kind):
    inputs = random(2, 6, 3)
    later = inputs.copy()
    later[:, 4:] += 1
    layer = kind(4, return_sequences=True)
    before, after = np.asarray(layer(inputs)), np.asarray(layer(later))
    np.testing.assert_allclose(before[:, :4], after[:, :4], atol=1e-6)
    assert not np.allclose(before[:, 4], after[:, 4])


def samples_of(layer, times):
    """Outputs of one sample under many draws of what is dropped: (draw, units)."""
    inputs = np.repeat(random(1, 6, 3, seed=5), times, axis=0)
    return np.asarray(layer(inputs, training=True))


@every_layer
@pytest.mark.parametrize(
    "dropped", [{"recurrent_dropout": 0.4}, {"dropout": 0.3}], ids=lambda each: next(iter(each))
)
def test_what_is_dropped_gives_the_distribution_of_keras(kind, dropped):
    ours, theirs = pair(kind, random(1, 6, 3), seed=11, **dropped)
    draws = 20_000
    got, expected = samples_of(ours, draws), samples_of(theirs, draws)
    error = np.sqrt((got.var(axis=0) + expected.var(axis=0)) / draws)
    assert (abs(got.mean(axis=0) - expected.mean(axis=0)) < 5 * error + 1e-6).all()
    np.testing.assert_allclose(got.std(axis=0), expected.std(axis=0), rtol=0.06, atol=1e-6)
    for order in (0.05, 0.5, 0.95):
        at = [np.quantile(each, order, axis=0) for each in (got, expected)]
        np.testing.assert_allclose(*at, atol=0.1 * expected.std(axis=0).max())


def test_the_mask_of_the_state_is_the_same_at_all_steps():
    """With one unit that decays by a constant factor, a draw either keeps the factor at all steps or loses it."""
    rate, factor = 0.5, 0.1
    layer = SimpleRNN(1, recurrent_dropout=rate, return_sequences=True, seed=1)
    inputs = np.zeros((400, 8, 1), np.float32)
    inputs[:, 0] = 0.01
    layer(inputs)
    layer.set_weights([np.ones((1, 1)), np.full((1, 1), factor), np.zeros(1)])
    got = np.asarray(layer(inputs, training=True))[..., 0]
    kept = got[:, 1] != 0
    assert 0.4 < kept.mean() < 0.6
    assert (got[~kept, 1:] == 0).all()
    np.testing.assert_allclose(got[kept, 1:4], got[kept, 0:3] * factor / (1 - rate), rtol=1e-3)


@every_layer
def test_gradients_under_a_mask_are_those_of_the_masked_function(kind):
    """The closed form agrees with differences of the outputs, for one draw of the masks."""
    inputs = random(2, 4, 3)
    layer = kind(3, recurrent_dropout=0.4, dropout=0.3, seed=7)
    layer(inputs)
    layer.set_weights([random(*each.shape, seed=3, scale=0.5) for each in layer.get_weights()])
    state = layer.seed_generator.state.numpy()
    weighting = random(2, 3, seed=2)

    def loss():
        layer.seed_generator.state.assign(state)
        return tf.reduce_sum(layer(inputs, training=True) * weighting)

    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, layer.trainable_variables)
    for weight, gradient in zip(layer.trainable_variables, gradients, strict=True):
        direction = random(*weight.shape, seed=4)
        before = weight.numpy()
        around = []
        for sign in (1, -1):
            weight.assign(before + sign * 1e-2 * direction)
            around.append(float(loss()))
        weight.assign(before)
        np.testing.assert_allclose(
            (around[0] - around[1]) / 2e-2, np.sum(np.asarray(gradient) * direction), rtol=5e-3, atol=2e-3
        )


@every_layer
def test_the_seed_decides_what_is_dropped_in_training_alone(kind):
    inputs = random(3, 5, 2)
    layers = [kind(4, recurrent_dropout=0.5, dropout=0.2, seed=seed) for seed in (1, 1, 2)]
    for layer in layers:
        layer(inputs)
        layer.set_weights(layers[0].get_weights())
    first, again, other = (np.asarray(layer(inputs, training=True)) for layer in layers)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(layers[0](inputs, training=True), first)
    np.testing.assert_array_equal(layers[0](inputs), layers[2](inputs))
    states = [each.name for each in layers[0].non_trainable_variables]
    assert states == ["seed_generator_state"]
    assert kind(4).variables == []


@every_layer
def test_mixed_precision_returns_its_type_and_stays_near_float32(kind):
    inputs = random(3, 40, 2)
    mixed = kind(4, return_sequences=True, dtype="mixed_bfloat16")
    plain = kind(4, return_sequences=True)
    plain(inputs)
    got = mixed(inputs)
    mixed.set_weights(plain.get_weights())
    got = mixed(inputs)
    assert got.dtype == "bfloat16"
    assert {each.dtype for each in mixed.weights} == {"float32"}
    np.testing.assert_allclose(tf.cast(got, "float32"), plain(inputs), atol=0.02)


@pytest.mark.parametrize("compiled", ["auto", True])
def test_batches_of_any_size_train(compiled):
    given = keras.Input((4, 2))
    model = keras.Model(given, keras.layers.Dense(1)(GRU(3, recurrent_dropout=0.2)(given)))
    model.compile("sgd", "mse", jit_compile=compiled)
    for size in (2, 1):
        assert np.isfinite(model.train_on_batch(random(size, 4, 2), random(size, 1)))


@every_layer
def test_it_is_rebuilt_from_its_configuration(kind):
    layer = kind(
        3, return_sequences=True, go_backwards=True, dropout=0.1, recurrent_dropout=0.2, seed=4, name="a"
    )
    stored = keras.saving.serialize_keras_object(layer)
    assert stored["registered_name"] == f"isotherm>{kind.__name__}"
    back = keras.saving.deserialize_keras_object(stored)
    assert type(back) is kind
    assert back.get_config() == layer.get_config()


@every_layer
@pytest.mark.parametrize("sequences", [False, True])
def test_the_shape_it_says_is_the_shape_it_gives(kind, sequences):
    layer = kind(3, return_sequences=sequences)
    assert layer.compute_output_shape((2, 5, 4)) == layer(random(2, 5, 4)).shape
