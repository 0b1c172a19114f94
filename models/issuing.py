"""Forecasts of a trained model and of its ladder, from every test window and from the newest data."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from models.trained import TrainedModel
from pipeline.forecasts import RUNGS, archive
from pipeline.forecasts.field import as_field
from pipeline.windows import Windows, newest_init

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import xarray as xr

    from models.recipe import Recipe
    from pipeline.forecasts.base import AnyRecord, Forecaster
    from pipeline.store.readings import Reading

    Progress = Callable[[int, int, str], None]

WINDOWS_AT_ONCE = 4096


def issue_forecasts(
    reading: Reading,
    recipe: Recipe,
    models: Sequence[Path],
    ladder: Sequence[str],
    archive_path: Path,
    *,
    snapshot: str,
    stride: int = 1,
    progress: Progress = lambda *_: None,
) -> str:
    """Forecast with the models in these folders and with each rung, and archive it all; return the snapshot.

    The rungs are fitted on the models' own training windows and climatology.

    Parameters
    ----------
    recipe
        Of any of the models: they share their windows and splits.
    stride
        Of the test windows, every so many are forecast.

    Raises
    ------
    WindowError
        No test window fits, or the newest data have a gap in the history.
    """
    record = reading.read(snapshot)
    parted = recipe.parted(record)
    training = parted.windows("train")
    test = parted.windows("test").thinned(stride)
    issued = _with_newest(record, test)
    trained = [TrainedModel.load(folder) for folder in models]
    climatology = trained[0].encoder.climatology
    forecasts: dict[str, xr.Dataset] = {}
    model_ids = {}
    steps = len(trained) + len(ladder)
    for done, model in enumerate([*trained, *ladder]):
        forecaster: Forecaster = (
            RUNGS[model]().fit(record, training, climatology) if isinstance(model, str) else model
        )
        progress(done, steps, forecaster.name)
        forecasts[forecaster.name] = _forecast(forecaster, record, issued)
        model_ids[forecaster.name] = forecaster.id
    progress(steps, steps, "archived")
    return archive.write(
        archive_path,
        forecasts,
        region=reading.region,
        message=f"{reading.region}: {len(test)} test windows, and the newest data of {_told(record, issued)}",
        provenance=archive.Provenance(
            cube_snapshot=snapshot, issued_at=dt.datetime.now(dt.UTC), model_ids=model_ids
        ),
    )


def _told(record: AnyRecord, windows: Windows) -> str:
    """The newest init time, in minutes where the record's step is shorter than a day."""
    whole = record.time[1] - record.time[0] >= np.timedelta64(1, "D")
    return str(np.datetime_as_string(windows.init_time[-1], unit="D" if whole else "m"))


def _with_newest(record: AnyRecord, windows: Windows) -> Windows:
    """The windows and one more, at the newest init with a whole history; its horizon is not observed yet."""
    newest = newest_init(record.time, record.usable, windows.spec)
    init = np.union1d(windows.init, [newest])
    return Windows(windows.spec, init, record.time[init])


def _forecast(forecaster: Forecaster, record: AnyRecord, windows: Windows) -> xr.Dataset:
    """The forecasts, made from some histories at a time: those of a long series fill the memory."""
    parts = []
    for first in range(0, len(windows), WINDOWS_AT_ONCE):
        some = Windows(
            windows.spec,
            windows.init[first : first + WINDOWS_AT_ONCE],
            windows.init_time[first : first + WINDOWS_AT_ONCE],
        )
        parts.append(forecaster.predict(record.history(some), some.init_time))
    return as_field(record, windows, np.concatenate(parts)).to_dataset()
