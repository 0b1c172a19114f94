"""Roll-outs: pictures predicted one from another, with the states carried and nothing computed twice."""

from __future__ import annotations

from itertools import count, pairwise
from math import prod
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from models.convlstm2d import ConvLSTM2D
from models.layers import Margins
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.float32]

_EACH_STEP = (keras.layers.BatchNormalization, keras.layers.Dropout)


class Roller:
    """Roll-outs of one model, whose steps are built once.

    The state after the history is carried on: each further picture costs one step. A model of other layers than those
    that are known to be carried is given as many of the newest pictures as it takes, again for each picture.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._carried = can_be_carried(model)
        self._steps: dict[int, keras.Model] = {}

    def roll_out(self, history: Array, horizon: int) -> Array:
        """float32 (sample, horizon, y, x): what the model makes of histories (sample, time, y, x).

        Raises
        ------
        ConfigError
            A model that cannot be carried takes more pictures than the history has.
        """
        if not self._carried:
            return _again(self._model, history, horizon)
        shapes = _state_shapes(self._model, history.shape[2:])
        state = [np.zeros((len(history), *shape), np.float32) for shape in shapes]
        picture, *state = self._stepping(history.shape[1]).predict_on_batch([history, *state])
        found = [picture]
        for _ in range(horizon - 1):
            picture, *state = self._stepping(1).predict_on_batch([picture[:, None], *state])
            found.append(picture)
        return np.stack([np.asarray(each, np.float32) for each in found], axis=1)

    def _stepping(self, steps: int) -> keras.Model:
        if steps not in self._steps:
            self._steps[steps] = _stepping(self._model, steps)
        return self._steps[steps]


def can_be_carried(model: keras.Model) -> bool:
    """Whether all layers are one upon another, and each keeps the size of pictures and is one whose state is known.

    Of a three-dimensional convolution and the margins before it, it is the two together that keep the size.
    """
    _, *layers = model.layers
    if any(isinstance(each.input, (list, tuple, dict)) for each in layers):
        return False
    return all(_is_known(before, each) for before, each in pairwise([None, *layers]))


def _is_known(before: keras.layers.Layer | None, layer: keras.layers.Layer) -> bool:
    match layer:
        case ConvLSTM2D():
            sized = layer.padding == "same" and layer.strides == (1, 1)
            return sized and layer.return_sequences and not layer.return_state and not layer.go_backwards
        case keras.layers.Conv3D():
            added = (0, 0, 0)
            if isinstance(before, Margins):
                added = (before.before + before.after, 2 * before.side, 2 * before.side)
            plain = layer.padding == "valid" and {*layer.strides, *layer.dilation_rate} == {1}
            return plain and added == tuple(size - 1 for size in layer.kernel_size)
        case keras.layers.Reshape():
            return prod(layer.input.shape[2:]) == prod(layer.target_shape[1:])
        case _:
            return isinstance(layer, (Margins, *_EACH_STEP))


def _again(model: keras.Model, history: Array, horizon: int) -> Array:
    taken = model.inputs[0].shape[1] or history.shape[1]
    if taken > history.shape[1]:
        raise ConfigError(
            f"the model takes {taken} pictures, and a history has {history.shape[1]}",
            remedy="lengthen history of [movies] windows, or shorten its steps",
        )
    known = history
    for _ in range(horizon):
        picture = np.asarray(model.predict_on_batch({"history": known[:, -taken:]}), np.float32)[:, -1:]
        known = np.concatenate([known, picture], axis=1)
    return known[:, history.shape[1] :]


def _state_shapes(model: keras.Model, size: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    channels = 1
    for layer in model.layers:
        if isinstance(layer, ConvLSTM2D):
            channels = layer.filters
            yield from ((*size, channels),) * 2
        elif isinstance(layer, Margins) and layer.before:
            yield (layer.before, *size, channels)


def _stepping(model: keras.Model, steps: int) -> keras.Model:
    """From `steps` pictures and the states before them to the picture after them and the states then.

    Inputs (steps, y, x) and the states in the order of the layers: of a recurrence its output and cell, of margins
    along time the last steps that were seen.
    """
    _, *layers = model.layers
    _, _, *size = model.inputs[0].shape
    given = keras.Input((steps, *size))
    states = [keras.Input(shape) for shape in _state_shapes(model, tuple(size))]
    left, after = iter(states), []
    flow: Any = given
    number = count()
    for layer in layers:
        if isinstance(layer, ConvLSTM2D):
            twin = _with_states(layer, flow.shape, f"carried_{next(number)}")
            flow, hidden, cell = twin(flow, initial_state=(next(left), next(left)))
            after += [hidden, cell]
        elif isinstance(layer, Margins):
            seen = ops.concatenate([next(left), flow], axis=1) if layer.before else flow
            if layer.before:
                after.append(seen[:, -layer.before :])
            flow = Margins(0, layer.after, layer.side)(seen)
        elif isinstance(layer, keras.layers.Reshape):
            flow = keras.layers.Reshape((steps, *layer.target_shape[1:]))(flow)
        else:
            flow = layer(flow)
    return keras.Model([given, *states], [flow[:, -1], *after])


def _with_states(layer: ConvLSTM2D, shape: tuple[int | None, ...], name: str) -> ConvLSTM2D:
    twin = ConvLSTM2D.from_config({**layer.get_config(), "return_state": True, "name": name})
    twin.build(shape)
    twin.set_weights(layer.get_weights())
    return twin
