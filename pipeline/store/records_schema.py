"""What the store of labelled records looks like: flat arrays of measurements and tables beside them; no padding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from zarr.codecs import BloscCodec

from pipeline.errors import StoreError, WorkspaceError
from pipeline.store.series_schema import subgroup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import zarr
    from numpy.typing import NDArray

KIND = "records"
FORMAT = 1
FORMAT_KEY = "records_format"
CHUNK = 2**18
"""Measurements or records of a chunk: 1 MiB of values, of some 600 stays in intensive care."""
PARAMETERS, SOURCES, EXCLUDED = "parameters", "sources", "excluded"
_FLAT = {
    "value": "the value, in the units of its parameter, as published",
    "parameter": f"what was measured: its place in the group {PARAMETERS}",
    "time": "minutes since the record began",
}
_RECORDS = {
    "id": "identifier of the record",
    "label": "1 where what is asked for happened, else 0",
    "file": "file of the record within its archive",
    "source": f"archive that it is from: its place in the group {SOURCES}",
}
_TABLES: dict[str, dict[str, str]] = {
    PARAMETERS: {
        "name": "name of the parameter",
        "long_name": "what it is",
        "units": "of its values",
        "low": "least value that can be",
        "high": "greatest value that can be",
        "logarithmic": "whether models see its logarithm",
        "total": "whether measurements of one step add up",
        "static": "whether it describes the whole record",
        "categories": "values that it may have, where it counts nothing",
    },
    SOURCES: {"url": "address of the file", "sha256": "SHA-256 of the file"},
    EXCLUDED: {
        "record": "identifier of what was left out",
        "check": "what is wrong with it, in a word",
        "file": "file that its cause is in",
        "line": "line of the file",
        "message": "what is wrong with it",
    },
}
_TITLES = {
    PARAMETERS: "What was measured",
    SOURCES: "The files that the records came from",
    EXCLUDED: "Records and outcomes that were left out, and why",
}


def create_group(root: zarr.Group, name: str) -> zarr.Group:
    """An empty group of records, in the place of the one that there is."""
    about: dict[str, Any] = {"title": f"Labelled records {name}", "kind": KIND, FORMAT_KEY: FORMAT}
    group = root.create_group(name, attributes=about, overwrite=True)
    for table, title in _TITLES.items():
        group.create_group(table, attributes={"title": title})
    return group


def put(group: zarr.Group, columns: Mapping[str, NDArray[Any]], dim: str, about: Mapping[str, str]) -> None:
    """Arrays (dim,) of these values."""
    for name, values in columns.items():
        text = values.dtype.kind in "OU"
        group.create_array(
            name,
            shape=values.shape,
            chunks=(min(CHUNK, max(len(values), 1)),),
            dtype=str if text else values.dtype,
            compressors="auto" if text else BloscCodec(cname="zstd", clevel=5, shuffle="bitshuffle"),
            dimension_names=(dim,),
            attributes={"long_name": about[name]},
        )[...] = values


def put_flat(group: zarr.Group, columns: Mapping[str, NDArray[Any]]) -> None:
    """The measurements."""
    put(group, columns, "measurement", _FLAT)


def put_records(group: zarr.Group, columns: Mapping[str, NDArray[Any]], offset: NDArray[np.int64]) -> None:
    """What is known of each record, and where its measurements are."""
    put(group, columns, "record", _RECORDS)
    told = {"offset": "measurements of record i are from offset[i] to before offset[i + 1]"}
    put(group, {"offset": offset}, "edge", told)


def put_table(group: zarr.Group, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """The rows of one of the tables."""
    columns = {}
    for name in _TABLES[table]:
        values = [row[name] for row in rows]
        plain = bool(values) and not isinstance(values[0], str)
        columns[name] = np.array(values) if plain else np.array(values, dtype=object)
    put(subgroup(group, table), columns, table.removesuffix("s"), _TABLES[table])


def read_table(group: zarr.Group, table: str) -> list[dict[str, Any]]:
    """What `put_table` wrote."""
    columns = {name: np.asarray(each[:]).tolist() for name, each in subgroup(group, table).arrays()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def records_group(root: zarr.Group, name: str) -> zarr.Group:
    """The group of the records called `name`.

    Raises
    ------
    StoreError
        There is none; the message names those there are.
    WorkspaceError
        A newer Isotherm wrote it.
    """
    groups = dict(root.groups())
    if name not in groups or groups[name].attrs.get("kind") != KIND:
        known = ", ".join(sorted(one for one, each in groups.items() if each.attrs.get("kind") == KIND))
        raise StoreError(
            f"the store has no records {name!r}; it has {known or 'none'}",
            remedy="ingest them first",
            records=name,
        )
    group = groups[name]
    found = int(str(group.attrs.get(FORMAT_KEY, FORMAT)))
    if found > FORMAT:
        raise WorkspaceError(
            f"the records {name!r} have format {found}, and this Isotherm reads up to {FORMAT}",
            remedy="upgrade Isotherm, or use another workspace",
            found=found,
            known=FORMAT,
        )
    return group
