"""Writing movies, all of them in one commit."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import zarr

from pipeline.errors import GranuleError
from pipeline.naming import counted
from pipeline.store import movies_schema as layout
from pipeline.store import repository
from pipeline.store.collection_schema import collection_group, exclusions_told, own_root

if TYPE_CHECKING:
    from pathlib import Path

    import icechunk

    from pipeline.movies.base import MovieTable


def write_movies(path: Path, name: str, table: MovieTable) -> str | None:
    """Put `table` in the place of the movies called `name`; the snapshot, or None where it is there already.

    Raises
    ------
    GranuleError
        The pictures are not of the size of the axes.
    StoreError, DiskFullError
        The store is as it was.
    """
    require_size(table)
    if not repository.exists(path):
        repository.create(path, splits={"picture": 64})

    def change(session: icechunk.Session) -> tuple[str, dict[str, Any]] | None:
        root = zarr.open_group(session.store, mode="a")
        own_root(root, name)
        if name in root and collection_group(root, name, layout.KIND).attrs.get("sha256") == table.sha256:
            return None
        group = layout.create_group(root, name, table.picture)
        layout.put_movies(group, table)
        group.update_attributes({"sha256": table.sha256})
        left_out = f", {len(table.exclusions)} left out" if table.exclusions else ""
        what = f"{counted(len(table.ids), 'movie')} of {counted(len(table.values), 'picture')}"
        return f"write {what}{left_out}", _told(root, table)

    return repository.commit(path, change)


def require_size(table: MovieTable) -> None:
    """Refuse pictures of another size than the axes.

    Raises
    ------
    GranuleError
        They are.
    """
    wanted = (len(table.y.values), len(table.x.values))
    for values in (table.values, table.truth):
        if values is not None and values.shape != (len(table.time), *wanted):
            found = " × ".join(map(str, values.shape[1:]))
            raise GranuleError(
                f"the pictures are of {found} cells, and their axes of {wanted[0]} × {wanted[1]}",
                remedy="give pictures of one size",
                check="structure",
            )


def _told(root: zarr.Group, table: MovieTable) -> dict[str, Any]:
    """What is told of the store without reading it, see `MoviesSummary`."""
    lengths = Counter(table.lengths.tolist())
    return {
        "kind": layout.KIND,
        "regions": sorted(name for name, _ in root.groups()),
        "movies": len(table.ids),
        "pictures": len(table.values),
        "size": [len(table.y.values), len(table.x.values)],
        "lengths": {str(length): lengths[length] for length in sorted(lengths)},
        "implausible": table.implausible,
        **exclusions_told(table.exclusions),
    }
