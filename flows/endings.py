"""How a command ends: its exit status, and one message with a remedy where something was wrong."""

from __future__ import annotations

import errno
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from rich.console import Console
from rich.markup import escape

from pipeline.errors import DiskFullError, IsothermError, WorkspaceError

DEFECT = 70
INTERRUPTED = 130

err = Console(stderr=True, soft_wrap=True)


def guarded(command: Callable[[], Any]) -> int:
    """Exit status of `command`, whose errors are told as messages."""
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, hear)
    try:
        command()
    except (Exception, SystemExit) as error:  # noqa: BLE001  the last resort before a stack trace
        # Libraries turn an interrupt into errors of their own.
        return _interrupted() if heard else _failed(error)
    except KeyboardInterrupt:
        return _interrupted()
    finally:
        signal.signal(signal.SIGINT, before)
    return 0


def _interrupted() -> int:
    err.print("interrupted; what was committed is kept, and the same command goes on from there")
    return INTERRUPTED


def _failed(error: Exception | SystemExit) -> int:
    if isinstance(error, SystemExit):
        if error.code == INTERRUPTED:
            return _interrupted()
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    told = error if isinstance(error, IsothermError) else _translated(error)
    if not isinstance(told, DefectError):
        tell("error", "red", told)
        return 1
    tell("internal error", "red", told)
    if {"--verbose", "-v"} & {*sys.argv}:
        err.print_exception()
    return DEFECT


class DefectError(IsothermError):
    """An exception that nobody foresaw."""


def tell(word: str, colour: str, error: IsothermError) -> None:
    """Print an error with its notes and its remedy."""
    err.print(f"[bold {colour}]{word}[/]: {escape(error.message)}", highlight=False)
    for line in (*getattr(error, "__notes__", ()), *([error.remedy] if error.remedy else ())):
        err.print(f"  → {line}", highlight=False, markup=False)


def _translated(error: Exception) -> IsothermError:
    """What the disk refuses is no defect; anything else is."""
    reason = getattr(error, "errno", None)
    if reason in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFullError(
            f"no space is left on the disk: {error}",
            remedy="free some space and run again: what was committed is kept",
        )
    if reason in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return WorkspaceError(
            f"not allowed: {error}", remedy="change the permissions, or name another folder with --workspace"
        )
    return DefectError(
        f"{type(error).__name__}: {error}",
        remedy="this is a defect of Isotherm; run again with --verbose and report what it prints",
    )
