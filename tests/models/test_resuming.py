"""Trainings that are killed go on in other processes; trainings that two workers begin are done once."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from models import training
from models.card import ModelCard
from models.fitting import fit_models
from models.trained import TrainedModel
from pipeline.store.readings import CubeReading
from tests.models.bay import GAPPED, recipe
from tests.records import write_cube

ROOT = Path(__file__).parents[2]
WORKER = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from models import training
    from models.fitting import fit_models
    from pipeline.store.readings import CubeReading
    from tests.models.bay import recipe

    workspace, snapshot, mark = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

    def progress(done, total, note):
        print(note, flush=True)
        if mark and note.startswith(mark):
            os.kill(os.getpid(), signal.SIGKILL)

    training.KEPT_EVERY = 0
    reading = CubeReading(path=workspace / "cube", region="bay")
    done = fit_models(
        reading, [recipe()], workspace / "models", snapshot=snapshot, progress=lambda _: progress
    )
    print("trained", done["convlstm"], flush=True)
""")


def worker(workspace, snapshot, mark="", *, cwd):
    """A process that trains in the workspace, from a folder of its own, and is killed when its progress says `mark`."""
    cwd.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(workspace), snapshot, mark],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A workspace in which the model was trained without a break, and its snapshot and id."""
    workspace = tmp_path_factory.mktemp("undisturbed")
    snapshot = write_cube(workspace / "cube", GAPPED)
    reading = CubeReading(path=workspace / "cube", region="bay")
    (model_id,) = fit_models(reading, [recipe()], workspace / "models", snapshot=snapshot).values()
    return workspace, snapshot, model_id


def same_model(one, other):
    first, second = (TrainedModel.load(folder) for folder in (one, other))
    for a, b in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    cards = [ModelCard.read(folder) for folder in (one, other)]
    assert cards[0].weights_sha256 == cards[1].weights_sha256
    assert cards[0].fitted_sha256 == cards[1].fitted_sha256
    assert cards[0].best_epoch == cards[1].best_epoch


def fitted_here(workspace, snapshot, monkeypatch):
    """Ids of the models, trained in this process as the worker does it, and what it was told."""
    monkeypatch.setattr(training, "KEPT_EVERY", 0)
    notes = []
    ids = fit_models(
        CubeReading(path=workspace / "cube", region="bay"),
        [recipe()],
        workspace / "models",
        snapshot=snapshot,
        progress=lambda _: lambda done, total, note: notes.append(note),
    )
    return ids, notes


def test_a_training_killed_in_the_middle_of_an_epoch_goes_on_in_another_process(
    undisturbed, tmp_path, monkeypatch
):
    whole, snapshot, model_id = undisturbed
    workspace = tmp_path / "workspace"
    shutil.copytree(whole / "cube", workspace / "cube")
    with worker(workspace, snapshot, "epoch 2, batch 3", cwd=tmp_path / "one") as process:
        out, err = process.communicate()
    assert process.returncode == -signal.SIGKILL, err
    assert "trained" not in out
    (tmp_path / "another").mkdir()
    monkeypatch.chdir(tmp_path / "another")
    ids, notes = fitted_here(workspace, snapshot, monkeypatch)
    # The third step was told, and then the worker was killed before it was kept.
    assert notes[0].startswith("epoch 2, batch 3")
    assert ids == {"convlstm": model_id}
    same_model(workspace / "models" / model_id, whole / "models" / model_id)
    assert [each.name for each in (workspace / "models").iterdir()] == [model_id]


def test_two_workers_that_train_the_same_train_it_once(undisturbed, tmp_path, monkeypatch):
    whole, snapshot, model_id = undisturbed
    workspace = tmp_path / "workspace"
    shutil.copytree(whole / "cube", workspace / "cube")
    with worker(workspace, snapshot, cwd=tmp_path / "one") as process:
        # The other one has begun.
        first = process.stdout.readline()
        ids, notes = fitted_here(workspace, snapshot, monkeypatch)
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert first.startswith("epoch 1, batch 1")
    assert out.splitlines()[-1] == f"trained {model_id}"
    assert ids == {"convlstm": model_id}
    assert {note.partition(" process")[0] for note in notes} <= {"waiting for"}
    same_model(workspace / "models" / model_id, whole / "models" / model_id)
    assert [each.name for each in (workspace / "models").iterdir()] == [model_id]
