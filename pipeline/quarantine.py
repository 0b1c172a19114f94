"""Refused files: kept aside with the reason, one JSON a file."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pipeline.errors import DiskFullError
from pipeline.location import is_remote
from pipeline.publish.product import write_text
from pipeline.types import Spec, Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipeline.quality.base import Finding
    from pipeline.sources.base import Granule

_FULL = {28, 122}  # ENOSPC, EDQUOT


class Reason(Spec):
    """What a check said."""

    check: str
    severity: str
    day: dt.date | None
    message: str


class Quarantined(Spec):
    """One refused file; `file` lies beside the JSON, and is None where nothing worth keeping came."""

    name: str
    mirror: str
    url: str
    days: tuple[dt.date, ...]
    status: Status = Status.FINAL
    """What the file was said to be; an earlier Isotherm did not note it."""
    findings: tuple[Reason, ...]
    file: str | None
    quarantined_at: dt.datetime


def quarantine(path: Path | None, granule: Granule, findings: Iterable[Finding], folder: Path) -> Path:
    """Keep `path` (by a hard link where that works, else a copy) in `folder`, and say why in `<name>.json`.

    A file refused again takes the place of its former entry.

    Returns
    -------
    Path
        The JSON.

    Raises
    ------
    DiskFullError
        There is no space; no half of an entry is left.
    """
    name = f"{granule.mirror}-{granule.name}"
    kept = folder / name
    reasons = tuple(
        Reason(check=f.check, severity=f.severity, day=f.day, message=f.message) for f in findings
    )
    entry = Quarantined(
        name=name,
        mirror=granule.mirror,
        url=granule.url,
        days=granule.days,
        status=granule.status,
        findings=reasons,
        file=name if path is not None else None,
        quarantined_at=dt.datetime.now(dt.UTC),
    )
    told = folder / f"{name}.json"
    if is_remote(folder):
        if path is not None:
            (folder / name).write_bytes(path.read_bytes())
        write_text(told, entry.model_dump_json(indent=1))
        return told
    part = folder / f".{name}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path is not None:
            _keep(path, part)
            part.replace(kept)
        part.write_text(entry.model_dump_json(indent=1))
        part.replace(told)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        if error.errno in _FULL:
            raise DiskFullError(
                f"no space is left to keep {name} in {folder}", remedy="free some space and run again"
            ) from error
        raise
    return told


def list_quarantine(folder: Path) -> list[Quarantined]:
    """Every entry, by name; a JSON that is not one is passed over."""
    entries = []
    for path in sorted(folder.glob("*.json")):
        with suppress(OSError, ValidationError, UnicodeDecodeError):
            entries.append(Quarantined.model_validate_json(path.read_text()))
    return entries


def _keep(path: Path, place: Path) -> None:
    place.unlink(missing_ok=True)
    try:
        os.link(path, place)
    except OSError:
        shutil.copyfile(path, place)
