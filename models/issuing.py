"""Forecasts of a trained model and of its ladder, from every test window and from the newest data."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from models.trained import TrainedModel
from pipeline.forecasts import RUNGS, archive
from pipeline.forecasts.field import as_field
from pipeline.store.reader import read_record
from pipeline.windows import Windows, find_windows, newest_init

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import xarray as xr

    from models.recipe import Recipe
    from pipeline.forecasts.base import Forecaster, Record

    Progress = Callable[[int, int, str], None]


def issue_forecasts(
    cube: Path,
    recipe: Recipe,
    model_folder: Path,
    ladder: Sequence[str],
    archive_path: Path,
    *,
    snapshot: str,
    progress: Progress = lambda *_: None,
) -> str:
    """Forecast with the model in `model_folder` and with each rung, and archive it all; return the snapshot.

    The rungs are fitted on the model's own training windows and climatology.

    Raises
    ------
    WindowError
        No test window fits, or the newest data have a gap in the history.
    """
    record = read_record(cube, recipe.region, snapshot=snapshot)
    splits = recipe.splits.guarded(recipe.windows.length)
    training = find_windows(record.time, record.usable, splits.train, recipe.windows)
    test = find_windows(record.time, record.usable, splits.test, recipe.windows)
    issued = _with_newest(record, test)
    model = TrainedModel.load(model_folder)
    climatology = model.encoder.scaling.climatology
    forecasts: dict[str, xr.Dataset] = {}
    model_ids = {}
    for done, name in enumerate([model.name, *ladder]):
        progress(done, len(ladder) + 1, name)
        forecaster: Forecaster = (
            model if name == model.name else RUNGS[name]().fit(record, training, climatology)
        )
        forecasts[name] = _forecast(forecaster, record, issued)
        model_ids[name] = forecaster.id
    progress(len(ladder) + 1, len(ladder) + 1, "archived")
    return archive.write(
        archive_path,
        forecasts,
        region=recipe.region,
        message=f"{recipe.region}: {len(test)} test windows, and the newest data of "
        f"{np.datetime_as_string(issued.init_time[-1], unit='D')}",
        provenance=archive.Provenance(
            cube_snapshot=snapshot, issued_at=dt.datetime.now(dt.UTC), model_ids=model_ids
        ),
    )


def _with_newest(record: Record, windows: Windows) -> Windows:
    """The windows and one more, at the newest init with a whole history; its horizon is not observed yet."""
    newest = newest_init(record.time, record.usable, windows.spec)
    init = np.union1d(windows.init, [newest])
    return Windows(windows.spec, init, record.time[init])


def _forecast(forecaster: Forecaster, record: Record, windows: Windows) -> xr.Dataset:
    values = forecaster.predict(record.history(windows), windows.init_time)
    return as_field(record, windows, values).to_dataset()
