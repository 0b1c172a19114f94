"""Snapshots that expire and pins that keep them, in any Icechunk repository: cube, series or archive.

A pin is a tag. Pins follow what is kept: each run of `retain` pins the snapshots that something refers to, lets go of
the others, and collects what none can reach. It may be ended anywhere: a pin comes before anything expires, and only
what no snapshot reaches is removed.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import icechunk

from pipeline.location import is_remote
from pipeline.store import repository
from pipeline.types import Spec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.s3 import S3Path

PIN = "pin"
SAFETY = dt.timedelta(days=1)
"""Objects younger than this may belong to a session that is not committed yet, and are never collected."""
_AT_ONCE = 16
"""Objects of a store on S3 that are copied at a time."""


class Collected(Spec):
    """What became of a repository, or would."""

    snapshots: int = 0
    """That expired."""
    pinned: int = 0
    """Snapshots that something refers to."""
    objects: int = 0
    bytes: int = 0
    """That were removed."""

    def __add__(self, other: Collected) -> Collected:
        return Collected(
            snapshots=self.snapshots + other.snapshots,
            pinned=self.pinned + other.pinned,
            objects=self.objects + other.objects,
            bytes=self.bytes + other.bytes,
        )


def retain(
    path: Path,
    pins: Iterable[str],
    *,
    older_than: dt.datetime,
    now: dt.datetime | None = None,
    safety: dt.timedelta = SAFETY,
    dry_run: bool = False,
) -> Collected:
    """Expire the snapshots of `path` that nobody needs, and remove what was theirs alone.

    Kept are the newest snapshot; those in `pins`, as far as the repository has them; those written since
    `older_than`; and the one before these, which was the newest at that time and may still be read.

    Parameters
    ----------
    safety
        Objects younger than this stay, whether anything reaches them or not.
    dry_run
        Nothing is changed: the same is done to a copy. Of chunks it has links, or of those on S3 the lengths alone.

    Raises
    ------
    NotFoundError
        There is no repository.
    StoreError
        Another process has been writing to it for a minute.
    """
    collect_before = (now or dt.datetime.now(dt.UTC)) - safety
    if not dry_run:
        with repository.writing(path), repository.translated(path):
            return _retain(repository.open_repository(path), set(pins), older_than, collect_before)
    beside = None if is_remote(path) else path.parent
    with (
        repository.translated(path),
        tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=beside) as folder,
    ):
        copy = Path(folder) / path.name
        if is_remote(path):
            _outline(path, copy)
        else:
            with repository.writing(path):
                shutil.copytree(path, copy, copy_function=_link)
        return _retain(repository.open_repository(copy), set(pins), older_than, collect_before)


def pinned(path: Path) -> set[str]:
    """The snapshots that are pinned."""
    opened = repository.open_repository(path)
    return set(_pins(opened).values())


def _retain(
    opened: icechunk.Repository, wanted: set[str], older_than: dt.datetime, collect_before: dt.datetime
) -> Collected:
    kept = _present(opened, wanted) | _edge(opened, older_than)
    _pin(opened, kept)
    expired = opened.expire_snapshots(older_than)
    summary = opened.garbage_collect(collect_before)
    return _collected(len(expired - kept - {repository.head(opened).id}), len(kept), summary)


def _pin(opened: icechunk.Repository, kept: set[str]) -> None:
    """Tag what is kept, and only then let go of the rest."""
    held = _pins(opened)
    for snapshot in kept - set(held.values()):
        # The name of a tag that was deleted cannot be used again.
        for attempt in range(1000):
            with suppress(icechunk.IcechunkError):
                opened.create_tag(f"{PIN}-{snapshot}-{attempt}", snapshot)
                break
    for tag, snapshot in held.items():
        if snapshot not in kept:
            opened.delete_tag(tag)


def _pins(opened: icechunk.Repository) -> dict[str, str]:
    """Snapshots by tag."""
    return {tag: opened.lookup_tag(tag) for tag in opened.list_tags() if tag.startswith(f"{PIN}-")}


def _present(opened: icechunk.Repository, wanted: set[str]) -> set[str]:
    """Those of the snapshots that the repository has: another may have been made in its place."""
    found = set()
    for snapshot in wanted:
        with suppress(icechunk.IcechunkError, ValueError):
            found.add(str(opened.lookup_snapshot(snapshot).id))
    return found


def _edge(opened: icechunk.Repository, older_than: dt.datetime) -> set[str]:
    """The snapshot that was the newest at `older_than`."""
    for snapshot in opened.ancestry(branch=repository.BRANCH):
        if snapshot.written_at < older_than:
            return {str(snapshot.id)}
    return set()


def _collected(expired: int, pins: int, summary: icechunk.GCSummary) -> Collected:
    objects = (
        summary.chunks_deleted
        + summary.manifests_deleted
        + summary.snapshots_deleted
        + summary.transaction_logs_deleted
        + summary.attributes_deleted
    )
    return Collected(snapshots=expired, pinned=pins, objects=objects, bytes=summary.bytes_deleted)


def _link(source: str, target: str) -> None:
    """Chunks and manifests are never changed in place; all else is small."""
    if f"{os.sep}chunks{os.sep}" in source or f"{os.sep}manifests{os.sep}" in source:
        with suppress(OSError):
            os.link(source, target)
            return
    shutil.copy2(source, target)


def _outline(path: S3Path, copy: Path) -> None:
    """The repository on this machine, with holes in place of the chunks' contents, which a retention never reads."""

    def take(each: S3Path) -> None:
        place = copy.joinpath(*each.relative_to(path).parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        told = each.stat()
        if each.is_relative_to(path / "chunks"):
            with place.open("wb") as hole:
                hole.truncate(told.st_size)
        else:
            place.write_bytes(each.read_bytes())
        os.utime(place, (told.st_mtime, told.st_mtime))

    # References first: whatever they lead to is there when the rest is listed.
    for each in (path / "refs").walk():
        take(each)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(take, (each for each in path.walk() if not each.is_relative_to(path / "refs"))))
