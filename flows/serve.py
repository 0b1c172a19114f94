"""One machine, no other software: Prefect's server, schedules and workers, as children of one command."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any

from flows import server
from flows.files import served_folders
from flows.settings import Settings
from flows.supervisor import Child
from pipeline.errors import IsothermError, WorkspaceError
from pipeline.location import is_remote
from pipeline.workspace import Workspace

Say = Callable[[str], None]

AT_ONCE = {"cpu": 2, "gpu": 1}
"""Runs that each worker has under way at most."""
PATIENCE = {"server": 10.0, "worker": 20.0}
"""Seconds that a child has for ending in order."""


def serve(settings: Settings, *, port: int, experiments: Sequence[str], say: Say) -> None:
    """Run everything until SIGINT or SIGTERM.

    Raises
    ------
    WorkspaceError
        Another process serves the workspace.
    IsothermError
        The port is taken, the server does not start, or it refuses the deployments.
    """
    workspace = Workspace.open(settings.workspace, settings.here)
    home = workspace.prefect
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_alone(home, f"http://{server.HOST}:{port}/api"))
        _require_free(port)
        remote = is_remote(workspace.root)
        files = "" if remote else stack.enter_context(served_folders(workspace.root, port + 1))
        os.environ.update(_environment(settings, workspace, home, port, files))
        stopped = stack.enter_context(_heard())
        Serving(home, port, experiments, say).run(stopped)


class Serving:
    """The children, and what is done when one of them dies."""

    def __init__(self, home: Path, port: int, experiments: Sequence[str], say: Say) -> None:
        self._experiments = experiments
        self._say = say
        self._url = f"http://{server.HOST}:{port}"
        self._log = home / "logs" / "server.log"
        words = ("flows.collecting", "prefect", "server", "start", "--host", server.HOST, "--port", str(port))
        self._server = Child("server", words, {}, self._log)
        self._workers = [
            Child(
                f"worker {pool}",
                ("prefect", "worker", "start", "--pool", pool, "--name", pool, "--limit", str(limit)),
                {},
                home / "logs" / f"worker-{pool}.log",
            )
            for pool, limit in AT_ONCE.items()
        ]

    def run(self, stopped: threading.Event) -> None:
        """Start all, watch until `stopped`, and end all in order."""
        try:
            self._server.start()
            from flows import deploying  # while the server starts

            server.wait_for(lambda: stopped.is_set() or not self._server.alive, f"{self._url}/api", self._log)
            began = dt.datetime.now(dt.UTC)
            # In the worker's group of processes, which ends with it; Prefect's own command would leave it.
            deploying.enter(command=f"{sys.executable} -m prefect.engine")
            self._reap(before=began)
            self._skip_late(before=began)
            told = deploying.deploy(self._experiments)
            for worker in self._workers:
                worker.start()
            self._tell(told)
            while not stopped.wait(1):
                self._watch()
        except IsothermError:
            if not stopped.is_set():
                raise
        finally:
            self._end()

    def _watch(self) -> None:
        if self._server.restarted():
            self._say("the server had ended, and was started again")
        for worker in self._workers:
            died = dt.datetime.now(dt.UTC)
            if worker.restarted():
                self._say(f"the {worker.name} had ended, and was started again")
                self._reap(before=died)

    def _end(self) -> None:
        self._say("ending: what runs is stopped, and done by the next run")
        for worker in self._workers:
            worker.end(PATIENCE["worker"])
        if self._server.alive:
            self._reap(before=dt.datetime.now(dt.UTC))
        self._server.end(PATIENCE["server"])

    def _reap(self, *, before: dt.datetime) -> None:
        from flows.reaping import reap

        # A server that does not answer is asked again when the command is next started.
        with suppress(Exception), _client() as client:
            for name in reap(client, before=before):
                self._say(f"{name}: its process is gone, and it counts as crashed")

    def _skip_late(self, *, before: dt.datetime) -> None:
        from flows.reaping import skip_late

        with _client() as client:
            skipped = skip_late(client, before=before)
        if skipped:
            self._say(f"{skipped} runs that were due meanwhile are left out: later ones do their work")

    def _tell(self, deployments: list[dict[str, Any]]) -> None:
        from flows import deploying

        self._say(f"Prefect's page is at {self._url}, until Ctrl-C")
        for line in deploying.told(deployments):
            self._say(line)


def _environment(
    settings: Settings, workspace: Workspace, home: Path, port: int, files: str
) -> dict[str, str]:
    """What server, workers and flows read; what the user has set of Prefect's settings stays."""
    url = f"http://{server.HOST}:{port}/api"
    usual = {
        "PREFECT_HOME": str(home),
        # Not that of the servers which single commands start for themselves.
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{home / 'serve.db'}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": server.HEARTBEAT,
        "PREFECT_CLIENT_MAX_RETRIES": "8",
        "ISOTHERM_PUBLIC_URL": files,
    }
    if "PREFECT_SERVER_API_AUTH_STRING" in os.environ:
        usual["PREFECT_API_AUTH_STRING"] = os.environ["PREFECT_SERVER_API_AUTH_STRING"]
    return {
        **{name: os.environ.get(name, value) for name, value in usual.items()},
        "PREFECT_API_URL": url,
        "PREFECT_SERVER_UI_API_URL": url,
        "ISOTHERM_WORKSPACE": str(workspace.root),
        "ISOTHERM_EXPERIMENTS": str(settings.experiments.absolute()),
        "PYTHONUNBUFFERED": "1",
    }


def _client() -> Any:
    from prefect.client.orchestration import get_client

    return get_client(sync_client=True)


@contextmanager
def _alone(home: Path, url: str) -> Iterator[None]:
    """Hold the workspace's lock, which tells other commands where its server is."""
    path = home / server.LOCK
    with path.open("a+", encoding="utf-8") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            there = server.served_at(home)
            raise WorkspaceError(
                f"the workspace {home.parent} is served already{f', at {there}' if there else ''}",
                remedy="use that one, end it, or name another workspace with --workspace",
                path=str(home.parent),
            ) from None
        _write(held, url)
        try:
            yield
        finally:
            _write(held, "")


def _write(held: IO[str], url: str) -> None:
    held.seek(0)
    held.truncate()
    held.write(url)
    held.flush()


def _require_free(port: int) -> None:
    for wanted in (port, port + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((server.HOST, wanted))
            except (OSError, OverflowError) as error:
                raise IsothermError(
                    f"port {wanted} of {server.HOST} cannot be had: {getattr(error, 'strerror', None) or error}",
                    remedy="name another with --port; it takes that one and the next",
                    port=wanted,
                ) from None


@contextmanager
def _heard() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set."""
    stopped = threading.Event()

    def hear(_: int, __: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
