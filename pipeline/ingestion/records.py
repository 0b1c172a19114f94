"""Ingestion of labelled records; see `pipeline.ingestion.collection`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.ingestion.collection import (
    CollectionIngested,
    by_check,
    fetch_all,
    require_any,
)
from pipeline.naming import counted
from pipeline.records.base import sources_of
from pipeline.store import repository
from pipeline.store.collections import collection_summary
from pipeline.store.records_reader import RecordsSummary, read_left_out, read_origin
from pipeline.store.records_writer import write_records

if TYPE_CHECKING:
    from pipeline.ingestion.collection import CollectionJob
    from pipeline.sources.base import Fetched, RecordSource


class RecordsIngested(CollectionIngested):
    """What the store of records holds after an ingestion."""

    records: int = 0
    positives: int = 0

    @property
    def what(self) -> str:
        """What the store holds, as people are told."""
        return f"{counted(self.records, 'record')} ({self.positives} positive)"


def ingest_records(job: CollectionJob[RecordSource]) -> RecordsIngested:
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
    haul = fetch_all(job)
    summary = collection_summary(job.store) if repository.exists(job.store) else None
    if isinstance(summary, RecordsSummary) and _are_held(job, haul.files):
        return RecordsIngested(
            records=summary.records,
            positives=summary.positives,
            excluded=by_check(read_left_out(job.store, job.name)),
            problems=haul.problems,
        )
    table = job.source.decode_records(haul.files)
    require_any(table.ids, table.exclusions, "record")
    return RecordsIngested(
        snapshot=write_records(job.store, job.name, table),
        records=len(table.ids),
        positives=int(table.labels.sum()),
        excluded=by_check(table.exclusions),
        problems=haul.problems,
    )


def _are_held(job: CollectionJob[RecordSource], files: list[Fetched]) -> bool:
    """Whether the store was made of these very files, read as they are read now.

    Their addresses count as well: a source may read a label off a file's folder.
    """
    held, parameters = read_origin(job.store, job.name)
    return held == set(sources_of(files)[0]) and parameters == job.source.parameters
