"""Reading labelled records, and what is told of them without reading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from pipeline.naming import counted
from pipeline.records.base import Parameter, RecordSet, RecordTable
from pipeline.records.texts import TextSet, TextTable
from pipeline.store import records_schema as layout
from pipeline.store import repository
from pipeline.store.collection_schema import read_exclusions, read_source_files
from pipeline.store.collection_summary import CollectionSummary
from pipeline.store.records_schema import PARAMETERS
from pipeline.store.schema import array

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.records.base import Exclusion, SourceFile


WORST_TOLD = 5
"""Parameters with implausible values."""


class RecordsSummary(CollectionSummary):
    """What `isotherm status` says of records, from the newest commit alone."""

    records: int = 0
    positives: int = 0
    measurements: int = 0
    repeated: int = 0
    """Measurements of a parameter at a time at which the record has one already; of texts, those that are word for
    word the same as one before."""
    texts: bool = False
    """Whether the records are texts, which have no measurements."""
    characters: int = 0
    """Of all texts."""
    published: int = 0
    """Texts that the source publishes for test."""
    shared: int = 0
    """Of these, those that are word for word the same as one that is not for test."""
    implausible: dict[str, int] = Field(default_factory=dict)
    """Values that cannot be, by parameter; they are missing to readers."""

    @property
    def facts(self) -> dict[str, str]:
        """As people are told, by what it is."""
        what = f"{counted(self.records, 'record')}, {self.positives} positive; "
        if self.texts:
            same = f"{self.repeated} as one before; of those for test {self.shared} as one that is not"
            return {"records": what + counted(self.characters, "character"), "word for word": same}
        many = sum(self.implausible.values())
        worst = sorted(self.implausible, key=lambda name: -self.implausible[name])[:WORST_TOLD]
        named = ", ".join(f"{name} {self.implausible[name]}" for name in worst)
        return {
            "records": what + counted(self.measurements, "measurement"),
            "implausible": f"{counted(many, 'value')}, missing to models: {named} …" if many else "none",
        }


def read_table(path: Path, name: str, *, snapshot: str | None = None) -> RecordTable | TextTable:
    """The records called `name` as published: measurements or texts.

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
        sources, exclusions = read_source_files(group), read_exclusions(group)
        texts = layout.holds_texts(group)
    common: dict[str, Any] = {
        "ids": tuple(map(str, columns["id"])),
        "labels": columns["label"],
        "files": tuple(map(str, columns["file"])),
        "source": columns["source"],
        "sources": sources,
        "exclusions": exclusions,
    }
    if texts:
        return TextTable(**common, texts=tuple(map(str, columns["text"])), published=columns["published"])
    return RecordTable(
        **common,
        offset=columns["offset"],
        parameter=columns["parameter"],
        time=columns["time"],
        value=columns["value"],
        parameters=_parameters(parameters),
    )


def read_origin(path: Path, name: str) -> tuple[set[SourceFile], tuple[Parameter, ...]]:
    """The files that the records called `name` came from, and their parameters; empty without them."""
    session = repository.read_session(path)
    with repository.translated(path):
        root = repository.read_root(session)
        if name not in root:
            return set(), ()
        group = layout.records_group(root, name)
        return set(read_source_files(group)), _parameters(layout.read_table(group, PARAMETERS))


def read_left_out(path: Path, name: str) -> tuple[Exclusion, ...]:
    """All that was left out of the records called `name`; raises as `read_table`."""
    session = repository.read_session(path)
    with repository.translated(path):
        return read_exclusions(layout.records_group(repository.read_root(session), name))


def _parameters(rows: list[dict[str, Any]]) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(**{**row, "categories": tuple(map(int, row["categories"].split()))}) for row in rows
    )


def read_sources(path: Path, name: str, *, snapshot: str | None = None) -> tuple[SourceFile, ...]:
    """The files that the records called `name` came from; raises as `read_table`."""
    session = repository.read_session(path, snapshot)
    with repository.translated(path):
        return read_source_files(layout.records_group(repository.read_root(session), name))


def read_records(path: Path, name: str, *, snapshot: str | None = None) -> RecordSet | TextSet:
    """The records called `name` without the values that cannot be, or texts; raises as `read_table`."""
    table = read_table(path, name, snapshot=snapshot)
    return TextSet.of(table) if isinstance(table, TextTable) else RecordSet.of(table)
