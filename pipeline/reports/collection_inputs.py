"""What reports on labelled records and on movies are both made from, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from pipeline.evaluation.collection import CollectionVerdict
    from pipeline.reports.inputs import ModelFacts, TrainingHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionInputs:
    """The records or movies of an experiment.

    Parameters
    ----------
    name, title
        The name in paths, and the one that people read.
    scores
        Of all forecasters; their rungs stand in `reference`.
    verdict
        On the model.
    training, models, card, lineage
        As in `RegionInputs`.
    """

    name: str
    title: str
    scores: xr.Dataset
    verdict: CollectionVerdict
    training: TrainingHistory | None = None
    card: Mapping[str, Any] = field(default_factory=dict)
    lineage: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[ModelFacts, ...] = ()
