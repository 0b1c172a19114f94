"""Zip archives read without trust and without a disk: one member, in memory, its size counted as it inflates."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipeline.errors import GranuleError

if TYPE_CHECKING:
    from pathlib import Path

ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP_MAGIC = b"PK\x05\x06"
LIMIT_BYTES = 512 << 20
"""Inflated, of all members together."""
LIMIT_RATIO = 100
"""Inflated bytes for each packed one; measured tables reach about ten."""
RATIO_FLOOR = 1 << 20
"""Inflated bytes below which the ratio does not matter."""
LIMIT_MEMBERS = 1000
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
    name = member.orig_filename.replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":" or "\0" in name:
        return "is an absolute or malformed path"
    if ".." in PurePosixPath(name).parts:
        return "leads out of the archive"
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if member.flag_bits & ENCRYPTED:
        return "is encrypted"
    if member.compress_type not in METHODS:
        return f"is packed by method {member.compress_type}, neither stored nor deflated"
    return ""


def _wanted(member: zipfile.ZipInfo, suffix: str) -> bool:
    path = PurePosixPath(member.filename)
    by_macos = "__MACOSX" in path.parts or path.name.startswith("._")
    return not member.is_dir() and not by_macos and path.name.lower().endswith(suffix)


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
