"""What is asked of the ingestion of a station."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.sources.base import SeriesSource
    from pipeline.sources.policy import FetchPolicy
    from pipeline.store.series_schema import Station


@dataclass(frozen=True, slots=True)
class SeriesJob:
    """What is ingested, from where, to where; it can be pickled."""

    source: SeriesSource
    station: Station
    store: Path
    cache: Path
    quarantine: Path
    policy: FetchPolicy | None = None
    recheck: int | None = None
    """Of how many newest days closed files without a version are asked for again; of all where None."""
