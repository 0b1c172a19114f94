import errno
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from models.checkpoints import NEWEST, Checkpoints
from pipeline.errors import DiskFullError, OutageError
from pipeline.location import located
from tests.killing import Killed


def make_model():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.AdamW(0.1, use_ema=True), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def step(model):
    model.train_on_batch(np.ones((4, 3)), np.zeros((4, 2)))


def variables(model):
    return [
        each.numpy().copy()
        for each in (*model.variables, *model.optimizer.variables)
        if "loss" not in each.path
    ]


def assert_equal(some, others):
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / ".training-x")


def test_nothing_is_resumed_where_nothing_was_kept(checkpoints):
    model = make_model()
    before = variables(model)
    assert checkpoints.resume(model) is None
    assert_equal(variables(model), before)


def test_weights_optimizer_and_state_come_back(checkpoints):
    model = make_model()
    for number in (1, 2):
        step(model)
        checkpoints.save(model, {"epoch": number})
    resumed = make_model()
    assert checkpoints.resume(resumed) == {"epoch": 2}
    assert_equal(variables(resumed), variables(model))
    step(model)
    step(resumed)
    assert_equal(variables(resumed), variables(model))


def test_another_machine_goes_on_from_what_was_kept_on_s3(on_s3):
    model = make_model()
    best = [np.full_like(weight, 7) for weight in model.get_weights()]
    kept = on_s3 / ".training-x"
    with Checkpoints.at(kept) as first:
        assert first.resume(model) is None
        step(model)
        first.save(model, {"epoch": 1}, best)
        step(model)
        first.save(model, {"epoch": 2})
    assert not first.folder.exists()
    resumed = make_model()
    with Checkpoints.at(kept) as second:
        assert second.folder != first.folder
        assert second.resume(resumed) == {"epoch": 2}
        assert_equal(variables(resumed), variables(model))
        second.load_best(resumed)
        assert_equal(resumed.get_weights(), best)
        second.save(resumed, {"epoch": 3})
        second.clear()
    assert on_s3.walk() == []


def test_a_checkpoint_on_s3_that_cannot_be_kept_leaves_the_one_before(on_s3, object_store):
    model = make_model()
    hasty = located(str(on_s3), on_s3.access.model_copy(update={"patience": 0.2}))
    with Checkpoints.at(hasty / ".training-x") as checkpoints:
        checkpoints.save(model, {"epoch": 1})
        before = variables(model)
        step(model)
        object_store.outage(600)
        with pytest.raises(OutageError):
            checkpoints.save(model, {"epoch": 2})
    object_store.outage(0)
    with Checkpoints.at(on_s3 / ".training-x") as checkpoints:
        assert checkpoints.resume(model) == {"epoch": 1}
    assert_equal(variables(model), before)


def test_the_best_weights_stay_until_better_ones_come(checkpoints):
    model = make_model()
    first = [np.full_like(weight, 7) for weight in model.get_weights()]
    checkpoints.save(model, {}, first)
    checkpoints.save(model, {})
    checkpoints.load_best(model)
    assert_equal(model.get_weights(), first)
    second = [np.full_like(weight, 9) for weight in model.get_weights()]
    checkpoints.save(model, {}, second)
    checkpoints.load_best(model)
    assert_equal(model.get_weights(), second)


@pytest.mark.parametrize("moment", range(8))
def test_a_kill_at_any_moment_leaves_a_usable_checkpoint(checkpoints, monkeypatch, moment):
    model = make_model()
    checkpoints.save(model, {"epoch": 1}, model.get_weights())
    first = variables(model)
    step(model)
    second = variables(model)
    moments = [0]

    def killed_at(function):
        def inner(*args, **options):
            if moments[0] == moment:
                raise Killed
            moments[0] += 1
            return function(*args, **options)

        return inner

    with monkeypatch.context() as patched:
        for owner, name in (
            (Path, "rename"),
            (Path, "mkdir"),
            (shutil, "rmtree"),
            (shutil, "copyfile"),
            (Path, "write_text"),
        ):
            patched.setattr(owner, name, killed_at(getattr(owner, name)))
        with pytest.raises(Killed):
            checkpoints.save(model, {"epoch": 2})
    resumed = make_model()
    state = checkpoints.resume(resumed)
    assert state in ({"epoch": 1}, {"epoch": 2})
    assert_equal(variables(resumed), first if state == {"epoch": 1} else second)
    checkpoints.load_best(resumed)
    checkpoints.save(model, {"epoch": 3})
    assert checkpoints.resume(resumed) == {"epoch": 3}
    assert [each.name for each in checkpoints.folder.parent.iterdir()] == [".training-x"]


def test_a_full_disk_keeps_the_epoch_before(checkpoints, monkeypatch):
    model = make_model()
    checkpoints.save(model, {"epoch": 1})
    kept = variables(model)
    step(model)

    def full(path):
        Path(path).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(model, "save_weights", full)
        with pytest.raises(DiskFullError):
            checkpoints.save(model, {"epoch": 2})
    assert [each.name for each in checkpoints.folder.parent.iterdir()] == [".training-x"]
    assert checkpoints.resume(model) == {"epoch": 1}
    assert_equal(variables(model), kept)


def test_clearing_leaves_nothing(checkpoints):
    model = make_model()
    checkpoints.save(model, {})
    for name in (".training-x.before", ".training-x.writing"):
        folder = checkpoints.folder.with_name(name)
        folder.mkdir()
        (folder / NEWEST).touch()
    checkpoints.clear()
    assert list(checkpoints.folder.parent.iterdir()) == []
