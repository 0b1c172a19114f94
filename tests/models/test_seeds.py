"""Several trainings of one model: the best by validation is kept, as if it had been trained alone."""

import pytest

from models.card import ModelCard, validation_error
from tests.killing import Killed, killing
from tests.models.test_stacking import PLAIN, ROOF, STACKED, fit, recipe

SEEDS = 3


def of(training, **changes):
    return training.model_copy(update=changes)


def error(folder):
    card = ModelCard.read(folder)
    return validation_error(card.history, card.best_epoch)


def test_the_best_by_validation_is_kept_as_if_it_were_alone(tmp_path):
    alone = {
        seed: fit(tmp_path / str(seed), training=of(PLAIN, seed=seed))
        for seed in range(PLAIN.seed, PLAIN.seed + SEEDS)
    }
    best = min(alone, key=lambda seed: error(alone[seed]))
    assert len({error(folder) for folder in alone.values()}) == SEEDS
    notes = []
    kept = fit(
        tmp_path / "kept",
        training=of(PLAIN, seeds=SEEDS),
        progress=lambda _done, _total, note: notes.append(note.partition(",")[0]),
    )
    card, theirs = ModelCard.read(kept), ModelCard.read(alone[best])
    assert (card.training["seed"], card.training["seeds"]) == (best, SEEDS)
    assert card.weights_sha256 == theirs.weights_sha256
    assert {*notes} == {f"seed {seed}" for seed in alone}
    assert [each.name for each in kept.parent.iterdir()] == [kept.name]


def test_folds_are_trained_from_the_seed_that_was_kept(tmp_path):
    kept = ModelCard.read(fit(tmp_path / "kept", training=of(STACKED, seeds=2)))
    alone = ModelCard.read(fit(tmp_path / "alone", training=of(STACKED, seed=kept.training["seed"])))
    assert kept.training["stacking"]["weights"] == alone.training["stacking"]["weights"]


def test_a_kill_loses_no_seed_that_was_trained(tmp_path):
    whole = ModelCard.read(fit(tmp_path / "whole", training=of(PLAIN, seeds=2)))
    with pytest.raises(Killed):
        fit(tmp_path / "killed", training=of(PLAIN, seeds=2), progress=killing("seed 4, epoch 1"))
    notes = []
    again = fit(
        tmp_path / "killed",
        training=of(PLAIN, seeds=2),
        progress=lambda _done, _total, note: notes.append(note),
    )
    assert all(note.startswith("seed 4") for note in notes)
    assert ModelCard.read(again).weights_sha256 == whole.weights_sha256


def test_one_seed_names_a_model_as_before_and_several_do_not():
    keys = [recipe(training=of(PLAIN, seeds=seeds)).key(ROOF) for seeds in (1, 2, 3)]
    assert keys[0] == recipe(training=PLAIN).key(ROOF)
    assert len({*keys}) == 3
