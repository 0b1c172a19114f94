"""Zip and tar archives read without trust and without a disk: in memory, sizes counted as they inflate."""

from __future__ import annotations

import gzip
import stat
import tarfile
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast

from pipeline.errors import GranuleError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP_MAGIC = b"PK\x05\x06"
GZIP_MAGIC = b"\x1f\x8b"
LIMIT_BYTES = 512 << 20
"""Inflated, of all members together."""
LIMIT_RATIO = 100
"""Inflated bytes for each packed one; measured tables reach about ten."""
RATIO_FLOOR = 1 << 20
"""Inflated bytes below which the ratio does not matter."""
LIMIT_MEMBERS = 1000
"""Of an archive of which one member is wanted."""
LIMIT_FILES = 100_000
"""Of an archive of many files."""
BLOCK = 1 << 20
ENCRYPTED = 0x1
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def is_zip(head: bytes) -> bool:
    """Whether a file that begins so says that it is a zip archive."""
    return head.startswith((ZIP_MAGIC, EMPTY_ZIP_MAGIC))


def read_member(
    path: Path, *, suffix: str = ".csv", limit_bytes: int = LIMIT_BYTES, limit_ratio: int = LIMIT_RATIO
) -> bytes:
    """The one member of the archive at `path` whose name ends with `suffix`, inflated; nothing is extracted.

    What macOS adds (`__MACOSX/`, `._…`) and folders are passed over.

    Raises
    ------
    GranuleError
        `check == "structure"`, with `path` and, where one is to blame, `member`: it is no zip archive, or a
        damaged one; a member has an absolute path or one with `..`, is a link or is encrypted; there is no or
        more than one such member; it inflates to more than `limit_bytes`, or to more than `limit_ratio` times
        what is packed, whatever the headers say.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            member = _chosen(archive.infolist(), path, suffix, limit_bytes)
            return _inflated(archive, member, path, limit_bytes, limit_ratio)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        if isinstance(error, GranuleError):
            raise
        raise _refused(path, f"cannot be unpacked: {error}") from error


def is_gzip(head: bytes) -> bool:
    """Whether a file that begins so says that it is packed by gzip."""
    return head.startswith(GZIP_MAGIC)


def gzip_head(path: Path, size: int) -> bytes:
    """The first inflated bytes of a file that is packed by gzip.

    Raises
    ------
    GranuleError
        It is damaged.
    """
    return _unpacked(path, size)


def read_gzip(path: Path, *, limit_bytes: int = LIMIT_BYTES, limit_ratio: int = LIMIT_RATIO) -> bytes:
    """The content of a file that is packed by gzip, inflated.

    Raises
    ------
    GranuleError
        It is damaged or cut off, or inflates to more than is allowed, as for `read_member`.
    """
    most = _most(path, limit_bytes, limit_ratio)
    content = _unpacked(path, most + 1)
    if len(content) > most:
        raise _refused(path, f"inflates to more than the {most} bytes that are allowed")
    return content


def _unpacked(path: Path, size: int) -> bytes:
    try:
        with gzip.open(path) as packed:
            return packed.read(size)
    except (zlib.error, EOFError, OSError) as error:
        raise _refused(path, f"cannot be unpacked: {error}") from error


def read_members(
    path: Path,
    *,
    suffix: str,
    limit_bytes: int = LIMIT_BYTES,
    limit_ratio: int = LIMIT_RATIO,
    limit_files: int = LIMIT_FILES,
) -> Iterator[tuple[str, bytes]]:
    """Every member of a `.tar.gz` or zip archive whose name ends with `suffix`: its name and content, in their order.

    Nothing is extracted. What macOS adds and folders are passed over.

    Raises
    ------
    GranuleError
        As `read_member`, for any of the members; the limits are of all of them together. A tar archive may hold
        neither links, devices nor sparse files.
    """
    with path.open("rb") as file:
        head = file.read(4)
    try:
        if is_zip(head):
            yield from _zip_members(path, suffix, limit_bytes, limit_ratio, limit_files)
        elif is_gzip(head):
            yield from _tar_members(path, suffix, limit_bytes, limit_ratio, limit_files)
        else:
            raise _refused(path, "is neither a .tar.gz nor a zip archive")
    except (
        zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, ValueError, OSError,
    ) as error:  # fmt: skip
        if isinstance(error, GranuleError):
            raise
        raise _refused(path, f"cannot be unpacked: {error}") from error


def _zip_members(
    path: Path, suffix: str, limit: int, ratio: int, most_files: int
) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        _require_few(path, len(members), most_files)
        left = _most(path, limit, ratio)
        for member in members:
            complaint = _complaint(member)
            if complaint:
                raise _refused(
                    path, f"holds {member.orig_filename!r}, which {complaint}", member.orig_filename
                )
            if _wanted(member, suffix):
                content = _inflated(archive, member, path, left, ratio)
                left -= len(content)
                yield member.filename, content


def _tar_members(
    path: Path, suffix: str, limit: int, ratio: int, most_files: int
) -> Iterator[tuple[str, bytes]]:
    with gzip.open(path) as packed:
        counted = _Counted(packed, path, _most(path, limit, ratio))
        stream = cast("BinaryIO", counted)  # of which a stream of tar reads, and nothing else
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for number, member in enumerate(archive, 1):
                _require_few(path, number, most_files)
                complaint = _tar_complaint(member)
                if complaint:
                    raise _refused(path, f"holds {member.name!r}, which {complaint}", member.name)
                if member.isreg() and _named(member.name, suffix):
                    content = archive.extractfile(member)
                    assert content is not None
                    yield member.name, content.read()


class _Counted:
    """A stream that is refused when more comes of it than may."""

    def __init__(self, stream: gzip.GzipFile, path: Path, most: int) -> None:
        self._stream, self._path, self._most = stream, path, most
        self._come = 0

    def read(self, size: int = BLOCK) -> bytes:
        """At most so many bytes."""
        block = self._stream.read(size)
        self._come += len(block)
        if self._come > self._most:
            raise _refused(self._path, f"inflates to more than the {self._most} bytes that are allowed")
        return block


def _most(path: Path, limit: int, ratio: int) -> int:
    return min(limit, max(RATIO_FLOOR, ratio * path.stat().st_size))


def _require_few(path: Path, members: int, most: int) -> None:
    if members > most:
        raise _refused(path, f"holds {members} members or more, over the {most} that are allowed")


def _tar_complaint(member: tarfile.TarInfo) -> str:
    if complaint := _path_complaint(member.name):
        return complaint
    if not (member.isreg() or member.isdir()):
        return "is a link or a device"
    return "is a sparse file" if member.issparse() else ""


def _chosen(members: list[zipfile.ZipInfo], path: Path, suffix: str, limit: int) -> zipfile.ZipInfo:
    if len(members) > LIMIT_MEMBERS:
        raise _refused(path, f"holds {len(members)} members, over the {LIMIT_MEMBERS} that are allowed")
    for member in members:
        complaint = _complaint(member)
        if complaint:
            raise _refused(path, f"holds {member.orig_filename!r}, which {complaint}", member.orig_filename)
    stated = sum(member.file_size for member in members)
    if stated > limit:
        raise _refused(path, f"would inflate to {stated} bytes, over the {limit} that are allowed")
    wanted = [member for member in members if _wanted(member, suffix)]
    if not wanted:
        held = ", ".join(member.filename for member in members[:5]) or "nothing"
        raise _refused(path, f"holds no {suffix} file, but {held}")
    if len(wanted) > 1:
        names = ", ".join(member.filename for member in wanted[:5])
        raise _refused(path, f"holds {len(wanted)} {suffix} files where one is expected: {names}")
    return wanted[0]


def _complaint(member: zipfile.ZipInfo) -> str:
    # `filename` is what zipfile has made of the name: cut at a NUL, its backslashes perhaps turned.
    if complaint := _path_complaint(member.orig_filename):
        return complaint
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if member.flag_bits & ENCRYPTED:
        return "is encrypted"
    if member.compress_type not in METHODS:
        return f"is packed by method {member.compress_type}, neither stored nor deflated"
    return ""


def _path_complaint(name: str) -> str:
    name = name.replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":" or "\0" in name:
        return "is an absolute or malformed path"
    return "leads out of the archive" if ".." in PurePosixPath(name).parts else ""


def _wanted(member: zipfile.ZipInfo, suffix: str) -> bool:
    return not member.is_dir() and _named(member.filename, suffix)


def _named(name: str, suffix: str) -> bool:
    path = PurePosixPath(name)
    by_macos = "__MACOSX" in path.parts or path.name.startswith("._")
    return not by_macos and path.name.lower().endswith(suffix)


def _inflated(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, limit: int, ratio: int) -> bytes:
    # What is packed cannot be more than the file: a header may say otherwise.
    packed = max(1, min(member.compress_size, path.stat().st_size))
    most = min(limit, max(RATIO_FLOOR, ratio * packed))
    content = bytearray()
    with archive.open(member) as stream:
        while block := stream.read(min(BLOCK, most + 1 - len(content))):
            content += block
            if len(content) > most:
                raise _refused(
                    path,
                    f"holds {member.filename!r}, whose {packed} bytes inflate to more than {most}",
                    member.filename,
                )
    return bytes(content)


def _refused(path: Path, complaint: str, member: str | None = None) -> GranuleError:
    named = {} if member is None else {"member": member}
    return GranuleError(
        f"{path.name} {complaint}",
        remedy="fetch the file again, or take it out of the input",
        path=str(path),
        check="structure",
        found=complaint,
        **named,
    )
