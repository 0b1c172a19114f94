"""The Prefect server that a command starts for itself where no other is named, and that ends with it.

Prefect would start one too, but in the terminal's process group, where Ctrl-C ends it before the run could say
that it was interrupted, and unwatched, so that it outlives a command that is killed.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from flows.collecting import collect_apart
from pipeline.errors import ConfigError, IsothermError

HOST = "127.0.0.1"
PATIENCE = 120.0
"""Seconds that a start may take."""
LOCK = "serve.lock"
"""Held in the home by `isotherm serve`; it says where the server is."""
HEARTBEAT = "30"
"""Seconds between the signs of life of a run; the window of deployments/automations.yaml is five of them."""
NAMED_BY = ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_PROFILE")
"""Variables by which a user names a server, or a place where one is named."""


@contextmanager
def own_server(home: Path, environment: Mapping[str, str]) -> Iterator[Callable[[], None]]:
    """Start a server with its database in `home`; what is yielded waits until it answers.

    Raises
    ------
    IsothermError
        It does not start; by the function that is yielded.
    """
    port = _free_port()
    url = f"http://{HOST}:{port}/api"
    log = home / "server.log"
    with log.open("wb") as told:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "flows.server", str(port)],
            stdin=subprocess.PIPE,
            stdout=told,
            stderr=told,
            env={**os.environ, **environment, "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT_UI_ENABLED": "0"},
            start_new_session=True,
        )
    before = os.environ.get("PREFECT_API_URL")
    os.environ["PREFECT_API_URL"] = url
    try:
        yield lambda: wait_for(lambda: process.poll() is not None, url, log)
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        if before is not None:
            os.environ["PREFECT_API_URL"] = before
        process.kill()
        process.communicate()


def wait_for(ended: Callable[[], bool], url: str, log: Path) -> None:
    """Wait until a server answers at `url`.

    Raises
    ------
    IsothermError
        It has ended, or does not answer for too long.
    """
    direct = build_opener(ProxyHandler({}))
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not ended():
        try:
            with direct.open(f"{url}/health", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise IsothermError(
        "Prefect's server did not start",
        remedy=f"read {log}, or name a server of yours in PREFECT_API_URL",
        path=str(log),
    )


def require_named() -> None:
    """Refuse to go on where no server is named.

    Raises
    ------
    ConfigError
        Neither a variable nor a profile names one.
    """
    if not any(name in os.environ for name in NAMED_BY):
        raise ConfigError(
            "no Prefect server is named",
            remedy="set PREFECT_API_URL to its address, such as http://127.0.0.1:4200/api, or run `isotherm serve`",
        )


def served_at(home: Path) -> str | None:
    """The address of the server that `isotherm serve` keeps for the workspace, if it does."""
    try:
        with (home / LOCK).open(encoding="utf-8") as told:
            try:
                fcntl.flock(told, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return told.read() or None
    except FileNotFoundError:
        pass
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _end_with_parent() -> None:
    """The parent holds the other end of stdin, which closes however the parent ends."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    collect_apart()
    import uvicorn

    uvicorn.run(
        "prefect.server.api.server:create_app",
        factory=True,
        host=HOST,
        port=int(sys.argv[1]),
        log_level="error",
        lifespan="on",
    )
