import numpy as np
import pytest

from models.trained import TrainedModel
from pipeline.forecasts import RUNGS, archive
from pipeline.windows import find_windows
from tests.models.bay import GAPPED
from tests.models.conftest import LADDER
from tests.records import SPEC, SPLITS, fitted

SPLIT = SPLITS.guarded(SPEC.length)
TEST = find_windows(GAPPED.time, GAPPED.usable, SPLIT.test, SPEC)


@pytest.fixture(scope="module")
def archived(made):
    return {
        name: archive.read(made.archive, "bay", name, snapshot=made.archive_snapshot).load()
        for name in archive.forecasters(made.archive, "bay")
    }


def test_every_test_window_and_the_newest_data_are_forecast_by_all(archived):
    assert set(archived) == {"convlstm", *LADDER}
    expected = [*TEST.init_time, GAPPED.time[-1]]
    for forecasts in archived.values():
        assert forecasts.init_time.values.tolist() == np.array(expected).tolist()
        assert forecasts.sst.shape == (len(expected), 3, 5, 6)
        assert (forecasts.lead_time.values / np.timedelta64(1, "D")).tolist() == [1, 2, 3]
        np.testing.assert_array_equal(np.isfinite(forecasts.sst.values).all(axis=(0, 1)), GAPPED.ocean)


def test_the_forecasts_are_those_of_the_model_and_of_rungs_fitted_as_it_was(made, archived):
    model = TrainedModel.load(made.models / made.model_id)
    rungs = {name: fitted(RUNGS[name](), GAPPED) for name in LADDER}
    for name, forecaster in ({"convlstm": model} | rungs).items():
        expected = forecaster.predict(GAPPED.history(TEST), TEST.init_time)
        np.testing.assert_allclose(archived[name].sst.values[:-1], expected, rtol=0, atol=1e-4)
        ids = set(archived[name].model_id.values.tolist())
        assert len(ids) == 1
        assert ids.pop().startswith(f"{name}-")
    assert set(archived["convlstm"].model_id.values.tolist()) == {made.model_id}
    assert set(archived["persistence"].cube_snapshot.values.tolist()) == {made.snapshot}


def test_the_same_again_makes_no_new_snapshot(made):
    told = []
    assert made.issue(progress=lambda *step: told.append(step)) == made.archive_snapshot
    assert [step[:2] for step in told] == [(done, 4) for done in range(5)]
