import datetime as dt
import errno
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from models.base import build_of
from models.card import CARD, ModelCard, best_first, judged, read_card
from models.trained import MODEL, TrainedModel
from pipeline.errors import DiskFullError, NotFittedError, NotFoundError, OutageError, WorkspaceError
from pipeline.location import located
from pipeline.windows import find_windows
from tests.models.bay import BAY, CONFIG, TRAINING, samples
from tests.records import SPEC, SPLITS

TEST = find_windows(BAY.time, BAY.usable, SPLITS.test, SPEC)
HISTORY = BAY.history(TEST)


def card(**changes):
    return ModelCard(
        **{
            "model_id": "convlstm-abc",
            "name": "convlstm",
            "model": "convlstm",
            "kind": "fields",
            "experiment": "trial",
            "region": "bay",
            "parameters": 1,
            "config": CONFIG.model_dump(),
            "training": TRAINING.model_dump(),
            "precision": "float32",
            "backend": "tensorflow",
            "windows": SPEC,
            "train": SPLITS.train,
            "validation": SPLITS.validation,
            "train_windows": 1,
            "validation_windows": 1,
            "cube_snapshot": "SNAP",
            "fitted_sha256": "f",
            "weights_sha256": "w",
            "best_epoch": 1,
            "history": [{"epoch": 1, "loss": 1.0}],
            "created_at": dt.datetime(2024, 1, 2, tzinfo=dt.UTC),
            "isotherm_version": "0",
        }
        | changes
    )


@pytest.fixture(scope="module")
def trained():
    encoder = samples()[0].encoder
    keras.utils.set_random_seed(1)
    model = build_of("convlstm")(CONFIG, encoder.shape)
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(scale=0.2, size=each.shape) for each in model.get_weights()])
    return TrainedModel(model, encoder, card())


def test_it_forecasts_as_a_rung_does(trained):
    got = trained.predict(HISTORY, TEST.init_time)
    assert got.shape == BAY.truth(TEST).shape
    assert got.dtype == np.float32
    np.testing.assert_array_equal(np.isfinite(got), np.broadcast_to(BAY.ocean, got.shape))
    assert not np.allclose(
        got[..., BAY.ocean], trained.encoder.base.predict(HISTORY, TEST.init_time)[..., BAY.ocean]
    )
    assert (trained.name, trained.id) == ("convlstm", "convlstm-abc")


def test_a_nan_reaches_its_sample_and_no_other(trained):
    history = HISTORY.copy()
    history[3, -1, 3, 3] = np.nan
    got, whole = (trained.predict(each, TEST.init_time) for each in (history, HISTORY))
    others = np.arange(len(TEST)) != 3
    np.testing.assert_allclose(got[others], whole[others], rtol=0, atol=1e-4)
    assert np.isnan(got[3, :, 3, 3]).all()


def test_it_is_refused_what_it_was_not_trained_on(trained):
    with pytest.raises(NotFittedError):
        trained.predict(HISTORY[:, 1:], TEST.init_time)
    with pytest.raises(NotFittedError, match="trained already"):
        trained.fit(BAY, TEST, trained.encoder.scaling.climatology)


def test_what_is_saved_forecasts_bit_for_bit_the_same(trained, place):
    trained.save(place / "m")
    back = TrainedModel.load(place / "m")
    assert back.card == trained.card
    assert back.encoder.scaling.deviation == trained.encoder.scaling.deviation
    assert back.encoder.base.sha256 == trained.encoder.base.sha256
    np.testing.assert_array_equal(
        back.predict(HISTORY, TEST.init_time), trained.predict(HISTORY, TEST.init_time)
    )


def test_the_folder_appears_whole_and_once(trained, tmp_path, monkeypatch):
    seen = []
    replace = Path.replace

    def watched(self, target):
        seen.append(((tmp_path / "m").exists(), sorted(each.name for each in self.iterdir())))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    trained.save(tmp_path / "m")
    assert seen == [(False, ["base.npz", "card.json", "climatology.npz", "model.keras", "scaling.npz"])]
    assert [each.name for each in tmp_path.iterdir()] == ["m"]
    stamps = [each.stat().st_mtime_ns for each in sorted((tmp_path / "m").iterdir())]
    trained.save(tmp_path / "m")
    assert [each.stat().st_mtime_ns for each in sorted((tmp_path / "m").iterdir())] == stamps


