"""Where flows run: Prefect's environment, and what the person at the terminal sees."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flows import server
from flows.settings import Settings
from pipeline.workspace import Workspace

Report = Callable[[int, int, str], None]
"""Takes how much is done, of how much, and a note."""

_bars: ContextVar[Progress | None] = ContextVar("bars", default=None)


@contextmanager
def prepared(settings: Settings, *, verbose: bool = False) -> Iterator[Callable[[], None]]:
    """Set the environment that Prefect reads when it is imported; what the user has set stays.

    Where the user names no server, it is the one of `isotherm serve`, if that serves the workspace, or else one starts,
    whose database lies in the workspace, or in the cache where that is on S3. What is yielded waits for it, so that
    Prefect can be imported meanwhile. No analytics leave the machine. Unless `verbose`, what libraries say of their
    own workings is not shown.
    """
    home = Workspace.open(settings.workspace, settings.here).prefect
    home.mkdir(parents=True, exist_ok=True)
    given = {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_LOGGING_LEVEL": "INFO" if verbose else "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    }
    if not verbose:
        # Workers inherit these.
        given |= {
            "DASK_LOGGING__DISTRIBUTED": "error",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONWARNINGS": "ignore",
        }
        # It warns of tracing anew for each model, which is what several regions ask for.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
    named = any(name in os.environ for name in server.NAMED_BY)
    for name, value in given.items():
        os.environ.setdefault(name, value)
    if named:
        yield lambda: None
        return
    served = server.served_at(home)
    if served is not None:
        os.environ["PREFECT_API_URL"] = served
        os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", server.HEARTBEAT)
        yield lambda: server.wait_for(
            lambda: server.served_at(home) is None, served, home / "logs" / "server.log"
        )
        return
    with server.own_server(home, {"PREFECT_LOGGING_LEVEL": "ERROR"}) as wait:
        yield wait


@contextmanager
def quiet_imports() -> Iterator[None]:
    """Drop what libraries print while they are imported, unless the user wants to hear them.

    On processors where it turns on oneDNN, TensorFlow says so before it looks at TF_CPP_MIN_LOG_LEVEL.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") != "3":
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def bars(console: Console) -> Iterator[None]:
    """Show what `progress` reports: as bars on a terminal, as a line for each tenth elsewhere."""
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        token = _bars.set(shown)
        try:
            yield
        finally:
            _bars.reset(token)


def progress(label: str) -> Report:
    """A function that shows how far the work called `label` is."""
    shown = _bars.get()
    if shown is None or shown.disable:
        return _Lines(label, _printing(shown.console)) if shown is not None else _in_the_page(label)
    bar = shown.add_task(label, total=None, note="")

    def report(done: int, total: int, note: str) -> None:
        shown.update(bar, completed=done, total=total, note=note)

    return report


class _Lines:
    """Progress where there is no terminal: a line for each tenth of the work, which may be shown otherwise too."""

    def __init__(
        self, label: str, say: Callable[[str], None], show: Callable[[float], None] | None = None
    ) -> None:
        self._label = label
        self._say = say
        self._show = show
        self._said = -1

    def __call__(self, done: int, total: int, note: str) -> None:
        tenth = 10 * done // max(1, total)
        if tenth == self._said:
            return
        self._said = tenth
        self._say(f"{self._label}: {done}/{total} {note}".rstrip())
        if self._show is not None:
            self._show(100 * done / max(1, total))


def _printing(console: Console) -> Callable[[str], None]:
    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False)

    return say


def _in_the_page(label: str) -> Report:
    """In the log of the run, and as a bar among its artifacts."""
    from flows.artifacts import progress_bar

    return _Lines(label, _logging(), progress_bar(label))


def _logging() -> Callable[[str], None]:
    """To the log of the flow run, which Prefect keeps, or outside of one to the program's."""
    from prefect.exceptions import MissingContextError
    from prefect.logging import get_run_logger

    try:
        logger: Any = get_run_logger()
    except MissingContextError:
        logger = logging.getLogger("isotherm")
    info: Callable[[str], None] = logger.info
    return info
