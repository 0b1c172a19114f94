"""An S3 server as a process of its own on loopback: moto's, with outages on request.

It deals with one request at a time, so that its conditional puts are as atomic as those of S3.
"""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
BUCKET = "sea"
REGION = "eu-west-1"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIATESTONLY", "AWS_SECRET_ACCESS_KEY": "planted-secret-of-the-tests"}
CONTROL = "/-/outage/"


@dataclass(frozen=True)
class ObjectStore:
    """A server that runs, and its one bucket."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        """What a user sets to reach it."""
        return {
            **KEYS,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def outage(self, seconds: float, after: int = 0) -> None:
        """Answer every request with 503 for a time, which begins `after` so many requests from now."""
        self._told(f"{seconds}/{after}")

    def refused(self) -> int:
        """How many requests were answered with 503 since the last outage was asked for."""
        return int(self._told(""))

    def _told(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.url}{CONTROL}{path}", timeout=10) as answer:
            return answer.read().decode()


@contextmanager
def serving(log: Path) -> Iterator[ObjectStore]:
    """A server with an empty bucket; it ends with the context, or when this process does."""
    with log.open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=told,
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().decode().strip()
        assert port, log.read_text()
        yield ObjectStore(f"http://{HOST}:{port}")
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


class Outages:
    """The server behind: passed through, or 503 while an outage lasts."""

    def __init__(self, server: Callable[..., Iterable[bytes]]) -> None:
        self._server = server
        self._seconds = 0.0
        self._after = -1
        self._until = 0.0
        self._refused = 0
        self._one_at_a_time = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # What a slow client sends is read before, lest all others wait for it.
        environ["wsgi.input"] = io.BytesIO(
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        )
        with self._one_at_a_time:
            return list(self._answer(environ, start_response))

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(CONTROL):
            return self._control(path.removeprefix(CONTROL), start_response)
        if self._after == 0:
            self._until = time.monotonic() + self._seconds
        self._after -= 1
        if time.monotonic() < self._until:
            self._refused += 1
            body = b"<Error><Code>ServiceUnavailable</Code><Message>Please try again.</Message></Error>"
            start_response("503 Service Unavailable", [("Content-Type", "application/xml")])
            return [body]
        return self._server(environ, start_response)

    def _control(self, words: str, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if words:
            seconds, after = words.split("/")
            self._seconds, self._after, self._refused, self._until = float(seconds), int(after), 0, 0.0
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(self._refused).encode()]


def _serve() -> None:
    import os

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=end_with_parent, daemon=True).start()
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(BUCKET, REGION)
    application = Outages(DomainDispatcherApplication(create_backend_app))
    server = make_server(HOST, 0, application, threaded=True)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    _serve()
