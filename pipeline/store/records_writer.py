"""Writing labelled records, all of them in one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

from pipeline.naming import counted
from pipeline.records.texts import TextTable
from pipeline.store import records_schema as layout
from pipeline.store import repository
from pipeline.store.collection_schema import exclusions_told, own_root
from pipeline.store.records_schema import EXCLUDED, PARAMETERS, SOURCES
from pipeline.store.schema import array

if TYPE_CHECKING:
    from pathlib import Path

    import icechunk

    from pipeline.records.base import RecordTable


def write_records(path: Path, name: str, table: RecordTable | TextTable) -> str | None:
    """Put `table` in the place of the records called `name`; the snapshot, or None where it is there already.

    Raises
    ------
    StoreError, DiskFullError
        The store is as it was.
    """
    if not repository.exists(path):
        repository.create(path, splits={"measurement": 64})

    def change(session: icechunk.Session) -> tuple[str, dict[str, Any]] | None:
        root = zarr.open_group(session.store, mode="a")
        own_root(root, name)
        if name in root and _same(layout.records_group(root, name), table):
            return None
        group = layout.create_group(root, name, texts=isinstance(table, TextTable))
        layout.put_records(
            group,
            {
                "id": np.array(table.ids, dtype=object),
                "label": table.labels,
                "file": np.array(table.files, dtype=object),
                "source": table.source,
            },
        )
        _put_body(group, table)
        layout.put_table(group, PARAMETERS, _rows(table))
        layout.put_table(group, SOURCES, [each.model_dump() for each in table.sources])
        layout.put_table(group, EXCLUDED, [each.model_dump() for each in table.exclusions])
        left_out = f", {len(table.exclusions)} left out" if table.exclusions else ""
        return f"write {counted(len(table.ids), 'record')}{left_out}", _told(root, table)

    return repository.commit(path, change)


def _put_body(group: zarr.Group, table: RecordTable | TextTable) -> None:
    if isinstance(table, TextTable):
        layout.put_texts(group, np.array(table.texts, dtype=object))
        layout.put_records(group, {"published": table.published})
        return
    layout.put_flat(group, {"value": table.value, "parameter": table.parameter, "time": table.time})
    layout.put_offset(group, table.offset)


def _rows(table: RecordTable | TextTable) -> list[dict[str, Any]]:
    return [
        {**each.model_dump(), "categories": " ".join(map(str, each.categories))} for each in table.parameters
    ]


def _same(group: zarr.Group, table: RecordTable | TextTable) -> bool:
    """Whether the records are called and labelled so, came from files of the same content, and were read so."""
    if layout.read_table(group, PARAMETERS) != _rows(table):
        return False
    ids, labels = np.asarray(array(group, "id")[:]), np.asarray(array(group, "label")[:])
    if tuple(map(str, ids)) != table.ids or not np.array_equal(labels, table.labels):
        return False
    held = [row["sha256"] for row in layout.read_table(group, SOURCES)]
    excluded = [row["message"] for row in layout.read_table(group, EXCLUDED)]
    return held == [each.sha256 for each in table.sources] and excluded == [
        each.message for each in table.exclusions
    ]


def _told(root: zarr.Group, table: RecordTable | TextTable) -> dict[str, Any]:
    """What is told of the store without reading it, see `RecordsSummary`."""
    return {
        "kind": layout.KIND,
        "regions": sorted(name for name, _ in root.groups()),
        "records": len(table.ids),
        "positives": int(table.labels.sum()),
        "repeated": table.repeated,
        **(_of_texts(table) if isinstance(table, TextTable) else _of_measurements(table)),
        **exclusions_told(table.exclusions),
    }


def _of_measurements(table: RecordTable) -> dict[str, Any]:
    names = [each.name for each in table.parameters]
    places, counts = np.unique(table.parameter[table.implausible], return_counts=True)
    return {
        "measurements": len(table.value),
        "implausible": {names[at]: int(many) for at, many in zip(places, counts, strict=True)},
    }


def _of_texts(table: TextTable) -> dict[str, Any]:
    return {
        "texts": True,
        "characters": sum(map(len, table.texts)),
        "published": int(table.published.sum()),
        "shared": table.shared,
    }
