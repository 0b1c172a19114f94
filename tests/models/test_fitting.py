import hashlib

import numpy as np
import pytest

from models import fitting
from models.card import ModelCard
from models.trained import TrainedModel
from pipeline.errors import NotFittedError, WindowError
from pipeline.splits import Splits
from pipeline.store.reader import read_record
from pipeline.store.readings import CubeReading
from pipeline.windows import WindowSpec, find_windows
from tests.models.bay import BAY, CONFIG, GAPPED, SHORT, recipe, samples
from tests.records import SPEC, SPLITS, changed, period, write_cube


def test_the_record_of_the_cube_is_the_one_that_was_written(made):
    record = read_record(made.cube, "bay", snapshot=made.snapshot)
    np.testing.assert_array_equal(record.values, GAPPED.values)
    np.testing.assert_array_equal(record.ocean, BAY.ocean)
    np.testing.assert_array_equal(record.time, BAY.time)


def test_a_model_is_trained_once(made, monkeypatch):
    def again(*args, **options):
        raise AssertionError("it was trained again")

    monkeypatch.setattr(fitting, "train", again)
    same = fitting.fit_models(made.reading, [recipe(training=SHORT)], made.models, snapshot=made.snapshot)
    assert same == {"convlstm": made.model_id}
    assert [each.name for each in made.models.iterdir()] == [made.model_id]


def test_the_card_tells_what_was_made(made):
    card = ModelCard.read(made.models / made.model_id)
    model = TrainedModel.load(made.models / made.model_id)
    splits = SPLITS.guarded(SPEC.length)
    assert (card.model_id, card.region, card.cube_snapshot) == (made.model_id, "bay", made.snapshot)
    assert (card.train, card.validation) == (splits.train, splits.validation)
    assert card.train_windows == len(find_windows(BAY.time, BAY.usable, splits.train, SPEC))
    assert card.parameters == sum(each.size for each in model.model.get_weights())
    assert [each["epoch"] for each in card.history] == [1]
    digest = hashlib.sha256()
    for each in model.model.get_weights():
        digest.update(np.ascontiguousarray(each).tobytes())
    assert card.weights_sha256 == digest.hexdigest()
    assert card.fitted_sha256 == model.encoder.sha256
    assert card.fitted_sha256 != samples(changed(BAY, slice(0, 9)))[0].encoder.sha256
    assert model.encoder.scaling.climatology.snapshot == made.snapshot


def test_the_model_is_named_by_what_it_learns_from():
    key = recipe().key(BAY)
    assert key.startswith("convlstm-")
    assert recipe().key(changed(BAY, slice(550, None))) == key
    later = Splits(train=SPLITS.train, validation=SPLITS.validation, test=period(560, 640))
    assert recipe(splits=later).key(BAY) == key
    others = [
        recipe().key(changed(BAY, slice(100, 101), by=0.01)),
        recipe().key(changed(BAY, slice(549, 550), by=0.01)),
        recipe(config=CONFIG.model_copy(update={"filters": 3})).key(BAY),
        recipe(training=SHORT).key(BAY),
        recipe(windows=WindowSpec(history=5, horizon=3)).key(BAY),
        recipe(name="another").key(BAY),
        recipe(splits=Splits(train=period(0, 448), validation=SPLITS.validation, test=SPLITS.test)).key(BAY),
    ]
    assert len({key, *others}) == 8


def test_a_record_that_is_too_short_leaves_nothing(tmp_path):
    snapshot = write_cube(tmp_path / "cube", BAY)
    with pytest.raises(WindowError, match=r"no window of 300 \+ 200 steps"):
        fitting.fit_models(
            CubeReading(path=tmp_path / "cube", region="bay"),
            [recipe(windows=WindowSpec(history=300, horizon=200), splits=_far_apart())],
            tmp_path / "models",
            snapshot=snapshot,
        )
    assert not (tmp_path / "models").exists()


def test_a_sea_that_never_varies_is_refused(tmp_path):
    still = changed(BAY, slice(None), by=0)
    still.values[:, BAY.ocean] = 4
    snapshot = write_cube(tmp_path / "cube", still)
    with pytest.raises(NotFittedError, match="no variability"):
        fitting.fit_models(
            CubeReading(path=tmp_path / "cube", region="bay"),
            [recipe()],
            tmp_path / "models",
            snapshot=snapshot,
        )
    assert not (tmp_path / "models").exists()


def _far_apart():
    return Splits(train=period(0, 449), validation=period(1000, 1500), test=period(2100, 2200))
