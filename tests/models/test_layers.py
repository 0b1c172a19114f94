import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.layers import Cells, ConvLSTM, MeanOfSteps, Patches, Steps

sizes = st.integers(1, 4)
edges = st.integers(1, 9)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def convolve(fields, kernel):
    """Cross-correlation (batch, height, width, channel) with zeros beyond the edges, one offset at a time."""
    side = len(kernel)
    margin = side // 2
    padded = np.pad(fields, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    _, height, width, _ = fields.shape
    return sum(
        padded[:, row : row + height, column : column + width] @ kernel[row, column]
        for row in range(side)
        for column in range(side)
    )


def recurrence(layer, inputs, constants):
    """The cell of Shi et al. (2015) without peepholes, step by step, its forget gate biased by one."""
    kernels = {
        "x": np.asarray(layer.input_projection.kernel, np.float64),
        "c": np.asarray(layer.constant_projection.kernel, np.float64),
        "h": np.asarray(layer.recurrent_kernel, np.float64),
    }
    bias = np.asarray(layer.constant_projection.bias, np.float64)
    hidden = cell = np.zeros((*inputs.shape[:1], *inputs.shape[2:4], layer.filters))
    for step in range(inputs.shape[1]):
        gates = (
            convolve(inputs[:, step], kernels["x"])
            + convolve(constants, kernels["c"])
            + convolve(hidden, kernels["h"])
            + bias
        )
        forget, write, read, candidate = np.split(gates, 4, axis=-1)
        cell = sigmoid(forget + 1) * cell + sigmoid(write) * np.tanh(candidate)
        hidden = sigmoid(read) * np.tanh(cell)
    return hidden


@pytest.mark.parametrize("kernel_size", [1, 3])
@pytest.mark.parametrize("steps", [1, 4])
def test_the_convlstm_is_its_recurrence(kernel_size, steps):
    rng = np.random.default_rng(kernel_size)
    inputs = rng.normal(size=(2, steps, 4, 5, 2)).astype(np.float32)
    constants = rng.normal(size=(2, 4, 5, 3)).astype(np.float32)
    layer = ConvLSTM(3, kernel_size)
    layer(inputs, constants)
    layer.set_weights([rng.normal(scale=0.5, size=weight.shape) for weight in layer.get_weights()])
    np.testing.assert_allclose(
        layer(inputs, constants), recurrence(layer, inputs, constants), rtol=1e-4, atol=1e-5
    )


def test_the_convlstm_drops_whole_channels_in_training_alone():
    rng = np.random.default_rng(1)
    inputs, constants = rng.normal(size=(1, 3, 4, 4, 1)), rng.normal(size=(1, 4, 4, 1))
    layer = ConvLSTM(2, dropout=0.5)
    np.testing.assert_array_equal(layer(inputs, constants), layer(inputs, constants))
    assert not np.array_equal(layer(inputs, constants, training=True), layer(inputs, constants))


@settings(max_examples=25)
@given(size=sizes, height=edges, width=edges, channels=st.integers(1, 3))
def test_cells_undo_patches(size, height, width, channels):
    fields = np.random.default_rng(height).normal(size=(2, height, width, channels)).astype(np.float32)
    folded = np.asarray(Patches(size)(fields))
    assert folded.shape == (2, -(-height // size), -(-width // size), size**2 * channels)
    np.testing.assert_array_equal(Cells(size, height, width)(folded), fields)
    assert np.sum(folded != 0) == fields.size  # What is missing at the edges is zero.


@settings(max_examples=15)
@given(size=sizes, height=edges, width=edges, steps=st.integers(1, 4))
def test_steps_are_the_patches_of_each_step(size, height, width, steps):
    history = np.random.default_rng(width).normal(size=(2, height, width, steps)).astype(np.float32)
    folded = np.asarray(Steps(size)(history))
    for step in range(steps):
        np.testing.assert_array_equal(folded[:, step], Patches(size)(history[..., step : step + 1]))


@pytest.mark.parametrize(
    "layer",
    [ConvLSTM(3, 5, dropout=0.2, name="a"), Patches(2, name="b"), Cells(3, 8, 7), Steps(2, dtype="float16")],
    ids=lambda layer: type(layer).__name__,
)
def test_a_layer_is_rebuilt_from_its_configuration(layer):
    stored = keras.saving.serialize_keras_object(layer)
    assert stored["registered_name"] == f"isotherm>{type(layer).__name__}"
    back = keras.saving.deserialize_keras_object(stored)
    assert type(back) is type(layer)
    assert back.get_config() == layer.get_config()


def test_the_mean_of_many_steps_is_exact_in_the_compute_type():
    layer = MeanOfSteps(dtype="mixed_bfloat16")
    states = keras.ops.full((1, 1001, 1), 0.75, dtype="bfloat16")
    got = layer(states, keras.ops.ones((1, 1001)))
    assert keras.backend.standardize_dtype(got.dtype) == "bfloat16"
    assert float(np.asarray(keras.ops.cast(got, "float32"))[0, 0]) == 0.75
