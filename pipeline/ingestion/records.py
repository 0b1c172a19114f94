"""Ingestion of labelled records: all their files are fetched, decoded together and committed at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from pipeline.errors import FetchError, GranuleError
from pipeline.ingestion.job import Problem
from pipeline.naming import counted
from pipeline.sources.base import Fetched, FetchFailure
from pipeline.sources.fetch import Fetcher
from pipeline.store import repository
from pipeline.store.records_reader import read_origin, records_summary
from pipeline.store.records_writer import write_records
from pipeline.types import Spec

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from pipeline.sources.base import RecordSource
    from pipeline.sources.policy import FetchPolicy


@dataclass(frozen=True, slots=True)
class RecordsJob:
    """What is ingested, from where, to where; it can be pickled."""

    source: RecordSource
    name: str
    store: Path
    cache: Path
    policy: FetchPolicy | None = None


class RecordsIngested(Spec):
    """What the store of records holds after an ingestion."""

    snapshot: str | None = None
    """Of the commit; None where the store held the same already."""
    records: int = 0
    positives: int = 0
    excluded: dict[str, int] = Field(default_factory=dict)
    """Records and outcomes that were left out, by what is wrong with them."""
    problems: tuple[Problem, ...] = ()

    @property
    def gaps(self) -> tuple[dt.date, ...]:
        """Records have no days that could lack."""
        return ()

    @property
    def lines(self) -> list[str]:
        """As people are told."""
        what = f"{counted(self.records, 'record')} ({self.positives} positive)"
        done = f"ingested {what}" if self.snapshot else f"the store holds {what} already"
        reasons = ", ".join(f"{many} {check}" for check, many in self.excluded.items())
        left_out = f", {sum(self.excluded.values())} left out: {reasons}" if reasons else ""
        return [done + left_out, *(f"  {each.mirror}: {each.message}" for each in self.problems)]


def ingest_records(job: RecordsJob) -> RecordsIngested:
    """Bring the store up to date; a second time nothing is done.

    Raises
    ------
    FetchError
        No mirror could give all the files.
    GranuleError
        A file cannot be used, or no record is left of it.
    StoreError, DiskFullError
        The store is as it was.
    """
    files, problems = _fetched(job)
    summary = records_summary(job.store) if repository.exists(job.store) else None
    if summary is not None and _are_held(job, files):
        checks = Counter(each.check for each in summary.exclusions)
        return RecordsIngested(
            records=summary.records, positives=summary.positives, excluded=dict(checks), problems=problems
        )
    table = job.source.decode_records(files)
    if not table.ids:
        first = table.exclusions[0] if table.exclusions else None
        told = f", the first {first.record}: {first.file} line {first.line}: {first.message}" if first else ""
        raise GranuleError(
            f"no record could be used; {len(table.exclusions)} were left out{told}",
            remedy="correct the files",
            check="structure",
        )
    snapshot = write_records(job.store, job.name, table)
    return RecordsIngested(
        snapshot=snapshot,
        records=len(table.ids),
        positives=int(table.labels.sum()),
        excluded=dict(Counter(each.check for each in table.exclusions)),
        problems=problems,
    )


def _fetched(job: RecordsJob) -> tuple[list[Fetched], tuple[Problem, ...]]:
    """All files of the first mirror that has them."""
    problems: list[Problem] = []
    failed: FetchError | GranuleError | None = None
    with Fetcher(job.policy) as fetcher:
        for mirror in job.source.mirrors:
            granules = job.source.list_granules(mirror, fetcher.read)
            complaint = job.source.content_complaint
            results = list(fetcher.fetch(granules, job.cache, complaint=complaint))
            failures = [each for each in results if isinstance(each, FetchFailure)]
            if not failures:
                return [each for each in results if isinstance(each, Fetched)], tuple(problems)
            for each in failures:
                problems.append(Problem(mirror=mirror, what=each.granule.url, message=each.error.message))
                if failed is None and isinstance(each.error, FetchError | GranuleError):
                    failed = each.error
    if failed is not None:
        raise failed
    told = "; ".join(each.message for each in problems)
    raise FetchError(f"the files could not be had: {told}", remedy="name them with --from-files")


def _are_held(job: RecordsJob, files: list[Fetched]) -> bool:
    """Whether the store was made of these very files, read as they are read now."""
    held, parameters = read_origin(job.store, job.name)
    return held == {each.sha256 for each in files} and parameters == job.source.parameters
