import random
import signal
import subprocess
import sys
import textwrap
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
import pytest

from models import building, training
from models.base import config_of
from models.checkpoints import Checkpoints
from models.datasets import SeriesSamples
from models.training import choose_precision, train
from pipeline.errors import NotFittedError
from pipeline.windows import Windows, WindowSpec
from tests.killing import Killed, killing
from tests.models.bay import CONFIG, TRAINING, samples

ROOT = Path(__file__).parents[2]
KILLED = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from models import training
    from models.checkpoints import Checkpoints
    from tests.models.bay import CONFIG, TRAINING, samples

    def progress(done, total, note):
        if note.startswith(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

    training.KEPT_EVERY = float(sys.argv[3])
    training.train("convlstm", CONFIG, TRAINING, *samples(), Checkpoints(Path(sys.argv[1])), progress)
""")


def run(folder, *, progress=lambda *_: None, **changes):
    spec = TRAINING.model_copy(update=changes)
    return train("convlstm", CONFIG, spec, *samples(), Checkpoints(folder), progress)


def weights_apart(one, other):
    """By weight, the largest difference; none where all are equal to the bit."""
    pairs = zip(one.model.weights, other.model.weights, strict=True)
    apart = {a.path: float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in pairs}
    return {path: far for path, far in apart.items() if far}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A training that nothing interrupted."""
    return run(tmp_path_factory.mktemp("whole") / "t")


@pytest.mark.parametrize("disturbed", [{1}, {2}, {1, 2, 3}])
def test_what_other_threads_draw_does_not_change_the_weights(tmp_path, whole, monkeypatch, disturbed):
    build, built = building.build_of, []

    def beside(name):
        built.append(name)
        if len(built) in disturbed:
            for _ in range(len(built)):
                random.random()
        return build(name)

    monkeypatch.setattr(building, "build_of", beside)
    assert weights_apart(run(tmp_path / "t"), whole) == {}
    assert len(built) >= max(disturbed) + 2  # threads of the test runner draw too, now and then


def test_where_others_draw_all_the_time_it_is_said(tmp_path, monkeypatch):
    made = []

    def beside(name):
        made.append(name)
        for _ in made:
            random.random()
        return lambda *_: None

    monkeypatch.setattr(building, "build_of", beside)
    before = keras.config.dtype_policy()
    with pytest.raises(NotFittedError, match="convlstm could not be drawn") as caught:
        run(tmp_path / "t")
    assert "isotherm train" in caught.value.remedy
    assert len(made) == building.TRIES
    assert keras.config.dtype_policy() == before


def losses(done):
    return [
        (each["epoch"], each["loss"], each["validation_loss"], each["learning_rate"]) for each in done.history
    ]


@pytest.mark.parametrize(("every", "goes_on"), [(60, "epoch 3, batch 1"), (0, "epoch 3, batch 3")])
def test_a_training_killed_twice_ends_as_one_that_was_not(tmp_path, whole, every, goes_on):
    folder = tmp_path / "t"
    for moment in ("epoch 2, batch 2", "epoch 3, batch 3"):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(folder), moment, str(every)],
            cwd=ROOT,
            check=False,
            stderr=subprocess.DEVNULL,
        )
        assert killed.returncode == -signal.SIGKILL
    notes = []
    resumed = run(folder, progress=lambda done, total, note: notes.append(note))
    assert notes[0].startswith(goes_on)
    np.testing.assert_allclose(losses(resumed), losses(whole), rtol=1e-6 if every == 0 else 0)
    assert weights_apart(resumed, whole) == {}
    assert resumed.best_epoch == whole.best_epoch


def test_what_is_dropped_goes_on_where_a_killed_epoch_was(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "KEPT_EVERY", 0)
    rng = np.random.default_rng(0)
    inputs, spec = rng.normal(size=(480, 2)).astype(np.float32), WindowSpec(history=4, horizon=1)
    init = np.arange(3, 460)
    windows = Windows(spec, init, np.datetime64("2020-01-01", "ns") + init * np.timedelta64(1, "h"))
    given = SeriesSamples(inputs, inputs[:, 0], windows)
    small = TRAINING.model_copy(update={"batch_size": 8, "epochs": 2, "steps_per_epoch": None})

    def of(folder, progress=lambda *_: None):
        config = config_of("lstm_dropout")(units=3)
        return train("lstm_dropout", config, small, given, given, Checkpoints(folder), progress)

    expected = of(tmp_path / "whole")
    with pytest.raises(Killed):
        of(tmp_path / "t", killing("epoch 2, batch 40"))
    notes = []
    resumed = of(tmp_path / "t", lambda done, total, note: notes.append(note))
    assert notes[0].startswith("epoch 2, batch 40")
    np.testing.assert_allclose(losses(resumed), losses(expected), rtol=1e-6)
    assert weights_apart(resumed, expected) == {}


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(tmp_path, whole):
    assert weights_apart(run(tmp_path / "same"), whole) == {}
    assert weights_apart(run(tmp_path / "other", seed=4), whole)