def test_on_s3_the_card_comes_last(trained, on_s3, object_store):
    """Whatever was put before an outage, there is no model until its card is there."""
    hasty = located(str(on_s3), on_s3.access.model_copy(update={"patience": 0.2}))
    for after in (1, 3, 5):
        object_store.outage(600, after=after)
        with pytest.raises(OutageError):
            trained.save(hasty / "m")
        object_store.outage(0)
        assert len(on_s3.walk()) < after  # the first request asks whether it is there
        with pytest.raises(NotFoundError):
            TrainedModel.load(on_s3 / "m")
    trained.save(on_s3 / "m")
    assert TrainedModel.load(on_s3 / "m").id == trained.id


def test_a_full_disk_leaves_nothing(trained, tmp_path, monkeypatch):
    def full(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(DiskFullError):
        trained.save(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_code_in_a_model_file_is_not_run(trained, tmp_path):
    trained.save(tmp_path / "m")
    lambdas = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)])
    lambdas.save(tmp_path / "m" / MODEL)
    with pytest.raises(ValueError, match=r"safe_mode|unsafe"):
        TrainedModel.load(tmp_path / "m")


def test_nothing_is_pickled(trained, tmp_path):
    trained.save(tmp_path / "m")
    for path in (tmp_path / "m").glob("*.npz"):
        with np.load(path, allow_pickle=False) as stored:
            assert all(stored[name].dtype != object for name in stored.files)
    assert not [name for name in zipfile.ZipFile(tmp_path / "m" / MODEL).namelist() if "pickle" in name]


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(NotFoundError, match="no trained model"):
        TrainedModel.load(tmp_path)


def test_the_card_comes_back_and_its_hash_is_that_of_its_file(tmp_path):
    card().write(tmp_path)
    assert ModelCard.read(tmp_path) == card()
    told = judged(tmp_path)
    assert told.card_sha256 == hashlib.sha256((tmp_path / CARD).read_bytes()).hexdigest()
    assert (told.name, told.id, told.fitted_sha256) == ("convlstm", "convlstm-abc", "f")
    assert json.loads((tmp_path / CARD).read_text())["windows"] == SPEC.model_dump()


def test_the_model_with_the_lowest_validation_loss_comes_first(tmp_path):
    losses = {"a": [0.3, 0.5], "b": [0.4, 0.2], "c": [0.25, 0.9]}
    for name, course in losses.items():
        (tmp_path / name).mkdir()
        history = [{"epoch": at, "validation_loss": each} for at, each in enumerate(course, start=1)]
        card(history=history, best_epoch=1 + course.index(min(course))).write(tmp_path / name)
    assert list(best_first(tmp_path, {name: name for name in losses})) == ["b", "c", "a"]


def test_whatever_a_model_may_hold_is_known_to_a_process_that_only_loads_it():
    every = "".join(f"import models.{path.stem}\n" for path in sorted(Path("models").glob("[!_]*.py")))
    known = (
        "print(sorted(name for name in keras.saving.get_custom_objects() if name.startswith('isotherm>')))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", f"import keras\n{imports}\n{known}"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for imports in ("import models.trained", every)
    ]
    assert said[0] == said[1]
    assert "isotherm>LSTM" in said[0]


@pytest.mark.parametrize(
    ("changes", "told"), [({"newer": 1}, "newer: Extra inputs"), ({"parameters": "many"}, "parameters: ")]
)
def test_a_card_that_is_not_known_is_told_with_its_place(tmp_path, changes, told):
    text = json.loads(card().model_dump_json()) | changes
    (tmp_path / CARD).write_text(json.dumps(text))
    with pytest.raises(WorkspaceError) as caught:
        ModelCard.read(tmp_path)
    assert str(tmp_path / CARD) in caught.value.message
    assert told in caught.value.message
    assert "upgrade" in caught.value.remedy


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"7", b'{"kind": ["x"]}', b'{"kind": "tides"}', b'{"kind": "movies"', b"\xff"],
)
def test_what_is_no_card_is_told_whatever_is_asked_of_it(tmp_path, content):
    (tmp_path / CARD).write_bytes(content)
    for asked in (read_card, judged, TrainedModel.load, lambda at: best_first(at.parent, {"one": at.name})):
        with pytest.raises(WorkspaceError) as caught:
            asked(tmp_path)
        assert caught.value.message.startswith(f"{tmp_path / CARD} cannot be read: ")
        assert "train again" in caught.value.remedy
