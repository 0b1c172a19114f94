"""The kinds of collections that stores hold, each with what is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.store import repository
from pipeline.store.movies_reader import MoviesSummary
from pipeline.store.records_reader import RecordsSummary

if TYPE_CHECKING:
    from pathlib import Path

AnySummary = RecordsSummary | MoviesSummary
SUMMARIES: dict[str, type[RecordsSummary | MoviesSummary]] = {
    "records": RecordsSummary,
    "movies": MoviesSummary,
}


def collection_summary(path: Path, snapshot: str | None = None) -> AnySummary | None:
    """The records or movies of a store in sum, at a snapshot or now; None where it holds something else.

    Raises
    ------
    NotFoundError
        There is no store, or it has no such snapshot.
    WorkspaceError
        A newer Isotherm wrote it.
    """
    opened = repository.open_repository(path)
    if snapshot is None:
        commit = repository.head(opened)
    else:
        commit = opened.lookup_snapshot(repository.read_session(path, snapshot).snapshot_id)
    kind = SUMMARIES.get(str(commit.metadata.get("kind")))
    if kind is None:
        return None
    told = {name: commit.metadata[name] for name in kind.model_fields if name in commit.metadata}
    at = commit.written_at.isoformat(timespec="seconds")
    return kind(snapshot=commit.id, written_at=at, message=commit.message, **told)
