"""What a report is made from, as plain values, and what a section of it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    import xarray as xr

    from pipeline.evaluation.verdict import Verdict
    from pipeline.quality.base import Finding


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training windows; losses in the units of the loss, `seconds` of wall clock."""

    epoch: int
    loss: float
    validation_loss: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class TrainingHistory:
    """All epochs of a training, oldest first, and the number of the epoch whose weights were kept."""

    epochs: tuple[Epoch, ...]
    best_epoch: int


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
        degree_Celsius, for a handful of init times; None where there is none. `model` may be absent.
    data
        What the cube holds.
    newest
        Dataset with `sst` (init_time, lead_time, latitude, longitude) in degree_Celsius; its last init time
        is shown.
    newest_by
        The forecaster that made `newest`.
    training
        None where no model was trained.
    card
        Facts of the model card, label → value: parameters, seed, precision, …
    lineage
        The fields of the lineage, name → value; values may be mappings.
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


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """A whole experiment."""

    experiment: str
    title: str
    description: str
    generated_at: dt.datetime
    isotherm_version: str
    regions: tuple[RegionInputs, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading in plain text, and well-formed HTML to stand below it."""

    title: str
    html: str


@dataclass(frozen=True, slots=True)
class PerRegion:
    """A section that every region of the report has."""

    build: Callable[[ReportInputs, RegionInputs], Section]


@dataclass(frozen=True, slots=True)
class PerPage:
    """A section that the report has once; `leads` puts it before the regions."""

    build: Callable[[ReportInputs], Section]
    leads: bool = False


SectionEntry = PerRegion | PerPage
