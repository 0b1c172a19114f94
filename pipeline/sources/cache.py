"""The folder of fetched files: where each lies, which version it is, and how it gets there whole."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from pydantic import ValidationError

from pipeline.errors import DiskFullError
from pipeline.types import Spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from pipeline.sources.base import Granule

BLOCK = 1 << 20
FULL = (errno.ENOSPC, errno.EDQUOT)


class Entry(Spec):
    """What is known of a cached file: kept beside it, as JSON."""

    url: str
    version: str
    etag: str
    sha256: str
    size: int


class Partial(Spec):
    """What a file half fetched was half of."""

    url: str
    validator: str


def place(cache: Path, granule: Granule) -> Path:
    """Where in `cache` the object behind a granule's address lies.

    Mirror, the last folder of the address, and its name; an address with a query gets the query's digest.
    """
    parts = urlsplit(granule.url)
    path = [unquote(part) for part in parts.path.split("/")]
    *folders, name = [part for part in path if part not in ("", ".", "..")] or ["index"]
    stem, dot, suffix = name.rpartition(".")
    if parts.query:
        digest = hashlib.sha256(parts.query.encode()).hexdigest()[:16]
        name = f"{stem or suffix}-{digest}{dot}{suffix if dot else ''}"
    folder = folders[-1] if folders else ""
    return cache / granule.mirror / folder.replace("/", "_") / name.replace("/", "_")


def cached(path: Path, url: str) -> Entry | None:
    """The entry of `path` where it holds the object of `url`, whole and unaltered."""
    entry = _load(Entry, _beside(path))
    if entry is None or entry.url != url or not path.is_file() or path.stat().st_size != entry.size:
        return None
    return entry if sha256_of(path) == entry.sha256 else None


def remember(path: Path, entry: Entry) -> None:
    """Keep `entry` beside `path`."""
    _save(entry, _beside(path))


def sha256_of(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Part:
    """The file half fetched: what has come, its digest, and the validator that it may be resumed by."""

    def __init__(self, path: Path, file: BinaryIO, url: str) -> None:
        self.path = path
        self._file = file
        self._url = url
        known = _load(Partial, _beside(path))
        self.validator = known.validator if known is not None and known.url == url else ""
        self.settled = False
        self._digest: Any = hashlib.sha256()
        self.size = 0
        if self.validator:
            self._file.seek(0)
            while block := self._file.read(BLOCK):
                self._digest.update(block)
                self.size += len(block)
        else:
            self.restart("")

    def restart(self, validator: str) -> None:
        """Forget what has come; what comes next is of the object with `validator`."""
        self._file.seek(0)
        self._file.truncate()
        self._digest, self.size, self.validator = hashlib.sha256(), 0, validator
        if validator:
            _save(Partial(url=self._url, validator=validator), _beside(self.path))

    def write(self, block: bytes) -> None:
        """Add what has come."""
        self._file.write(block)
        self._digest.update(block)
        self.size += len(block)

    def head(self) -> bytes:
        """Its first bytes."""
        self._file.flush()
        return os.pread(self._file.fileno(), 64, 0)

    def settle(self, path: Path, version: str, etag: str) -> Entry:
        """Make it the file at `path`, durably and at once."""
        self._file.flush()
        os.fsync(self._file.fileno())
        entry = Entry(
            url=self._url, version=version, etag=etag, sha256=self._digest.hexdigest(), size=self.size
        )
        _beside(self.path).unlink(missing_ok=True)
        os.replace(self.path, path)  # noqa: PTH105
        self.settled = True
        _save(entry, _beside(path))
        _sync_folder(path.parent)
        return entry


@contextmanager
def part_of(path: Path, url: str) -> Iterator[Part]:
    """The part of `path`: that of an earlier, interrupted process where nobody else is at it.

    Raises
    ------
    DiskFullError
        There is no space; the part is removed.
    """
    with disk_full(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        place, file = _locked(path.with_name(f".{path.name}.part"))
        with file:
            part = Part(place, file, url)
            try:
                yield part
            except OSError as error:
                if error.errno in FULL:
                    discard(place)
                raise
            finally:
                if not part.settled and not (part.size and part.validator):
                    discard(place)


def discard(part: Path) -> None:
    """Remove a part and what is known of it."""
    part.unlink(missing_ok=True)
    _beside(part).unlink(missing_ok=True)


@contextmanager
def disk_full(path: Path) -> Iterator[None]:
    """Turn the operating system's error into ours."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DiskFullError(
            f"no space is left for {path}",
            remedy="free some space, or put the workspace on another disk; the run resumes where it was",
            path=str(path),
        ) from error


def _locked(part: Path) -> tuple[Path, BinaryIO]:
    file = part.open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between opening and locking, another process may have made the part the file: leave that alone.
        if os.path.samestat(os.fstat(file.fileno()), part.stat()):
            return part, file
    except OSError:
        pass
    file.close()
    alone = part.with_name(f"{part.name}.{uuid4().hex}")
    return alone, alone.open("a+b")


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _load(kind: type[Any], path: Path) -> Any:
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _save(spec: Spec, path: Path) -> None:
    temporary = path.with_name(f"{path.name}.{uuid4().hex}")
    try:
        temporary.write_text(json.dumps(spec.model_dump(), indent=1))
        os.replace(temporary, path)  # noqa: PTH105
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
