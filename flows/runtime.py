"""Where flows run: Prefect's environment, the Dask workers, and what the person at the terminal sees."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flows.settings import Settings
from pipeline.errors import IsothermError
from pipeline.workspace import Workspace

Report = Callable[[int, int, str], None]
"""Takes how much is done, of how much, and a note."""

DAYS_PER_WORKER = 30
"""Fewer days do not repay the start of a worker."""

_bars: ContextVar[Progress | None] = ContextVar("bars", default=None)
_map: ContextVar[Callable[..., Any]] = ContextVar("map", default=map)


def prepare(settings: Settings, *, verbose: bool = False) -> None:
    """Set the environment that Prefect reads when it is imported; what the user has set stays.

    Without a `PREFECT_API_URL` a flow run starts a server of its own, whose database lies in the workspace. No
    analytics leave the machine. Unless `verbose`, what libraries say of their own workings is not shown.
    """
    home = Workspace.open(settings.workspace).root / "prefect"
    home.mkdir(exist_ok=True)
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
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
    for name, value in given.items():
        os.environ.setdefault(name, value)


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
        return _Lines(label, _printing(shown.console) if shown is not None else _logging())
    bar = shown.add_task(label, total=None, note="")

    def report(done: int, total: int, note: str) -> None:
        shown.update(bar, completed=done, total=total, note=note)

    return report


class _Lines:
    """Progress where there is no terminal: a line for each tenth of the work."""

    def __init__(self, label: str, say: Callable[[str], None]) -> None:
        self._label = label
        self._say = say
        self._said = -1

    def __call__(self, done: int, total: int, note: str) -> None:
        tenth = 10 * done // max(1, total)
        if tenth == self._said:
            return
        self._said = tenth
        self._say(f"{self._label}: {done}/{total} {note}".rstrip())


def _printing(console: Console) -> Callable[[str], None]:
    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False)

    return say


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


@contextmanager
def fan_out(settings: Settings, days: int) -> Iterator[None]:
    """Let `map_function` spread the work of `days` over Dask workers while the context is open.

    The workers are processes of one thread, since netCDF libraries are not safe in threads, or those of the
    scheduler at `ISOTHERM_DASK_ADDRESS`. A few days are done here: starting processes would take longer.
    """
    workers = min(settings.workers, days // DAYS_PER_WORKER)
    if workers <= 1 and settings.dask_address is None:
        yield
        return
    from distributed import Client, LocalCluster

    with ExitStack() as stack:
        cluster = settings.dask_address or stack.enter_context(
            LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", memory_limit=None
            )
        )
        client = stack.enter_context(Client(cluster))  # type: ignore[no-untyped-call]
        token = _map.set(_spread_over(client))
        try:
            yield
        finally:
            _map.reset(token)


def _spread_over(client: Any) -> Callable[..., Any]:
    from distributed import KilledWorker

    def spread(function: Callable[[Any], Any], work: Iterable[Any], /) -> list[Any]:
        futures = [client.submit(function, each, pure=False) for each in work]
        try:
            return list(client.gather(futures))
        except KilledWorker as error:
            raise IsothermError(
                "the workers were killed, most likely for lack of memory",
                remedy="set ISOTHERM_WORKERS to fewer, and run again: what was committed is kept",
            ) from error

    return spread


def map_function() -> Callable[..., Any]:
    """`map`, or its like over the workers of `fan_out`."""
    return _map.get()
