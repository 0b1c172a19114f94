"""What a report on labelled records is made from, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from pipeline.evaluation.records import RecordsVerdict
    from pipeline.reports.inputs import ModelFacts, TrainingHistory
    from pipeline.store.records_reader import RecordsSummary


@dataclass(frozen=True, slots=True)
class RecordsInputs:
    """The labelled records of an experiment.

    Parameters
    ----------
    name, title
        The name in paths, and the one that people read.
    scores
        As `pipeline.evaluation.classification.classification_scores` gives them.
    verdict
        On the model.
    data
        What the store holds, and what was left out.
    training, models, card, lineage
        As in `RegionInputs`.
    """

    name: str
    title: str
    scores: xr.Dataset
    verdict: RecordsVerdict
    data: RecordsSummary
    training: TrainingHistory | None = None
    card: Mapping[str, Any] = field(default_factory=dict)
    lineage: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[ModelFacts, ...] = ()
