"""Telling NumPy files from others by their first bytes and headers; no array is loaded."""

from __future__ import annotations

import zipfile
from typing import IO, TYPE_CHECKING

from numpy.lib import format as npy

from pipeline.sources.archives import is_zip

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"\x93NUMPY"


def numpy_complaint(path: Path, head: bytes) -> str:
    """Why a NumPy file, or archive of them, is not read; empty where it is none.

    Parameters
    ----------
    head
        Its first bytes.
    """
    if head.startswith(MAGIC):
        with path.open("rb") as file:
            return _told({path.name: _holds_objects(file)})
    if not is_zip(head):
        return ""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [each for each in archive.namelist() if each.endswith(".npy")]
            found = {}
            for name in names[:10]:
                with archive.open(name) as member:
                    found[name] = _holds_objects(member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
        return ""
    return _told(found)


def _told(found: dict[str, bool]) -> str:
    objects = [name for name, holds in found.items() if holds]
    if objects:
        return (
            f"is a NumPy file with Python objects in {' and '.join(objects)}: only pickle can load them, which could "
            "run any code"
        )
    return "is a NumPy file of numbers, not of texts" if found else ""


def _holds_objects(file: IO[bytes]) -> bool:
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        _, _, dtype = read(file)
    except ValueError:
        return False
    return bool(dtype.hasobject)
