"""Writing by several workers at once: each writes values into a fork of one session, and one commit takes them all.

A fork holds whole chunks of `sst` alone, for a worker's days are a whole number of chunks that no other worker has.
The coordinates on time have other chunks: the one who commits writes them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

from pipeline.errors import MovedError, StoreError
from pipeline.store import days, repository, schema
from pipeline.store.state import describe
from pipeline.store.writer import DayBatch, require_regions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from icechunk.session import ForkSession, Session
    from numpy.typing import NDArray

    from pipeline.grid import Grid


@dataclass(frozen=True, slots=True)
class Part:
    """What one worker wrote; it can be pickled.

    Parameters
    ----------
    batch
        The days, without their values.
    fork
        Holds the values; None where the cube has them all.
    revision
        By region, float32 (REVISION, time): what final days changed in preliminary ones.
    """

    batch: DayBatch
    fork: ForkSession | None
    revision: Mapping[str, NDArray[np.float32]]


def write_part(path: Path, batch: DayBatch, *, base: str, last: dt.date) -> Part:
    """Write the values of `batch` into a fork of the snapshot `base`.

    Parameters
    ----------
    last
        The last day that any of the forks may write: in all of them the axis has the same length.

    Raises
    ------
    MovedError
        The newest snapshot is no longer `base`.
    DiskFullError
        There is no space.
    """
    revision = {}
    with repository.translated(path):
        session = repository.open_repository(path).writable_session(repository.BRANCH)
        _require_base(path, session, base)
        fork = session.fork()
        root = zarr.open_group(fork.store, mode="a")
        require_regions(root, batch)
        for region, values in batch.values.items():
            group = schema.region_group(root, region)
            change = days.compare(group, region, batch)
            if change is None:
                revision[region] = np.full((len(schema.REVISION), len(batch.days)), np.nan, np.float32)
                continue
            revision[region] = days.revised(group, values, change)
            if len(change.fresh):
                sst = schema.array(group, "sst")
                length = int((np.datetime64(last, "D") - schema.origin(group)).astype(int)) + 1
                sst.resize((max(sst.shape[0], length), *sst.shape[1:]))
                days.write_values(group, values, change)
        return Part(DayBatch.joined([batch]), fork if fork.has_uncommitted_changes else None, revision)


def commit(
    path: Path,
    parts: Sequence[Part],
    *,
    base: str,
    source_grid: Grid | None = None,
    now: dt.datetime | None = None,
) -> str | None:
    """Commit the values that workers wrote, and what is known of their days.

    Parameters
    ----------
    parts
        In the order of their days.
    source_grid
        The grid of the files; the first one is noted in the cube.

    Returns
    -------
    str or None
        The new snapshot's id; None where nothing changed.

    Raises
    ------
    MovedError
        The newest snapshot is no longer `base`.
    StoreError
        Two parts wrote to the same chunk, and one would undo the other.
    DiskFullError
        There is no space; the cube is as it was.
    """
    at = (now or dt.datetime.now(dt.UTC)).timestamp()
    batch = DayBatch.joined([part.batch for part in parts])

    def change(session: Session) -> tuple[str, dict[str, Any]] | None:
        _require_base(path, session, base)
        session.merge(*(part.fork for part in parts if part.fork is not None))
        root = zarr.open_group(session.store, mode="a")
        said = []
        for region, group in sorted(root.groups()):
            _require_own_chunks(group, parts)
            revision = np.concatenate([part.revision[region] for part in parts], axis=1)
            said.append(_write_columns(group, region, batch, at, revision))
        if not any(said):
            return None
        if source_grid is not None:
            schema.write_source_grid(root, source_grid)
        return max(said, key=len), describe(root)

    return repository.commit(path, change)


def _require_own_chunks(group: zarr.Group, parts: Sequence[Part]) -> None:
    length = schema.array(group, "sst").chunks[0]
    taken: set[int] = set()
    for part in parts:
        position = (part.batch.days - schema.origin(group)).astype(int)
        own = set((position // length).tolist())
        if own & taken:
            raise StoreError(
                f"two workers wrote to one chunk of {length} days of {group.path!r}: it was made with other chunks",
                remedy="set ISOTHERM_WORKERS=1 and unset ISOTHERM_DASK_ADDRESS, or ingest into a new cube",
                region=group.path,
            )
        taken |= own


def _write_columns(
    group: zarr.Group, region: str, batch: DayBatch, at: float, revision: NDArray[np.float32]
) -> str:
    change = days.compare(group, region, batch)
    schema.upgrade(group)
    # Also where nothing changes: the forks have lengthened `sst` to the last day that was hoped for.
    days.extend(group, change.length if change else 0)
    if change is None:
        return ""
    days.write_columns(group, batch, change, at, revision)
    return days.told(batch, change.kinds)


def _require_base(path: Path, session: Session, base: str) -> None:
    if session.snapshot_id != base:
        raise MovedError(
            f"another writer came between at {path}",
            remedy="run again: what was committed is kept",
            path=str(path),
        )
