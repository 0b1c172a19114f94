"""What every entry of MODELS promises."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from models import FIELD_MODELS, MODELS, MOVIE_MODELS, RECORD_MODELS, STATION_MODELS, TEXT_MODELS
from models.base import (
    FieldShape,
    MovieShape,
    RecordShape,
    SeriesShape,
    TextShape,
    build_of,
    config_of,
    learning_of,
)
from models.encoders import ENCODERS, TIMED, Encoder, TimedEncoder
from pipeline.errors import ConfigError

SIZES = {
    "convlstm": {"filters": 3, "head": 3},
    "lstm_classifier": {"units": 3, "members": 2},
    "conv_lstm_hybrid": {"units": 3, "stride": 1},
    "next_frame": {"layers": 2, "filters": 3},
    "encoder_forecaster": {"filters": (3, 2), "patch": 2},
    **{name: {"embedding": 3, "units": 3} for name in TEXT_MODELS},
}
"""As small as may be; an entry without one is built with its defaults."""
every_model = pytest.mark.parametrize("name", MODELS)
every_model_of_fields = pytest.mark.parametrize("name", FIELD_MODELS)
every_model_of_a_station = pytest.mark.parametrize("name", STATION_MODELS)


def small(name):
    return config_of(name)(**SIZES.get(name, {}))


def shape_of(name):
    if name in RECORD_MODELS:
        return RecordShape(features=5)
    if name in MOVIE_MODELS:
        return movie_shape(name, y=6, x=5, history=4)
    if name in TEXT_MODELS:
        return TextShape(vocabulary=12)
    fields = FieldShape(4, 6, history=3, horizon=2, constants=5)
    return fields if name in FIELD_MODELS else SeriesShape(history=24, variables=3, leads=2)


def movie_shape(name, *, y, x, history):
    """Of a model of the next picture at every step, or of three leads at once."""
    if learning_of(name).learns == "horizon":
        return MovieShape(y=y, x=x, history=history, horizon=3)
    return MovieShape(y=y, x=x, history=history, horizon=1, stepwise=True)


def inputs_of(shape, seed=0):
    rng = np.random.default_rng(seed)
    if isinstance(shape, SeriesShape):
        return {"history": rng.normal(size=(2, shape.history, shape.variables)).astype(np.float32)}
    if isinstance(shape, MovieShape):
        return {"history": rng.random(size=(2, shape.history, shape.y, shape.x)).astype(np.float32)}
    if isinstance(shape, TextShape):
        return {"words": np.array([[0, 0, 3, 1, 11], [2, 4, 3, 7, 5]], np.int32)[:, :: 1 - 2 * seed]}
    if isinstance(shape, RecordShape):
        steps = rng.normal(size=(2, 4, shape.features)).astype(np.float32)
        present = np.array(
            [[1, 1, 1, 1], [0, 1, 1, 1]] if seed == 0 else [[0, 1, 1, 1], [0, 0, 1, 1]], np.float32
        )
        asked = np.array([[0, 0, 0, 1]] * 2 if seed == 0 else [[0, 0, 1, 0]] * 2, np.float32)
        return {"steps": steps, "present": present, "asked": asked}
    deep = {"history": shape.history, "base": shape.horizon, "constants": shape.constants}
    return {
        key: rng.normal(size=(2, shape.latitude, shape.longitude, depth)).astype(np.float32)
        for key, depth in deep.items()
    }


def stirred(model):
    """The model with weights that give something else than zero."""
    rng = np.random.default_rng(7)
    model.set_weights([rng.normal(scale=0.3, size=weight.shape) for weight in model.get_weights()])
    return model


@every_model
def test_its_configuration_is_read_without_keras(name):
    code = (
        "import sys; from models.base import config_of; "
        f"config_of({name!r})(); "
        "sys.exit(sorted({'keras', 'tensorflow'} & sys.modules.keys()).__repr__() "
        "if {'keras', 'tensorflow'} & sys.modules.keys() else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@every_model_of_fields
@pytest.mark.parametrize("grid", [(4, 4), (5, 7), (1, 3)])
def test_untrained_it_gives_zero_on_a_grid_of_any_size(name, grid):
    shape = FieldShape(*grid, history=3, horizon=2, constants=5)
    model = build_of(name)(small(name), shape)
    got = np.asarray(model(inputs_of(shape)))
    np.testing.assert_array_equal(got, np.zeros((2, *grid, 2), np.float32))
    assert got.dtype == np.float32
    assert model.output_shape == (None, *grid, 2)
    assert {each.name: each.shape[1:] for each in model.inputs} == {
        "history": (*grid, 3),
        "base": (*grid, 2),
        "constants": (*grid, 5),
    }


@every_model_of_a_station
@pytest.mark.parametrize("sizes", [(24, 3, 2), (1, 1, 1), (5, 2, 7)])
def test_it_gives_each_lead_of_a_history_of_any_length(name, sizes):
    shape = SeriesShape(*sizes)
    model = build_of(name)(config_of(name)(), shape)
    got = np.asarray(model(inputs_of(shape)))
    assert got.shape == (2, shape.leads)
    assert got.dtype == np.float32
    assert np.isfinite(got).all()
    assert {each.name: each.shape[1:] for each in model.inputs} == {"history": sizes[:2]}


@pytest.mark.parametrize("name", RECORD_MODELS)
@pytest.mark.parametrize(("records", "steps"), [(1, 1), (3, 7)])
def test_it_gives_log_odds_of_records_of_any_length(name, records, steps):
    shape = shape_of(name)
    model = build_of(name)(small(name), shape)
    ones = np.ones((records, steps), np.float32)
    got = np.asarray(
        model({"steps": np.ones((records, steps, shape.features)), "present": ones, "asked": ones})
    )
    assert (len(got), got.ndim, got.dtype) == (records, 2, np.float32)
    assert {each.name: each.shape[1:] for each in model.inputs} == {
        "steps": (None, shape.features),
        "present": (None,),
        "asked": (None,),
    }


@pytest.mark.parametrize("name", MOVIE_MODELS)
@pytest.mark.parametrize(("y", "x", "pictures"), [(13, 4, 1), (6, 7, 3)])
def test_it_gives_pictures_of_any_size(name, y, x, pictures):
    shape = movie_shape(name, y=y, x=x, history=pictures)
    model = build_of(name)(small(name), shape)
    got = np.asarray(model(inputs_of(shape)))
    assert got.shape == (2, pictures if shape.stepwise else shape.horizon, y, x)
    assert got.dtype == np.float32
    assert {each.name: each.shape[1:] for each in model.inputs} == {"history": (pictures, y, x)}


@every_model
def test_it_looks_at_each_of_its_inputs(name):
    shape = shape_of(name)
    model = stirred(build_of(name)(small(name), shape))
    whole = np.asarray(model(inputs_of(shape)))
    for key in inputs_of(shape):
        other = inputs_of(shape) | {key: inputs_of(shape, seed=1)[key]}
        assert not np.allclose(model(other), whole)


@every_model
def test_it_is_saved_and_loaded_safely(name, tmp_path):
    shape = shape_of(name)
    model = stirred(build_of(name)(small(name), shape))
    model.save(tmp_path / "model.keras", include_optimizer=False)
    back = keras.saving.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    np.testing.assert_array_equal(back(inputs_of(shape)), model(inputs_of(shape)))
    assert back.count_params() == model.count_params()


@pytest.mark.parametrize("name", TEXT_MODELS)
def test_it_gives_the_log_odds_of_texts_of_any_length(name):
    shape = shape_of(name)
    model = build_of(name)(small(name), shape)
    for texts, words in ((1, 1), (3, 8)):
        got = np.asarray(model({"words": np.ones((texts, words), np.int32)}))
        assert (got.shape, got.dtype) == ((texts, 1), np.float32)
    assert {each.name: (each.shape[1:], each.dtype) for each in model.inputs} == {"words": ((None,), "int32")}


@pytest.mark.parametrize("name", [name for name in MODELS if name not in TEXT_MODELS])
def test_a_nan_stays_with_its_sample(name):
    shape = shape_of(name)
    model = stirred(build_of(name)(small(name), shape))
    given = inputs_of(shape)
    whole = np.asarray(model(given))
    next(iter(given.values()))[0].flat[-1] = np.nan
    got = np.asarray(model(given))
    assert np.isnan(got[0]).any()
    np.testing.assert_allclose(got[1], whole[1], rtol=1e-5, atol=1e-6)


@every_model
def test_its_configuration_is_closed_and_frozen(name):
    config = config_of(name)
    with pytest.raises(ValidationError, match="fliters"):
        config.model_validate({"fliters": 3})
    for field in config.model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(config(), field, 1)


@pytest.mark.parametrize("kind", ENCODERS)
def test_every_encoder_has_what_is_said_of_it(kind):
    def said(protocol):
        return {name for each in protocol.__mro__ for name in vars(each) if not name.startswith("_")}

    assert said(Encoder) == {"fit", "load", "save", "shape", "sha256", "samples"}
    assert said(TimedEncoder if kind in TIMED else Encoder) <= {*dir(ENCODERS[kind])}
    assert hasattr(ENCODERS[kind], "climatology") == (kind in TIMED)


def test_an_unknown_model_is_answered_with_the_nearest():
    for use in (config_of, build_of):
        with pytest.raises(ConfigError, match="did you mean 'convlstm'"):
            use("convlstn")
