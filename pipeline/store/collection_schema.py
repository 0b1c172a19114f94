"""What stores of labelled records and of movies have in common: a group, columns in it, and tables beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from zarr.codecs import BloscCodec

from pipeline.errors import StoreError, WorkspaceError
from pipeline.records.base import Exclusion, SourceFile
from pipeline.store.series_schema import subgroup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import zarr
    from numpy.typing import NDArray


CHUNK = 2**18
"""Values of a chunk of a column: 1 MiB of float32."""
FORMAT = 1
SOURCES, EXCLUDED = "sources", "excluded"
EXCLUSIONS_TOLD = 100
"""Of those that were left out, so many are told by the commit itself."""
TABLES: dict[str, dict[str, str]] = {
    SOURCES: {"url": "address of the file", "sha256": "SHA-256 of the file"},
    EXCLUDED: {
        "record": "identifier of what was left out",
        "check": "what is wrong with it, in a word",
        "file": "file that its cause is in",
        "line": "line of the file",
        "message": "what is wrong with it",
    },
}


def compressor() -> BloscCodec:
    """Of all arrays that hold no text."""
    return BloscCodec(cname="zstd", clevel=5, shuffle="bitshuffle")


def put(
    group: zarr.Group,
    columns: Mapping[str, NDArray[Any]],
    dim: str,
    about: Mapping[str, str],
    *,
    chunk: int = CHUNK,
) -> None:
    """Arrays (dim,) of these values."""
    for name, values in columns.items():
        text = values.dtype.kind in "OU"
        group.create_array(
            name,
            shape=values.shape,
            chunks=(min(chunk, max(len(values), 1)),),
            dtype=str if text else values.dtype,
            compressors="auto" if text else compressor(),
            dimension_names=(dim,),
            attributes={"long_name": about[name]},
        )[...] = values


def put_rows(
    group: zarr.Group, table: str, rows: Sequence[Mapping[str, Any]], about: Mapping[str, str]
) -> None:
    """The rows of one of the tables."""
    columns = {}
    for name in about:
        values = [row[name] for row in rows]
        plain = bool(values) and not isinstance(values[0], str)
        columns[name] = np.array(values) if plain else np.array(values, dtype=object)
    put(subgroup(group, table), columns, table.removesuffix("s"), about)


def read_rows(group: zarr.Group, table: str) -> list[dict[str, Any]]:
    """What `put_rows` wrote."""
    columns = {name: np.asarray(each[:]).tolist() for name, each in subgroup(group, table).arrays()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def read_source_files(group: zarr.Group) -> tuple[SourceFile, ...]:
    """The files that all came from."""
    return tuple(SourceFile(**row) for row in read_rows(group, SOURCES))


def read_exclusions(group: zarr.Group) -> tuple[Exclusion, ...]:
    """What was left out, and why."""
    return tuple(Exclusion(**row) for row in read_rows(group, EXCLUDED))


def own_root(root: zarr.Group, name: str) -> None:
    """Refuse a store that is of something else.

    Raises
    ------
    StoreError
        There are other groups in it.
    """
    others = sorted(one for one, _ in root.groups() if one != name)
    if others:
        raise StoreError(
            f"the store is that of {', '.join(others)}, and {name!r} needs one of its own",
            remedy="give the experiment another name, or remove its store",
            records=name,
        )


def collection_group(root: zarr.Group, name: str, kind: str, *, newest: int = FORMAT) -> zarr.Group:
    """The group of the records or movies called `name`, of a format up to the `newest` that is known.

    Raises
    ------
    StoreError
        There is none; the message names those there are.
    WorkspaceError
        A newer Isotherm wrote it.
    """
    groups = dict(root.groups())
    if name not in groups or groups[name].attrs.get("kind") != kind:
        known = ", ".join(sorted(one for one, each in groups.items() if each.attrs.get("kind") == kind))
        raise StoreError(
            f"the store has no {kind} {name!r}; it has {known or 'none'}",
            remedy="ingest them first",
            records=name,
        )
    group = groups[name]
    found = int(str(group.attrs.get(f"{kind}_format", FORMAT)))
    if found > newest:
        raise WorkspaceError(
            f"the {kind} {name!r} have format {found}, and this Isotherm reads up to {newest}",
            remedy="upgrade Isotherm, or use another workspace",
            found=found,
            known=newest,
        )
    return group


def create_group(
    root: zarr.Group, name: str, kind: str, title: str, tables: Mapping[str, str], **about: Any
) -> zarr.Group:
    """An empty group in the place of the one that there is, with an empty group for each of the titled tables."""
    told: dict[str, Any] = {"title": title, "kind": kind, f"{kind}_format": FORMAT, **about}
    group = root.create_group(name, attributes=told, overwrite=True)
    for table, what in tables.items():
        group.create_group(table, attributes={"title": what})
    return group


def exclusions_told(exclusions: Sequence[Exclusion]) -> dict[str, Any]:
    """What a commit tells of what was left out."""
    return {
        "excluded": len(exclusions),
        "exclusions": [each.model_dump() for each in exclusions[:EXCLUSIONS_TOLD]],
    }
