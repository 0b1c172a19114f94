"""Out-of-fold forecasts: each part of the training windows, by a network that was trained on the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from models.encoders import TIMED
from models.stacking import Stacking, stacking_weights
from models.trained import forecast
from models.training import train
from pipeline.climatology import ClimatologySpec
from pipeline.errors import ConfigError, NotFittedError, WindowError
from pipeline.forecasts.seasonal_naive import SeasonalNaive
from pipeline.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from models.checkpoints import Checkpoints
    from models.encoders import TimedEncoder
    from models.recipe import Recipe
    from models.samples import Samples
    from models.training import Progress
    from pipeline.forecasts.base import AnyRecord
    from pipeline.forecasts.series import SeriesRecord

AT_ONCE = 4096


@dataclass(frozen=True)
class Fold:
    """Consecutive training windows, and what is fitted on the training windows apart from them.

    Parameters
    ----------
    held_out
        The windows that are forecast.
    encoder
        Fitted without them.
    training
        The samples of the others.
    """

    held_out: Windows
    encoder: TimedEncoder
    training: Samples


def require_stackable(record: AnyRecord, recipe: Recipe) -> None:
    """Refuse what cannot be stacked with seasonal naive.

    Raises
    ------
    ConfigError
        It is no station's, or its record is counted by rows, so that no part of it can be left out.
    WindowError
        Seasonal naive cannot forecast from these windows.
    """
    if record.kind != "series" or record.protocol != "clean":
        raise ConfigError(
            f"the model {recipe.name} cannot be stacked: stacking is for a station's record under the protocol "
            "'clean'",
            remedy="leave stacking out of its training",
            model=recipe.name,
        )
    try:
        SeasonalNaive.require_windows(recipe.windows, record.time[1] - record.time[0])
    except WindowError as error:
        raise WindowError(
            f"the model {recipe.name} cannot be stacked: {error.message}",
            remedy="change [windows], or leave stacking out of the model's training",
            model=recipe.name,
        ) from error


def make_folds(record: SeriesRecord, recipe: Recipe, count: int, *, snapshot: str) -> list[Fold]:
    """Part the training windows into `count` runs, as equal as may be, and fit an encoder without each.

    Raises
    ------
    WindowError
        A fold is empty, or leaves too few training windows to fit on.
    """
    windows = recipe.parted(record).windows("train")
    # A fold's climatology is never asked for, and a year less a fold would be too short for one.
    recipe = replace(recipe, climatology=ClimatologySpec(harmonics=0))
    if count > len(windows):
        raise _too_few(windows, count, f"{count - len(windows)} of them would be empty")
    folds = []
    for number, init in enumerate(np.array_split(windows.init, count), 1):
        held_out = Windows(windows.spec, init, record.time[init])
        others = without(record, held_out)
        try:
            encoder = TIMED[record.kind].fit(others, recipe, snapshot=snapshot)
            training = encoder.samples(others, recipe.parted(others).windows("train"))
        except (WindowError, NotFittedError) as error:
            raise _too_few(windows, count, f"without fold {number}, {error.message}") from error
        folds.append(Fold(held_out, encoder, training))
    return folds


def _too_few(windows: Windows, count: int, why: str) -> WindowError:
    return WindowError(
        f"{len(windows)} training windows are too few for {count} folds of stacking: {why}",
        remedy="widen the training split, shorten the windows, or leave stacking out of the model's training",
        windows=len(windows),
        folds=count,
    )


def without(record: SeriesRecord, held_out: Windows) -> SeriesRecord:
    """The record with all from the first to the last of the windows missing.

    What it still holds begins or ends history + horizon from them, init time to init time, and shares no row.
    """
    spec = held_out.spec
    first = held_out.init[0] - spec.history * spec.sampling + 1
    last = held_out.init[-1] + (spec.horizon + 1) * spec.sampling - 1
    values = record.values.copy()
    values[max(first, 0) : last + 1] = np.nan
    return replace(record, values=values)


def fit_stacking(
    record: SeriesRecord,
    folds: Sequence[Fold],
    recipe: Recipe,
    epochs: int,
    checkpoints: Sequence[Checkpoints],
    progress: Progress,
) -> Stacking:
    """Train the recipe's network once a fold, and weight it beside seasonal naive by its out-of-fold forecasts.

    Nothing but training times is seen.

    Parameters
    ----------
    epochs
        As many as the network that the weights are for was trained when its weights were kept.
    checkpoints
        One a fold; a fold that was trained already goes on from there.

    Raises
    ------
    NotFittedError
        A training diverged.
    """
    seasonal = SeasonalNaive().fit(record, folds[0].held_out)
    network, other, truth = [], [], []
    for number, (fold, kept) in enumerate(zip(folds, checkpoints, strict=True), 1):
        held_out = fold.encoder.samples(record, fold.held_out)
        told = told_of(f"fold {number} of {len(folds)}", progress)
        done = train(
            recipe.model,
            recipe.config,
            recipe.training,
            fold.training,
            held_out,
            kept,
            told,
            epochs=epochs,
        )
        for some in _batches(fold.held_out):
            history = record.history(some)
            network.append(forecast(done.model, fold.encoder, history, some.init_time)[..., 0, 0])
            other.append(seasonal.predict(history, some.init_time)[..., 0, 0])
            truth.append(record.truth(some)[..., 0, 0])
    return Stacking(stacking_weights(*map(np.concatenate, (network, other, truth))), seasonal)


def _batches(windows: Windows) -> Iterator[Windows]:
    for first in range(0, len(windows), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        yield Windows(windows.spec, windows.init[some], windows.init_time[some])


def told_of(what: str, progress: Progress) -> Progress:
    """What is told of one of several trainings."""
    return lambda done, total, note: progress(done, total, f"{what}, {note}")
