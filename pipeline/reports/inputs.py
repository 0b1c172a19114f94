"""What a report is made from, as plain values."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.naming import symbol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import numpy as np
    import xarray as xr

    from pipeline.evaluation.rolling import Rolling
    from pipeline.evaluation.verdict import Verdict
    from pipeline.quality.base import Finding
    from pipeline.reports.movies_inputs import MoviesInputs
    from pipeline.reports.records_inputs import RecordsInputs
    from pipeline.store.revisions import Revisions
    from pipeline.types import Protocol, Quantity


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training windows; losses in the units of the loss, `seconds` of wall clock."""

    epoch: int
    loss: float
    validation_loss: float
    learning_rate: float
    seconds: float
    mae: float = math.nan
    validation_mae: float = math.nan
    """Mean absolute errors in the units of the loss, where they were kept."""
    accuracy: float = math.nan
    validation_accuracy: float = math.nan
    """Shares of the records that were called right, where there are labels."""


@dataclass(frozen=True, slots=True)
class TrainingHistory:
    """All epochs of a training, oldest first, and the number of the epoch whose weights were kept."""

    epochs: tuple[Epoch, ...]
    best_epoch: int

    @property
    def best(self) -> Epoch | None:
        """The epoch whose weights were kept."""
        return next((one for one in self.epochs if one.epoch == self.best_epoch), None)

    @property
    def pace(self) -> float:
        """Seconds an epoch, in the median: the first also compiles."""
        return statistics.median(one.seconds for one in self.epochs) if self.epochs else math.nan


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One of the models that were trained side by side."""

    name: str
    parameters: int
    training: TrainingHistory


@dataclass(frozen=True, slots=True)
class SplitStatistics:
    """The target on one split, in its units.

    Parameters
    ----------
    start, end
        Times of the first and the last step.
    count, missing
        Steps with a value and without one.
    mean, deviation
        Of the values there are.
    scaled_mean, scaled_deviation
        Of the same after the training part's mean was taken off and they were divided by its deviation.
    """

    name: str
    start: np.datetime64
    end: np.datetime64
    count: int
    missing: int
    mean: float
    deviation: float
    scaled_mean: float
    scaled_deviation: float


@dataclass(frozen=True, slots=True)
class StationInputs:
    """What the part of a station shows as lines where that of a region of many cells shows maps.

    Parameters
    ----------
    quantity
        What is forecast.
    protocol
        How the record was read.
    observed
        (init_time, offset), in the quantity's units: around each init time of the examples, from some days
        before it (negative offsets) to the last lead.
    ahead
        Dataset of `model`, `best_rung` and `truth` (time) over some weeks of the test period, by valid time, of
        forecasts at the headline lead; NaN where there is none.
    recent
        (time,), the observations before the newest forecast.
    daily
        (time,), means of days or of some days each over the whole record; NaN where there are too few values.
    weeks
        (time,), the newest weeks of the record, sample by sample.
    statistics
        Of each split.
    """

    quantity: Quantity
    protocol: Protocol
    observed: xr.DataArray
    ahead: xr.Dataset
    recent: xr.DataArray
    daily: xr.DataArray
    weeks: xr.DataArray
    statistics: tuple[SplitStatistics, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Days without data, both ends included."""

    start: dt.date
    end: dt.date

    @property
    def days(self) -> int:
        """How many days are missing."""
        return (self.end - self.start).days + 1


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A granule that was refused, the check that refused it, and why."""

    name: str
    check: str
    reason: str


@dataclass(frozen=True, slots=True)
class DataStatus:
    """What the cube holds: days by status (`final`, `preliminary`, `missing`), and what went wrong."""

    counts: Mapping[str, int]
    first_day: dt.date
    last_day: dt.date
    gaps: tuple[Gap, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionInputs:
    """One region of an experiment.

    Parameters
    ----------
    name, title
        The name in paths (`tasman`), and the one that people read (`Tasman Sea`).
    scores
        The scores dataset of the region, as `pipeline.evaluation.evaluate` gives it.
    verdict
        The verdict on the region's model; a model that the scores lack means that none was trained.
    examples
        Dataset of `model`, `best_rung` and `truth`, each (init_time, lead_time, latitude, longitude) in
        the units of the scores, for a handful of init times; None where there is none. `model` may be absent.
    data
        What the cube holds.
    newest
        Dataset with the variable that is forecast (init_time, lead_time, latitude, longitude) in the units of
        the scores; its last init time is shown.
    newest_by
        The forecaster that made `newest`.
    training
        Of the model that was judged; None where none was trained.
    models
        All that were trained, the judged one first.
    card
        Facts of the model card, label → value: parameters, seed, precision, …
    lineage
        The fields of the lineage, name → value; values may be mappings.
    station
        Of a station, whose grid is one cell; None for fields.
    rolling, recent
        The scorecard of the newest forecasts in sum, and its dataset as `score_recent` keeps it; None where the
        experiment does not run daily.
    revisions
        What final days changed in preliminary ones; None where none was replaced.
    """

    name: str
    title: str
    scores: xr.Dataset
    verdict: Verdict
    examples: xr.Dataset | None
    data: DataStatus
    newest: xr.Dataset | None = None
    newest_by: str = ""
    training: TrainingHistory | None = None
    card: Mapping[str, Any] = field(default_factory=dict)
    lineage: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[ModelFacts, ...] = ()
    station: StationInputs | None = None
    rolling: Rolling | None = None
    recent: xr.Dataset | None = None
    revisions: Revisions | None = None

    @property
    def symbol(self) -> str:
        """Of the units of errors and values, as people write it."""
        return symbol(str(self.scores.attrs["units"]))


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """A whole experiment: its regions or station, its labelled records, or its movies."""

    experiment: str
    title: str
    description: str
    generated_at: dt.datetime
    isotherm_version: str
    regions: tuple[RegionInputs, ...] = ()
    digest: str = ""
    """Of all that it was made from; it stands in the page's head."""
    records: tuple[RecordsInputs, ...] = ()
    movies: tuple[MoviesInputs, ...] = ()
