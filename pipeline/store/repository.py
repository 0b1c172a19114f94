"""Icechunk repositories: opening, committing under a lock, and their errors in Isotherm's terms."""

from __future__ import annotations

import fcntl
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import icechunk
import zarr

from pipeline.errors import (
    DiskFullError,
    IsothermError,
    NotFoundError,
    OutageError,
    StoreError,
    WorkspaceError,
)
from pipeline.location import is_remote
from pipeline.s3_access import explained
from pipeline.store import storage
from pipeline.store.storage import create_on_s3, is_complete, opened, storage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.s3 import S3Path

Result = TypeVar("Result")

BRANCH = storage.BRANCH
FORMAT = 2
FORMAT_KEY = "isotherm_format"

_FULL = ("os error 28)", "os error 122)", "os error 27)", "No space left on device")
_FORBIDDEN = ("os error 1)", "os error 13)", "os error 30)")
_ATTEMPTS = 5

# Icechunk prints a warning about unlocked commits each time it opens a folder, where commits here hold a lock, and what
# it raises as an error or asks for again.
icechunk.set_logs_filter("off")


def exists(path: Path | S3Path) -> bool:
    """Whether a repository with a commit lies at `path`."""
    if is_remote(path):
        return is_complete(path)
    return (path / "refs").is_dir()


def create(path: Path, *, splits: dict[str, int]) -> icechunk.Repository:
    """A new repository whose manifests hold at most `splits` chunks along each named dimension.

    Splitting keeps the cost of a commit from growing with the record.

    Raises
    ------
    DiskFullError, StoreError
        It cannot be written.
    """
    condition = icechunk.ManifestSplitDimCondition.DimensionName
    sizes: dict[Any, int] = {condition(name): size for name, size in splits.items()}
    rules: dict[Any, Any] = {icechunk.ManifestSplitCondition.AnyArray(): sizes}
    splitting = icechunk.ManifestSplittingConfig.from_dict(rules)
    config = icechunk.RepositoryConfig.default()
    config.manifest = icechunk.ManifestConfig(splitting=splitting)
    with translated(path):
        if is_remote(path):
            return create_on_s3(path, config)
        path.mkdir(parents=True, exist_ok=True)
        return icechunk.Repository.create(storage_of(path), config=config)


def open_repository(path: Path) -> icechunk.Repository:
    """The repository at `path`.

    Raises
    ------
    NotFoundError
        There is none.
    WorkspaceError
        A newer Isotherm wrote it.
    StoreError
        It cannot be read.
    """
    if not exists(path):
        raise NotFoundError(
            f"there is no store at {path}", remedy="ingest the experiment first", path=str(path)
        )
    with translated(path):
        repository = opened(path)
        metadata = head(repository).metadata
    version = metadata.get(FORMAT_KEY, 1)
    if version > FORMAT:
        raise WorkspaceError(
            f"{path} has store format {version} and this Isotherm reads up to {FORMAT}",
            remedy="upgrade Isotherm, or use another workspace",
            path=str(path),
            found=version,
            known=FORMAT,
        )
    return repository


def head(repository: icechunk.Repository) -> icechunk.SnapshotInfo:
    """The newest commit."""
    return next(iter(repository.ancestry(branch=BRANCH)))


def newest(path: Path) -> str:
    """The id of the newest snapshot of the repository at `path`.

    Raises
    ------
    NotFoundError
        There is none.
    """
    return str(head(open_repository(path)).id)


def read_session(path: Path, snapshot: str | None = None) -> icechunk.Session:
    """A read-only session at `snapshot`, or at the newest commit.

    Raises
    ------
    NotFoundError
        There is no repository, or it has no such snapshot.
    """
    return _patiently(path, lambda: _read_session(path, snapshot))


def _read_session(path: Path, snapshot: str | None) -> icechunk.Session:
    repository = open_repository(path)
    if snapshot is None:
        with translated(path):
            return repository.readonly_session(BRANCH)
    try:
        return repository.readonly_session(snapshot_id=snapshot)
    except (icechunk.IcechunkError, ValueError) as error:
        if is_remote(path) and isinstance(told := explained(str(path), path.access, error), OutageError):
            raise told from error
        raise NotFoundError(
            f"{path} has no snapshot {snapshot!r}",
            remedy="`isotherm status` names the newest",
            snapshot=snapshot,
        ) from error