def test_training_goes_on_from_the_latest_weights_whatever_is_judged(tmp_path, whole):
    latest = run(tmp_path / "latest", averaged=False)
    assert [each["loss"] for each in latest.history] == [each["loss"] for each in whole.history]
    assert weights_apart(latest, whole)


def test_the_course_is_told(tmp_path):
    told = []
    done = run(tmp_path / "t", progress=lambda *step: told.append(step))
    assert [each["epoch"] for each in done.history] == [1, 2, 3]
    assert all(each["seconds"] > 0 for each in done.history)
    assert done.precision == "float32"
    epochs = [each for each in told if each[2].startswith("loss")]
    assert [each[:2] for each in epochs] == [(1, 3), (2, 3), (3, 3)]
    assert all(before[0] <= after[0] for before, after in pairwise(told))
    assert len(told) == 3 * (4 + 1)


def test_the_learning_rate_falls_to_zero_over_the_epochs(whole):
    rates = [each["learning_rate"] for each in whole.history]
    assert all(after < before for before, after in pairwise(rates))
    assert rates[-1] < 1e-6 * TRAINING.learning_rate


@pytest.fixture
def judged(monkeypatch):
    """Validation losses as they are told; what was judged is kept."""
    seen = []

    def script(*told):
        given = iter(told)

        def evaluate(model, *args, **options):
            seen.append(model.get_weights())
            return {"loss": next(given)}

        monkeypatch.setattr(keras.Model, "evaluate", evaluate)
        return seen

    return script


def test_it_stops_early_and_returns_the_best_weights(tmp_path, judged):
    seen = judged(3.0, 2.0, 2.5, 2.4, 1.0)
    done = run(tmp_path / "t", epochs=5, patience=2, steps_per_epoch=1)
    assert [each["validation_loss"] for each in done.history] == [3.0, 2.0, 2.5, 2.4]
    assert done.best_epoch == 2
    for got, best in zip(done.model.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(got, best)
    again = run(tmp_path / "t", epochs=5, patience=2, steps_per_epoch=1)
    assert weights_apart(again, done) == {}
    assert len(seen) == 4


def test_asked_for_so_many_epochs_it_keeps_the_last(tmp_path, judged):
    seen = judged(1.0, 2.0, 3.0)
    spec = TRAINING.model_copy(update={"epochs": 5, "patience": 1, "steps_per_epoch": 1})
    done = train("convlstm", CONFIG, spec, *samples(), Checkpoints(tmp_path / "t"), epochs=3)
    assert [each["validation_loss"] for each in done.history] == [1.0, 2.0, 3.0]
    assert done.best_epoch == 3
    for got, last in zip(done.model.get_weights(), seen[2], strict=True):
        np.testing.assert_array_equal(got, last)
    again = train("convlstm", CONFIG, spec, *samples(), Checkpoints(tmp_path / "t"), epochs=3)
    assert weights_apart(again, done) == {}
    assert len(seen) == 3


def test_a_training_that_diverges_is_told(tmp_path, judged):
    judged(*[float("nan")] * 5)
    with pytest.raises(NotFittedError, match="diverged") as caught:
        run(tmp_path / "t", epochs=5, patience=2, steps_per_epoch=1)
    assert "learning_rate" in caught.value.remedy


def test_precision_is_of_the_model_alone(tmp_path):
    assert choose_precision("auto") in {"float32", "mixed_bfloat16"}
    assert choose_precision("float32") == "float32"
    done = run(tmp_path / "t", epochs=1, steps_per_epoch=2, precision="mixed_bfloat16")
    assert done.precision == "mixed_bfloat16"
    assert done.model.get_layer("encoder").dtype_policy.name == "mixed_bfloat16"
    assert all(weight.dtype == np.float32 for weight in done.model.get_weights())
    assert keras.config.dtype_policy().name == "float32"
