"""Champion and challenger on the very same windows, none of which either has seen."""

from __future__ import annotations

import datetime as dt
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from models.comparison import Comparison, comparison_id, find_comparison
from models.issuing import forecast_windows
from models.promotion import require_fit
from models.trained import TrainedModel
from pipeline.errors import WindowError
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.verdict import Verdict
from pipeline.forecasts.archive import field_of
from pipeline.forecasts.field import DIMS, as_field
from pipeline.naming import counted, reach, symbol
from pipeline.partition import guard_days
from pipeline.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from models.recipe import Recipe
    from pipeline.evaluation.specs import EvaluationSpec
    from pipeline.forecasts.base import AnyRecord
    from pipeline.store.readings import Reading

    Progress = Callable[[int, int, str], None]

CHALLENGER, CHAMPION = "challenger", "champion"


def compare(
    reading: Reading,
    recipe: Recipe,
    folder: Path,
    champion: str,
    challengers: dict[str, str],
    *,
    spec: EvaluationSpec,
    snapshot: str,
    progress: Progress = lambda *_: None,
) -> Comparison:
    """Let the champion and the first of the challengers forecast the same recent windows, and write down how they did.

    The windows are those of the challenger's test split from which on neither model has been trained or validated on
    anything, with the guard gap between. The challenger is promoted if the interval of the difference of the RMSE
    lies wholly below zero. That RMSE is one figure, area-weighted and pooled over all leads, as it is for the
    verdict against the baselines: a challenger that would have to be better at every lead by itself would never be
    promoted, as the first leads hardly differ, and one that had to be better at any of them would be promoted by
    chance. The figures of each lead are kept beside it. Done already, nothing is done.

    Parameters
    ----------
    recipe
        Of the challengers, with their splits.
    folder
        Where the models lie, and the comparisons.
    champion, challengers
        Ids, those of the challengers by name and the best first.
    spec
        Of the experiment's evaluation; its areas have no say.

    Raises
    ------
    ConfigError
        The champion does not fit the experiment as it is now.
    StoreError
        A forecast or the truth lacks a value in an ocean cell.
    """
    challenger = next(iter(challengers.values()))
    spec = spec.model_copy(update={"areas": {}})
    done = find_comparison(folder, comparison_id(champion, challenger, snapshot, spec))
    if done is not None:
        return done
    record = reading.read(snapshot)
    former, new = (TrainedModel.load(folder / each) for each in (champion, challenger))
    require_fit(former.card, recipe, record)
    windows = _unseen(record, recipe, [former, new]).thinned(spec.stride)
    enough = len(windows) >= 2 * spec.block_length
    verdict = _verdict(record, windows, former, new, spec, progress) if enough else None
    made = Comparison(
        experiment=recipe.experiment,
        region=recipe.region,
        champion=champion,
        challenger=challenger,
        models=challengers,
        cube_snapshot=snapshot,
        spec=spec,
        first_init=_moment(windows, 0),
        last_init=_moment(windows, -1),
        windows=len(windows),
        verdict=verdict,
        sentence=_sentence(champion, challenger, verdict, windows, spec),
        compared_at=dt.datetime.now(dt.UTC),
        isotherm_version=version("isotherm"),
    )
    made.write(folder)
    return made


def _unseen(record: AnyRecord, recipe: Recipe, models: list[TrainedModel]) -> Windows:
    """The windows of the test split whose history begins after all that the models have seen, and its guard gap."""
    parted = recipe.parted(record)
    try:
        test = parted.windows("test")
    except WindowError:
        return Windows(recipe.windows, np.empty(0, np.int64), record.time[:0])
    guard = guard_days(recipe.windows, parted.step)
    seen = max(day for model in models for day in (model.card.train.end, model.card.validation.end))
    begins = record.time[test.history_index()[:, 0]].astype("datetime64[D]")
    free = begins > np.datetime64(seen) + guard
    return Windows(test.spec, test.init[free], test.init_time[free])


def _verdict(
    record: AnyRecord,
    windows: Windows,
    champion: TrainedModel,
    challenger: TrainedModel,
    spec: EvaluationSpec,
    progress: Progress,
) -> Verdict:
    forecasts = {}
    for done, (name, model) in enumerate({CHALLENGER: challenger, CHAMPION: champion}.items()):
        progress(done, 2, model.id)
        forecasts[name] = field_of(forecast_windows(model, record, windows))
    progress(2, 2, "compared")
    climatology = challenger.encoder.climatology.at(record.time[windows.horizon_index()])
    cells = {"latitude": record.latitude, "longitude": record.longitude}
    scores = evaluate(
        forecasts,
        as_field(record, windows, record.truth(windows)),
        as_field(record, windows, climatology),
        xr.DataArray(record.ocean, dims=DIMS[2:], coords=cells),
        spec,
        model=CHALLENGER,
        ladder=[CHAMPION],
        provenance={"region": challenger.card.region},
    )
    return Verdict.of(scores)


def _moment(windows: Windows, at: int) -> dt.datetime | None:
    if not len(windows):
        return None
    moment: dt.datetime = windows.init_time[at].astype("datetime64[s]").astype(dt.datetime)
    return moment


def _sentence(
    champion: str, challenger: str, verdict: Verdict | None, windows: Windows, spec: EvaluationSpec
) -> str:
    if verdict is None:
        return (
            f"{challenger} cannot be compared with the champion {champion}: {counted(len(windows), 'recent window')} "
            f"that neither has seen, and {2 * spec.block_length} are needed for an interval. The champion stays."
        )
    unit = symbol(verdict.units)
    outcome = "beats" if verdict.promoted else "does not clearly beat"
    interval = ""
    if verdict.difference_interval is not None:
        low, high = verdict.difference_interval
        interval = f" ({verdict.confidence:.0%} interval {low:+.4f} to {high:+.4f})"
    first, last = (np.datetime_as_string(windows.init_time[at], unit="D") for at in (0, -1))
    return (
        f"{challenger} {outcome} the champion {champion}: RMSE {verdict.rmse_pooled:.4f} against "
        f"{verdict.best_rmse_pooled:.4f} {unit} over {reach(verdict.leads[0].lead_days, verdict.leads[-1].lead_days)}, "
        f"difference {verdict.difference_pooled:+.4f}{interval}, on {counted(len(windows), 'window')} from {first} to "
        f"{last}. {'It is promoted.' if verdict.promoted else 'The champion stays.'}"
    )
