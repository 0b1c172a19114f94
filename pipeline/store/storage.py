"""Where a repository's objects are: in a folder, or on S3, where no lock keeps two from making one at once."""

from __future__ import annotations

import math
import pickle
import time
from typing import TYPE_CHECKING

import icechunk

from pipeline.location import is_remote

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.s3 import S3Path

BRANCH = "main"
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0
"""Seconds between requests that are made again; the waits double, and each is drawn from zero to that."""
_CREATION = 2.0
"""Seconds in which a creation that goes on puts another object."""


def is_complete(path: S3Path) -> bool:
    """Whether there is a repository at `path`, and not only what a creation has begun with."""
    return (path / "refs" / f"branch.{BRANCH}" / "ref.json").is_file()


def storage_of(path: Path | S3Path) -> icechunk.Storage:
    """As Icechunk takes it; keys are read from the environment by every process that opens it."""
    if not is_remote(path):
        return icechunk.local_filesystem_storage(str(path))
    access = path.access
    return icechunk.s3_storage(
        bucket=path.bucket,
        prefix=path.key,
        region=access.region,
        endpoint_url=access.endpoint,
        allow_http=access.insecure,
        force_path_style=access.by_path,
        from_env=True,
    )


def opened(path: Path | S3Path) -> icechunk.Repository:
    """The repository at `path`; on S3, its requests are made again for about as long as `access.patience`."""
    if not is_remote(path):
        return icechunk.Repository.open(storage_of(path))
    longest = min(_LONGEST_WAIT, path.access.patience)
    doubling = max(0, math.ceil(math.log2(longest / _FIRST_WAIT)))
    retries = icechunk.StorageRetriesSettings(
        max_tries=1 + doubling + math.ceil(2 * path.access.patience / longest),
        initial_backoff_ms=int(1000 * _FIRST_WAIT),
        max_backoff_ms=int(1000 * longest),
    )
    config = icechunk.RepositoryConfig(storage=icechunk.StorageSettings(retries=retries))
    repository = icechunk.Repository.open(storage_of(path), config=config)
    # Opening makes the storage's client before it sees the configuration; a copy makes its own, by that.
    copy: icechunk.Repository = pickle.loads(pickle.dumps(repository))  # noqa: S301
    return copy


def create_on_s3(path: S3Path, config: icechunk.RepositoryConfig) -> icechunk.Repository:
    """A new repository, or that of another process that makes it at the same time, which no lock prevents.

    Icechunk makes one in an empty folder alone: what a creation left that was broken off is removed.
    """
    before: list[S3Path] = []
    since = time.monotonic()
    while True:
        try:
            icechunk.Repository.create(storage_of(path), config=config)
            return opened(path)
        except icechunk.IcechunkError:
            if is_complete(path):
                return opened(path)
            found = path.walk()
            if not found:
                raise
            if found != before:
                before, since = found, time.monotonic()
            elif time.monotonic() - since > _CREATION:
                for each in found:
                    each.unlink()
            time.sleep(0.1)
