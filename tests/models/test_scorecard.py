"""The rolling scorecard of archived forecasts, against sums over them by hand."""

import numpy as np
import pytest
import xarray as xr

from pipeline.errors import NotFoundError
from pipeline.evaluation.rolling import FOLDER, Rolling
from pipeline.evaluation.scorecard import score_recent
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.forecasts import archive
from pipeline.store import reader
from pipeline.store.readings import CubeReading
from tests.models.bay import GAPPED
from tests.models.conftest import LADDER
from tests.records import SPEC, SPLITS, YEARLY, write_cube

SPLIT = SPLITS.guarded(SPEC.length)
NAMES = ("convlstm", *LADDER)


def score(made, folder, *, days=60, block_length=10, **changes):
    given = {
        "model": "convlstm",
        "ladder": LADDER,
        "days": days,
        "train": SPLIT.train,
        "windows": SPEC,
        "climatology": YEARLY,
        "spec": EvaluationSpec(resamples=50, block_length=block_length),
        "cube_snapshot": made.snapshot,
        "archive_snapshot": made.archive_snapshot,
    }
    reading = changes.pop("reading", made.reading)
    return score_recent(reading, made.archive, folder, **(given | changes))


def by_hand(made, days, truth=GAPPED.values):
    """Errors of every forecast and lead that has truth: squares summed over cells, by forecaster and lead."""
    weights = np.cos(np.radians(GAPPED.latitude))[:, None] * GAPPED.ocean
    since = GAPPED.time[-1] - np.timedelta64(days, "D")
    squares = {name: {lead: [] for lead in (1, 2, 3)} for name in NAMES}
    for name in NAMES:
        held = archive.read(made.archive, "bay", name, snapshot=made.archive_snapshot).load()
        for init in held.init_time.values[held.init_time.values >= since]:
            place = int(np.flatnonzero(GAPPED.time == init)[0])
            for lead in (1, 2, 3):
                if place + lead < len(truth) and np.isfinite(truth[place + lead][GAPPED.ocean]).all():
                    error = held.sst.sel(init_time=init).values[lead - 1] - truth[place + lead]
                    squares[name][lead].append(np.nansum(error**2 * weights) / weights.sum())
    return squares


def test_every_pair_that_has_truth_is_scored(made, tmp_path):
    found = score(made, tmp_path)
    squares = by_hand(made, 60)
    data = xr.open_zarr(tmp_path / FOLDER / f"{found.version}.zarr").load()
    for name in NAMES:
        each = [np.sqrt(np.mean(squares[name][lead])) for lead in (1, 2, 3)]
        np.testing.assert_allclose(data.rmse.sel(forecaster=name), each, rtol=1e-4)
        pooled = np.sqrt(np.mean(np.concatenate([*squares[name].values()])))
        assert found.rmse[name] == pytest.approx(pooled, rel=1e-4)
    assert data["count"].values.tolist() == [len(squares["convlstm"][lead]) for lead in (1, 2, 3)]
    assert found.verified == sum(len(some) for some in squares["convlstm"].values())
    assert found.best_rung == min(LADDER, key=found.rmse.__getitem__)
    assert found.difference == pytest.approx(found.rmse["convlstm"] - found.rmse[found.best_rung], abs=1e-5)
    low, high = found.interval
    assert low < found.difference < high
    assert set(data.model_id.values) == {made.model_id}
    assert Rolling.read(tmp_path) == found


def test_forecasts_wait_until_their_last_lead_is_observed(made, tmp_path):
    found = score(made, tmp_path)
    data = xr.open_zarr(tmp_path / FOLDER / f"{found.version}.zarr").load()
    waiting = data.rmse_by_init.sel(forecaster="convlstm").isnull()
    assert found.waiting == int(waiting.any("lead_time").sum())
    assert waiting.isel(init_time=-1).all()  # the newest forecast is of days to come
    assert found.last_init == str(GAPPED.time[-1])[:16]


def test_the_same_again_writes_nothing_new_and_other_truth_is_scored_anew(made, tmp_path):
    first = score(made, tmp_path)
    assert score(made, tmp_path) == first
    assert len([*(tmp_path / FOLDER).iterdir()]) == 1
    changed = reader.read_record(made.cube, "bay", snapshot=made.snapshot)
    changed.values[-20:-10] += 1
    snapshot = write_cube(tmp_path / "cube", changed)
    again = score(
        made, tmp_path, reading=CubeReading(path=tmp_path / "cube", region="bay"), cube_snapshot=snapshot
    )
    assert again.version != first.version
    squares = by_hand(made, 60, changed.values)
    assert again.rmse["persistence"] == pytest.approx(
        np.sqrt(np.mean(np.concatenate([*squares["persistence"].values()]))), rel=1e-4
    )


def test_too_few_forecasts_have_no_interval(made, tmp_path):
    found = score(made, tmp_path, block_length=50)
    assert found.interval is None
    assert not found.worse


def test_where_nothing_is_archived_nothing_is_verified(made, tmp_path):
    found = score(made, tmp_path, ladder=(*LADDER, "eof-ridge"))
    assert (found.forecasts, found.verified, found.version) == (0, 0, None)
    with pytest.raises(NotFoundError, match="no scorecard yet"):
        Rolling.read(tmp_path / "elsewhere")