def read_root(session: icechunk.Session) -> zarr.Group:
    """The root group at the session's snapshot; an empty one where a writer did not live to its first commit."""
    try:
        return zarr.open_group(session.store, mode="r")
    except zarr.errors.GroupNotFoundError:
        return zarr.create_group(zarr.storage.MemoryStore())


def commit(
    path: Path, change: Callable[[icechunk.Session], tuple[str, dict[str, Any]] | None], *, wait: float = 60
) -> str | None:
    """Apply `change` to the newest state and commit it whole; nothing is kept when it raises.

    `change` writes into the session and returns the commit's message and metadata, or None where there is
    nothing to commit. It is called again on the newer state where another writer came first.

    Returns
    -------
    str or None
        The new snapshot's id.

    Raises
    ------
    StoreError
        Another process holds the store for longer than `wait` seconds, or keeps coming first.
    DiskFullError
        There is no space; the store is as it was.
    """
    until = time.monotonic() + wait
    attempts = 0
    with writing(path, wait=wait):
        while attempts < _ATTEMPTS or (is_remote(path) and time.monotonic() < until):
            attempts += 1
            with suppress(_FirstComeError):
                return _patiently(path, lambda: _attempt(path, change))
    raise StoreError(
        f"another writer came first at {path}, {attempts} times in a row",
        remedy="let one process at a time write to a store",
        path=str(path),
    )


def stored_bytes(path: Path) -> int:
    """Bytes of all that is stored at `path`, whether it is still referred to or not."""
    total = 0
    for each in path.rglob("*"):
        with suppress(FileNotFoundError):  # collected meanwhile
            total += each.stat().st_size if each.is_file() else 0
    return total


def _attempt(
    path: Path, change: Callable[[icechunk.Session], tuple[str, dict[str, Any]] | None]
) -> str | None:
    repository = open_repository(path)
    with translated(path):
        session = repository.writable_session(BRANCH)
        done = change(session)
        if done is None:
            return None
        message, metadata = done
        try:
            return str(session.commit(message, metadata={FORMAT_KEY: FORMAT} | metadata))
        except icechunk.ConflictError as error:
            raise _FirstComeError("another writer came first", path=str(path)) from error


class _FirstComeError(StoreError):
    """The state that a change was made to is no longer the newest."""


@contextmanager
def writing(path: Path, *, wait: float = 60) -> Iterator[None]:
    """Hold the one lock of the writers of `path`; the system frees it when its holder dies.

    Icechunk's commits to a folder are not safe against each other. Those to S3 are, and need no lock.
    """
    if is_remote(path):
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with translated(path), (path.parent / f".{path.name}.lock").open("w") as lock:
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise StoreError(
                        f"another process has been writing to {path} for {wait:g} s",
                        remedy="wait for it to end, or end it",
                        path=str(path),
                    ) from None
                time.sleep(0.02)
        yield


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Errors of Icechunk, Zarr and the disk, as Isotherm's."""
    try:
        yield
    except IsothermError:
        raise
    except (icechunk.IcechunkError, OSError) as error:
        if any(mark in str(error) for mark in _FULL) or getattr(error, "errno", None) in {27, 28, 122}:
            raise DiskFullError(
                f"no space is left to write to {path}",
                remedy="free some space and run again: what was committed is kept",
                path=str(path),
            ) from error
        if is_remote(path):
            raise explained(str(path), path.access, error) from error
        if any(mark in str(error) for mark in _FORBIDDEN) or getattr(error, "errno", None) in {1, 13, 30}:
            raise WorkspaceError(
                f"not allowed at {path}: {str(error).strip().splitlines()[0]}",
                remedy="change the permissions, or name another folder with --workspace",
                path=str(path),
            ) from error
        raise StoreError(f"{path}: {str(error).strip().splitlines()[0]}", path=str(path)) from error


def _patiently(path: Path, act: Callable[[], Result]) -> Result:
    """What `act` gives, asked again while an object store is out of order: Icechunk asks for a while to open one."""
    until = time.monotonic() + (path.access.patience if is_remote(path) else 0)
    while True:
        try:
            return act()
        except OutageError:
            if time.monotonic() > until:
                raise
