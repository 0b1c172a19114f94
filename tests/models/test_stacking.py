"""A station's model beside seasonal naive: how its weights are fitted, kept and used."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from models import fitting, folds
from models.base import config_of
from models.card import ModelCard
from models.checkpoints import Checkpoints
from models.folds import fit_stacking, make_folds, without
from models.recipe import Recipe
from models.series_encoder import STACKING, SeriesEncoder
from models.specs import StackingSpec, TrainingSpec
from models.stacking import stacking_weights
from models.trained import TrainedModel
from pipeline.climatology import ClimatologySpec
from pipeline.errors import ConfigError, NotFittedError, WindowError
from pipeline.forecasts.seasonal_naive import SeasonalNaive
from pipeline.forecasts.series import SeriesRecord
from pipeline.reports import training as training_section
from pipeline.splits import Fractions
from pipeline.windows import Windows, WindowSpec, find_windows, whole_windows
from tests.killing import Killed, killing
from tests.models.bay import GAPPED
from tests.models.bay import recipe as recipe_of_fields
from tests.station_reporting import make_record, make_station_inputs, make_station_region

SPEC = WindowSpec(history=24, horizon=6)
PLAIN = TrainingSpec(epochs=2, batch_size=64, patience=2, seed=3, precision="float32", learning_rate=0.02)
STACKED = PLAIN.model_copy(update={"stacking": StackingSpec(folds=2)})
ROOF = make_record(days=120)


def recipe(**changes) -> Recipe:
    told = {
        "experiment": "trial",
        "region": "roof",
        "name": "dense",
        "model": "dense",
        "config": config_of("dense")(units=3),
        "training": STACKED,
        "splits": Fractions(train=0.5, validation=0.25, test=0.25),
        "windows": SPEC,
        "climatology": ClimatologySpec(harmonics=0, daily_harmonics=1),
    }
    return Recipe(**told | changes)


@dataclass(frozen=True)
class Reading:
    """A record as if it were stored."""

    record: SeriesRecord = ROOF

    def read(self, _snapshot):
        return self.record


def fit(folder, *, record=ROOF, progress=lambda *_: None, **changes):
    made = recipe(**changes)
    ids = fitting.fit_models(Reading(record), [made], folder, snapshot="S", progress=lambda _: progress)
    return folder / ids["dense"]


@pytest.fixture(scope="module")
def stacked(tmp_path_factory):
    return fit(tmp_path_factory.mktemp("stacked"))


@pytest.fixture(scope="module")
def parts():
    return make_folds(ROOF, recipe(), 2, snapshot="S")


def forecasts(seed=0, samples=400, leads=3):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(samples, leads)).astype(np.float32)
    other = truth + rng.normal(size=(samples, leads)).astype(np.float32)
    return truth, other, rng.normal(size=(samples, leads)).astype(np.float32)


def test_a_perfect_network_has_all_the_weight():
    truth, other, _ = forecasts()
    np.testing.assert_array_equal(stacking_weights(truth, other, truth), np.ones(3))


def test_a_network_beside_a_perfect_forecast_has_none():
    truth, _, noise = forecasts()
    np.testing.assert_array_equal(stacking_weights(truth + noise, truth, truth), np.zeros(3))


def test_noise_has_no_weight():
    truth, other, noise = forecasts(samples=200_000)
    np.testing.assert_allclose(stacking_weights(other + noise, other, truth), 0, atol=5 / np.sqrt(200_000))


def test_two_errors_alike_and_independent_are_halved():
    truth, other, noise = forecasts(samples=200_000)
    np.testing.assert_allclose(
        stacking_weights(truth + noise, other, truth), 0.5, atol=5 / np.sqrt(2 * 200_000)
    )


def test_forecasts_that_never_differ_leave_the_network_as_it_is():
    truth, other, _ = forecasts()
    np.testing.assert_array_equal(stacking_weights(other, other, truth), np.ones(3))


@given(st.integers(0, 10_000), st.floats(-3, 3), st.floats(-3, 3))
def test_weights_are_the_best_within_zero_and_one(seed, of_truth, of_other):
    truth, other, noise = forecasts(seed, samples=30)
    network = (of_truth * truth + of_other * other + noise).astype(np.float32)
    got = stacking_weights(network, other, truth)
    for lead in range(3):
        a, b, y = (each[:, lead].astype(float) for each in (network, other, truth))

        def error(weight, a=a, b=b, y=y):
            return np.mean((weight * a + (1 - weight) * b - y) ** 2)

        best = minimize_scalar(error, bounds=(0, 1), method="bounded").fun
        assert 0 <= got[lead] <= 1
        assert error(float(got[lead])) <= best + 1e-6


def test_a_value_that_is_missing_is_told():
    truth, other, noise = forecasts()
    noise[0, 0] = np.nan
    with pytest.raises(NotFittedError, match="not a number"):
        stacking_weights(noise, other, truth)


@given(
    st.builds(
        lambda history, first, more, sampling, stride: WindowSpec(
            history=history, horizon=first + more, first_lead=first, sampling=sampling, stride=stride
        ),
        *(st.integers(1, 5), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3), st.integers(1, 3)),
    ),
    st.integers(2, 5),
    st.integers(0, 100),
)
def test_a_fold_shares_no_row_with_the_others_and_keeps_its_distance(spec, count, seed):
    record = make_record(days=20)
    record.values[np.random.default_rng(seed).integers(0, 480, 3)] = np.nan
    init = whole_windows(record.usable, spec)[:: spec.stride]
    for part in np.array_split(init, count):
        held_out = Windows(spec, part, record.time[part])
        others = without(record, held_out)
        left = whole_windows(others.usable, spec)
        apart = np.abs(left[:, None] - part)
        assert apart.min(initial=spec.length) >= spec.length
        away = (init <= part[0] - spec.length) | (init >= part[-1] + spec.length)
        assert np.isin(init[away], left).all()


def test_folds_are_all_training_windows_once(parts):
    training = recipe().parted(ROOF).windows("train")
    np.testing.assert_array_equal(np.concatenate([each.held_out.init for each in parts]), training.init)
    assert np.ptp([len(each.held_out) for each in parts]) <= 1
    for each in parts:
        assert np.isin(each.training.windows.init, training.init).all()
        assert not np.isin(each.training.windows.init, each.held_out.init).any()


def test_nothing_of_a_fold_goes_into_what_forecasts_it(parts):
    held_out = parts[1].held_out
    rows = slice(held_out.history_index().min(), held_out.horizon_index().max() + 1)
    changed = replace(ROOF, values=ROOF.values.copy())
    changed.values[rows] += 5
    again = make_folds(changed, recipe(), 2, snapshot="S")[1]
    assert again.encoder.sha256 == parts[1].encoder.sha256
    np.testing.assert_array_equal(again.training.windows.init, parts[1].training.windows.init)


def test_nothing_outside_training_is_seen(tmp_path, parts, stacked):
    later = replace(ROOF, values=ROOF.values.copy())
    end = np.datetime64(recipe().parted(ROOF).splits.train.end) + np.timedelta64(1, "D")
    later.values[later.time >= end] *= 2
    anew = make_folds(later, recipe(), 2, snapshot="S")
    kept = [Checkpoints(tmp_path / str(at)) for at in range(2)]
    epochs = ModelCard.read(stacked).best_epoch
    fitted = fit_stacking(later, anew, recipe(), epochs, kept, lambda *_: None)
    assert fitted.weights.tolist() == ModelCard.read(stacked).training["stacking"]["weights"]


@pytest.mark.parametrize(("error", "weight"), [(0, 1), (None, 0)])
def test_a_network_counts_as_it_forecasts_out_of_fold(tmp_path, monkeypatch, parts, error, weight):
    """One that is right has all the weight, one that is seasonal naive and noise has none."""
    rung = SeasonalNaive().fit(ROOF, parts[0].held_out)
    rng = np.random.default_rng(0)

    def forecast(_model, _encoder, history, init_time):
        if error is None:
            return rung.predict(history, init_time) + rng.normal(scale=50, size=(len(history), 6, 1, 1))
        init = np.searchsorted(ROOF.time, init_time)
        return ROOF.truth(Windows(SPEC, init, init_time)) + error

    monkeypatch.setattr(folds, "forecast", forecast)
    kept = [Checkpoints(tmp_path / str(at)) for at in range(2)]
    fitted = fit_stacking(ROOF, parts, recipe(), 1, kept, lambda *_: None)
    np.testing.assert_allclose(fitted.weights, weight, atol=0.01)


def test_the_card_and_the_folder_tell_the_weights(stacked):
    card = ModelCard.read(stacked)
    model = TrainedModel.load(stacked)
    told = card.training["stacking"]
    assert (told["folds"], told["with"]) == (2, "seasonal-naive")
    assert told["weights"] == model.encoder.stacking.weights.tolist()
    assert len(told["weights"]) == SPEC.horizon
    assert card.fitted_sha256 == model.encoder.sha256
    assert card.fitted_sha256 != replace(model.encoder, stacking=None).sha256
    with np.load(stacked / STACKING, allow_pickle=False) as stored:
        assert stored["weights"].shape == (SPEC.horizon,)


def test_the_forecast_is_the_weighted_mean(stacked):
    model = TrainedModel.load(stacked)
    test = recipe().parted(ROOF).windows("test")
    history = ROOF.history(test)
    weights = model.encoder.stacking.weights[:, None, None]
    network = replace(model, encoder=replace(model.encoder, stacking=None)).predict(history, test.init_time)
    seasonal = SeasonalNaive().fit(ROOF, test).predict(history, test.init_time)
    np.testing.assert_allclose(
        model.predict(history, test.init_time), weights * network + (1 - weights) * seasonal, atol=1e-4
    )
    assert np.any((weights > 0) & (weights < 1))


def test_the_network_is_the_one_without_stacking(tmp_path, stacked):
    alone = TrainedModel.load(fit(tmp_path, training=PLAIN))
    assert alone.card.weights_sha256 == ModelCard.read(stacked).weights_sha256
    assert alone.encoder.stacking is None
    assert alone.card.training["stacking"] is None


@pytest.mark.parametrize("base", ["mean", "naive", "linear"])
def test_saved_and_loaded_it_forecasts_the_same(tmp_path, stacked, base):
    model = TrainedModel.load(stacked)
    encoding = model.encoder.encoding.model_copy(update={"base": base})
    encoder = SeriesEncoder.fit(ROOF, recipe(encoding=encoding), snapshot="S")
    model = replace(model, encoder=replace(encoder, stacking=model.encoder.stacking))
    model.save(tmp_path / "m")
    test = recipe().parted(ROOF).windows("test")
    given = ROOF.history(test), test.init_time
    np.testing.assert_array_equal(TrainedModel.load(tmp_path / "m").predict(*given), model.predict(*given))


def test_the_model_is_named_by_its_stacking():
    others = [
        recipe(training=training).key(ROOF)
        for training in (PLAIN, STACKED, PLAIN.model_copy(update={"stacking": StackingSpec(folds=4)}))
    ]
    assert len({*others}) == 3


def test_a_killed_fold_goes_on_where_it_was(tmp_path, stacked):
    with pytest.raises(Killed):
        fit(tmp_path, progress=killing("fold 2 of 2, epoch 1"))
    notes = []
    folder = fit(tmp_path, progress=lambda _done, _total, note: notes.append(note))
    assert notes[0].startswith("fold 2 of 2, epoch 1")
    mine, theirs = ModelCard.read(folder), ModelCard.read(stacked)
    assert mine.training == theirs.training
    assert mine.weights_sha256 == theirs.weights_sha256
    assert [each.name for each in tmp_path.iterdir()] == [folder.name]


def test_too_few_windows_are_refused_before_anything_is_trained(tmp_path):
    def told(*step):
        raise AssertionError(step)

    many = PLAIN.model_copy(update={"stacking": StackingSpec(folds=2000)})
    few = find_windows(ROOF.time, ROOF.usable, recipe().parted(ROOF).splits.train, SPEC)
    with pytest.raises(WindowError, match=f"{len(few)} training windows are too few for 2000 folds") as error:
        fit(tmp_path, training=many, progress=told)
    assert "leave stacking out" in error.value.remedy
    short = replace(ROOF, values=ROOF.values[:900], time=ROOF.time[:900])
    with pytest.raises(WindowError, match="too few for 2 folds of stacking: without fold 1, "):
        fit(tmp_path, record=short, progress=told)


def test_what_cannot_be_stacked_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="protocol 'clean'"):
        fit(tmp_path, record=make_record(days=120, protocol="as-published"))
    with pytest.raises(WindowError, match="dense cannot be stacked: seasonal-naive looks back 24"):
        fit(tmp_path, windows=WindowSpec(history=12, horizon=6))
    with pytest.raises(ConfigError, match="convlstm cannot be stacked"):
        folds.require_stackable(GAPPED, recipe_of_fields(training=STACKED))
    assert not any(tmp_path.iterdir())


def test_the_report_says_what_the_forecast_is_drawn_towards():
    region = make_station_region(count=2)
    told = {"folds": 5, "with": "seasonal-naive", "weights": [1 - lead / 100 for lead in range(1, 49)]}
    inputs = make_station_inputs()
    html = training_section.build(inputs, replace(region, card={**region.card, "stacking": told})).html
    assert "is drawn towards seasonal naive" in html
    assert "0.99 1 hour ahead" in html
    assert "0.76 24 hours ahead" in html
    assert "and 0.52 48 hours ahead" in html
    assert "in 5 folds" in html
    assert "weights" not in html.split("Model card")[1]
    assert "drawn towards" not in training_section.build(inputs, region).html
