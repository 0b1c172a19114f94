"""What a report on labelled records is made from, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.reports.collection_inputs import CollectionInputs

if TYPE_CHECKING:
    from pipeline.evaluation.records import RecordsVerdict
    from pipeline.store.records_reader import RecordsSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsInputs(CollectionInputs):
    """The labelled records of an experiment.

    Parameters
    ----------
    scores
        As `pipeline.evaluation.classification.classification_scores` gives them.
    data
        What the store holds, and what was left out.
    """

    verdict: RecordsVerdict
    data: RecordsSummary
