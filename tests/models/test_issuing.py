import datetime as dt

import numpy as np
import pytest
import zarr

from models.issuing import issue_newest
from models.trained import TrainedModel
from pipeline.errors import StaleInputError
from pipeline.forecasts import RUNGS, archive
from pipeline.forecasts.stamps import read_stamp
from pipeline.store import repository
from pipeline.store.state import read_state
from pipeline.windows import find_windows
from tests.models.bay import GAPPED, SHORT, recipe
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


def test_every_forecast_is_stamped_with_the_status_of_its_input_days(tmp_path, made, archived):
    held = read_state(made.cube, made.snapshot)
    for forecasts in archived.values():
        for init, stamp in zip(forecasts.init_time.values, forecasts.input_status.values, strict=True):
            days, status = read_stamp(str(stamp), init)
            assert len(days) == SPEC.history
            assert days[-1] == init.astype("datetime64[D]")
            assert status.tolist() == [held.at(day)[0] for day in days.tolist()]


@pytest.fixture
def newest(made, tmp_path):
    """Forecasts from the newest data into an archive of its own."""

    def issue(today=0, **options):
        told = []
        snapshot = issue_newest(
            made.reading,
            recipe(training=SHORT),
            [made.models / made.model_id],
            LADDER,
            tmp_path / "archive",
            snapshot=options.pop("snapshot", made.snapshot),
            today=GAPPED.time[-1].astype("datetime64[D]").astype(object) + dt.timedelta(today),
            oldest_days=3,
            progress=lambda *step: told.append(step),
        )
        return snapshot, told

    return issue


def test_the_newest_forecast_is_that_of_the_whole_archive(tmp_path, made, archived, newest):
    newest()
    for name in ("convlstm", *LADDER):
        alone = archive.read(tmp_path / "archive", "bay", name).load()
        whole = archived[name].isel(init_time=[-1])
        np.testing.assert_allclose(alone.sst, whole.sst, rtol=0, atol=1e-4)
        for column in ("input_status", "model_id", "cube_snapshot"):
            assert alone[column].values.tolist() == whole[column].values.tolist()


def test_a_second_time_nothing_is_asked_of_any_model(newest):
    first, told = newest()
    assert told
    assert newest() == (first, [])


def test_from_days_that_are_too_old_nothing_is_forecast(tmp_path, newest):
    newest(today=3)
    with pytest.raises(
        StaleInputError, match=f"{GAPPED.time[-1].astype('datetime64[D]')}, 4 days before"
    ) as told:
        newest(today=4)
    assert "oldest_input_days" in told.value.remedy


def test_an_archive_of_the_format_before_is_read_and_upgraded_by_the_next_forecast(tmp_path, made, newest):
    newest()
    path = tmp_path / "archive"
    session = repository.open_repository(path).writable_session("main")
    root = zarr.open_group(session.store, mode="a")
    for name in ("convlstm", *LADDER):
        del root[f"bay/{name}/input_status"]
        variable = root[f"bay/{name}/sst"]
        variable.attrs["coordinates"] = variable.attrs["coordinates"].replace(" input_status", "")
    old = session.commit("as format 1 was", metadata={repository.FORMAT_KEY: 1})
    assert "input_status" not in archive.read(path, "bay", "convlstm")
    assert newest(snapshot=made.snapshot) == (old, [])
    snapshot = made.issue(archive_path=path)
    assert snapshot != old
    data = archive.read(path, "bay", "convlstm").load()
    assert data.input_status.values[-1] == ""  # it was there already, and what it was made from is not known
    assert set(data.input_status.values[:-1]) == {"F" * SPEC.history}
