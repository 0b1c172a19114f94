"""Reading labelled records, and what is told of them without reading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from pipeline.records.base import Exclusion, Parameter, RecordSet, RecordTable, SourceFile
from pipeline.store import records_schema as layout
from pipeline.store import repository
from pipeline.store.records_schema import EXCLUDED, PARAMETERS, SOURCES
from pipeline.store.schema import array
from pipeline.types import Spec

if TYPE_CHECKING:
    from pathlib import Path


class RecordsSummary(Spec):
    """What `isotherm status` says of records, from the newest commit alone."""

    snapshot: str
    written_at: str
    message: str
    regions: tuple[str, ...] = ()
    records: int = 0
    positives: int = 0
    measurements: int = 0
    repeated: int = 0
    """Measurements of a parameter at a time at which the record has one already."""
    implausible: dict[str, int] = Field(default_factory=dict)
    """Values that cannot be, by parameter; they are missing to readers."""
    excluded: int = 0
    exclusions: tuple[Exclusion, ...] = ()
    """The first hundred."""


def read_table(path: Path, name: str, *, snapshot: str | None = None) -> RecordTable:
    """The records called `name` as published.

    Raises
    ------
    NotFoundError
        There is no store, or no such snapshot.
    StoreError
        It has no such records.
    """
    session = repository.read_session(path, snapshot)
    with repository.translated(path):
        group = layout.records_group(repository.read_root(session), name)
        columns = {name: np.asarray(array(group, name)[:]) for name, _ in group.arrays()}
        parameters = layout.read_table(group, PARAMETERS)
        sources = layout.read_table(group, SOURCES)
        excluded = layout.read_table(group, EXCLUDED)
    return RecordTable(
        ids=tuple(map(str, columns["id"])),
        labels=columns["label"],
        files=tuple(map(str, columns["file"])),
        source=columns["source"],
        offset=columns["offset"],
        parameter=columns["parameter"],
        time=columns["time"],
        value=columns["value"],
        parameters=_parameters(parameters),
        sources=tuple(SourceFile(**row) for row in sources),
        exclusions=tuple(Exclusion(**row) for row in excluded),
    )


def read_origin(path: Path, name: str) -> tuple[set[str], tuple[Parameter, ...]]:
    """The SHA-256 of the files that the records called `name` came from, and their parameters; empty without them."""
    session = repository.read_session(path)
    with repository.translated(path):
        root = repository.read_root(session)
        if name not in root:
            return set(), ()
        group = layout.records_group(root, name)
        hashes = {str(row["sha256"]) for row in layout.read_table(group, SOURCES)}
        return hashes, _parameters(layout.read_table(group, PARAMETERS))


def _parameters(rows: list[dict[str, Any]]) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(**{**row, "categories": tuple(map(int, row["categories"].split()))}) for row in rows
    )


def read_records(path: Path, name: str, *, snapshot: str | None = None) -> RecordSet:
    """The records called `name` without the values that cannot be; raises as `read_table`."""
    return RecordSet.of(read_table(path, name, snapshot=snapshot))


def records_summary(path: Path) -> RecordsSummary | None:
    """The records of a store in sum; None where it holds something else.

    Raises
    ------
    NotFoundError
        There is no store.
    WorkspaceError
        A newer Isotherm wrote it.
    """
    commit = repository.head(repository.open_repository(path))
    if commit.metadata.get("kind") != layout.KIND:
        return None
    told = {name: commit.metadata[name] for name in RecordsSummary.model_fields if name in commit.metadata}
    at = commit.written_at.isoformat(timespec="seconds")
    return RecordsSummary(snapshot=commit.id, written_at=at, message=commit.message, **told)
