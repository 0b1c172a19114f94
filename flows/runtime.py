"""Where flows run: Prefect's environment, the Dask workers, and what the person at the terminal sees."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flows.settings import Settings
from pipeline.workspace import Workspace

Report = Callable[[int, int, str], None]
"""Takes how much is done, of how much, and a note."""

_bars: ContextVar[Progress | None] = ContextVar("bars", default=None)
_map: ContextVar[Callable[..., Any]] = ContextVar("map", default=map)


def prepare(settings: Settings, *, verbose: bool = False) -> None:
    """Set the environment that Prefect reads when it is imported; what the user has set stays.

    Without a `PREFECT_API_URL` a flow run starts a server of its own, whose database lies in the workspace. No
    analytics leave the machine.
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
        "TF_CPP_MIN_LOG_LEVEL": "0" if verbose else "3",
    }
    for name, value in given.items():
        os.environ.setdefault(name, value)
    logging.getLogger("distributed").setLevel(logging.WARNING)


def flow(address: str) -> Callable[..., Any]:
    """The flow at `module:name`; Prefect is loaded here and not before."""
    module, _, name = address.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


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
        return _Lines(label, shown.console if shown is not None else None)
    bar = shown.add_task(label, total=None, note="")

    def report(done: int, total: int, note: str) -> None:
        shown.update(bar, completed=done, total=total, note=note)

    return report


class _Lines:
    """Progress where there is no terminal: a line for each tenth of the work."""

    def __init__(self, label: str, console: Console | None) -> None:
        self._label = label
        self._console = console
        self._said = -1

    def __call__(self, done: int, total: int, note: str) -> None:
        tenth = 10 * done // max(1, total)
        if tenth == self._said:
            return
        self._said = tenth
        line = f"{self._label}: {done}/{total} {note}".rstrip()
        if self._console is not None:
            self._console.print(line, highlight=False)
        else:
            logging.getLogger("isotherm").info(line)


@contextmanager
def fan_out(settings: Settings) -> Iterator[None]:
    """Let `map_function` spread work over Dask workers while the context is open.

    The workers are processes of one thread, since netCDF libraries are not safe in threads, or those of the
    scheduler at `ISOTHERM_DASK_ADDRESS`.
    """
    if settings.workers == 1 and settings.dask_address is None:
        yield
        return
    from distributed import Client, LocalCluster

    cluster = settings.dask_address or LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=settings.workers, threads_per_worker=1, dashboard_address=None, memory_limit=None
    )
    with Client(cluster) as client:  # type: ignore[no-untyped-call]

        def spread(function: Callable[[Any], Any], work: Iterable[Any], /) -> list[Any]:
            futures = [client.submit(function, each, pure=False) for each in work]
            return list(client.gather(futures))

        token = _map.set(spread)
        try:
            yield
        finally:
            _map.reset(token)
    if isinstance(cluster, LocalCluster):
        cluster.close()


def map_function() -> Callable[..., Any]:
    """`map`, or its like over the workers of `fan_out`."""
    return _map.get()
