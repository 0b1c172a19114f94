"""Forecasts of a trained model and of its ladder, from every test window and from the newest data."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from models.card import ModelCard
from models.trained import TrainedModel
from pipeline.errors import StaleInputError
from pipeline.forecasts import RUNGS, archive
from pipeline.forecasts.field import as_field
from pipeline.forecasts.layout import STAMP
from pipeline.forecasts.stamps import stamps
from pipeline.store import repository
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
    test = recipe.parted(record).windows("test").thinned(stride)
    issued = _with_newest(record, test)
    message = f"{reading.region}: {len(test)} test windows, and the newest data of {_told(record, issued)}"
    return _issue(
        reading,
        record,
        recipe,
        models,
        ladder,
        archive_path,
        issued,
        snapshot=snapshot,
        message=message,
        progress=progress,
    )


def issue_newest(
    reading: Reading,
    recipe: Recipe,
    models: Sequence[Path],
    ladder: Sequence[str],
    archive_path: Path,
    *,
    snapshot: str,
    today: dt.date,
    oldest_days: int,
    progress: Progress = lambda *_: None,
) -> str:
    """Forecast from the newest data alone, and return the archive's snapshot; done already, nothing is done.

    Parameters
    ----------
    oldest_days
        The last day of the history may lie so many days before `today`.

    Raises
    ------
    StaleInputError
        It lies further back; nothing is forecast.
    WindowError
        Nowhere is a whole history.
    """
    record = reading.read(snapshot)
    nothing = Windows(recipe.windows, np.empty(0, np.int64), record.time[:0])
    issued = _with_newest(record, nothing)
    newest = issued.init_time[-1].astype("datetime64[D]").astype(dt.date)
    if (today - newest).days > oldest_days:
        raise StaleInputError(
            f"the newest day with a whole history is {newest}, {(today - newest).days} days before {today}, and "
            f"no forecast is made from days older than {oldest_days}",
            remedy="look at `isotherm status` for gaps, or allow more by oldest_input_days of [operations]",
            region=reading.region,
            newest=newest.isoformat(),
        )
    done = archive.issued_from(archive_path, reading.region, issued.init_time[-1])
    ids = {ModelCard.read(folder).name: ModelCard.read(folder).model_id for folder in models}
    if all(done.get(name) == (model_id, snapshot) for name, model_id in ids.items()) and {*ladder} <= {*done}:
        return repository.newest(archive_path)
    return _issue(
        reading,
        record,
        recipe,
        models,
        ladder,
        archive_path,
        issued,
        snapshot=snapshot,
        message=f"{reading.region}: the newest data of {_told(record, issued)}",
        progress=progress,
    )


def _issue(
    reading: Reading,
    record: AnyRecord,
    recipe: Recipe,
    models: Sequence[Path],
    ladder: Sequence[str],
    archive_path: Path,
    issued: Windows,
    *,
    snapshot: str,
    message: str,
    progress: Progress,
) -> str:
    training = recipe.parted(record).windows("train")
    stamped = stamps(reading.path, reading.region, snapshot, issued, record.time[1] - record.time[0])
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
        made = forecast_windows(forecaster, record, issued)
        forecasts[forecaster.name] = made.assign_coords({STAMP: ("init_time", stamped)})
        model_ids[forecaster.name] = forecaster.id
    progress(steps, steps, "archived")
    return archive.write(
        archive_path,
        forecasts,
        region=reading.region,
        message=message,
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


def forecast_windows(forecaster: Forecaster, record: AnyRecord, windows: Windows) -> xr.Dataset:
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
