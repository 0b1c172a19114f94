"""The Prefect server that a command starts for itself where no other is named, and that ends with it.

Prefect would start one too, but in the terminal's process group, where Ctrl-C ends it before the run could say
that it was interrupted, and unwatched, so that it outlives a command that is killed.
"""

from __future__ import annotations

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

from pipeline.errors import IsothermError

HOST = "127.0.0.1"
PATIENCE = 120.0
"""Seconds that a start may take."""
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
        yield lambda: _wait_for(process, url, log)
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        if before is not None:
            os.environ["PREFECT_API_URL"] = before
        process.kill()
        process.communicate()


def _wait_for(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    direct = build_opener(ProxyHandler({}))
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with direct.open(f"{url}/health", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise IsothermError(
        "Prefect's own server did not start",
        remedy=f"read {log}, or name a server of yours in PREFECT_API_URL",
        path=str(log),
    )


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
    import uvicorn

    uvicorn.run(
        "prefect.server.api.server:create_app",
        factory=True,
        host=HOST,
        port=int(sys.argv[1]),
        log_level="error",
        lifespan="on",
    )
