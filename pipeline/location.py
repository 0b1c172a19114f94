"""Where things are kept: a path on this machine, or one on S3, and what differs between the two."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeGuard, cast

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from pipeline.errors import ConfigError
from pipeline.s3 import SCHEME, S3Path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.s3_access import Access


def located(address: Any, access: Access | None = None) -> Path:
    """The path at `address`, which for `s3://…` is an `S3Path` that is reached by `access`.

    An `S3Path` is typed as a `Path`, for it has all methods of one that are used on what a workspace keeps.

    Raises
    ------
    ConfigError
        It is no address.
    """
    if isinstance(address, S3Path):
        return cast("Path", address if access is None else S3Path(address.bucket, address.key, access))
    if not isinstance(address, str | os.PathLike):
        raise ConfigError(f"{address!r} is no path", remedy="write a folder, or s3://bucket/prefix")
    text = os.fspath(address)
    return cast("Path", S3Path.parse(text, access)) if text.startswith(SCHEME) else Path(text)


Location = Annotated[
    Path, PlainValidator(located), PlainSerializer(str), WithJsonSchema({"type": "string", "format": "path"})
]
"""A path that may be on S3, in specs and parameters; in JSON its text."""


def is_remote(path: Any) -> TypeGuard[S3Path]:
    """Whether it is on S3."""
    return isinstance(path, S3Path)


@contextmanager
def local_copy(folder: Path) -> Iterator[Path]:
    """The folder where libraries can open files: itself, or a copy of it while the context is open."""
    if not is_remote(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="isotherm-") as scratch:
        copy = Path(scratch) / folder.name
        for each in folder.walk():
            place = copy / each.key.removeprefix(f"{folder.key}/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(each.read_bytes())
        yield copy


@contextmanager
def put_at_end(final: S3Path, mark: str) -> Iterator[Path]:
    """A path for a file or folder on this machine, which is put at `final` at the end, `mark` of the folder last."""
    workshop = Path(tempfile.mkdtemp(prefix="isotherm-"))
    try:
        draft = workshop / final.name
        yield draft
        if draft.is_file():
            final.write_bytes(draft.read_bytes())
            return
        files = [path for path in draft.rglob("*") if path.is_file()]
        for path in sorted(files, key=lambda path: (path == draft / mark, path)):
            (final / path.relative_to(draft).as_posix()).write_bytes(path.read_bytes())
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
