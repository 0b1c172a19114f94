"""What a command shows, as text."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from flows.settings import Settings
from flows.show_status import status
from flows.status import workspace_status


def told(show: Callable[..., None], *given: object, width: int = 240) -> str:
    """By one of the functions that write on a console, on lines of so many characters."""
    console = Console(record=True, width=width, file=io.StringIO())
    show(console, *given)
    return console.export_text()


def told_of(workspace: Path) -> str:
    """The status of a workspace."""
    return told(status, workspace_status(Settings.load(workspace=workspace)))
