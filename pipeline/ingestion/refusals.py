"""Files that the checks refused, on their way into quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.quarantine import quarantine

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipeline.ingestion.job import IngestJob
    from pipeline.quality.base import Finding
    from pipeline.sources.base import Granule


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that the checks refused, or, without a path, one of which nothing worth keeping came."""

    path: Path | None
    granule: Granule
    findings: tuple[Finding, ...]


def keep_aside(job: IngestJob, refusals: Iterable[Refusal]) -> None:
    """Put what was refused into quarantine.

    Raises
    ------
    DiskFullError
        There is no space.
    """
    for each in refusals:
        path = each.path if each.path is not None and each.path.exists() else None
        quarantine(path, each.granule, each.findings, job.quarantine)
        if path is not None and path.is_relative_to(job.cache):
            # A file that was refused must be asked for again, and not be taken from the cache.
            path.unlink(missing_ok=True)
