"""What is told of a store of labelled records or of movies without reading it."""

from __future__ import annotations

from pipeline.records.base import Exclusion
from pipeline.types import Spec


class CollectionSummary(Spec):
    """From the newest commit alone."""

    snapshot: str
    written_at: str
    message: str
    regions: tuple[str, ...] = ()
    excluded: int = 0
    exclusions: tuple[Exclusion, ...] = ()
    """The first hundred."""

    @property
    def facts(self) -> dict[str, str]:
        """As people are told, by what it is; the first is what there is."""
        raise NotImplementedError
