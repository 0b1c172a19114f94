"""What tests of operations do: processes in groups of their own, and requests to a server as a page makes them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from tests import seas

BIN = Path(sys.executable).parent
QUICK = {
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "1",
    "PREFECT_SERVER_SERVICES_SCHEDULER_MAX_RUNS": "5",
}
BUSY = 503
"""What a server on SQLite answers while its database is locked; clients ask again."""
PATIENCE = 120
"""Seconds."""
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def environment(**given: str) -> dict[str, str]:
    """That of the tests without what a user, or a command in the process of the tests, may have set."""
    others = ("ISOTHERM_", "PREFECT_", "DASK_", "TF_", "PYTHONWARNINGS")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(others)}
    quiet = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "ISOTHERM_WORKERS": "1"}
    return {**kept, **quiet, "PYTHONUNBUFFERED": "1", **QUICK, **given}


def free_port(*, pair: bool = False) -> int:
    """A port that is free, and with `pair` the next as well."""
    while True:
        with socket.socket() as probe, socket.socket() as beside:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            with suppress(OSError, OverflowError):
                if pair:
                    beside.bind(("127.0.0.1", port + 1))
                return port


def wait_until(done: Callable[[], Any], what: str, *, within: float = 120) -> Any:
    """What `done` gives, as soon as it gives something."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        found = done()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {within} s: {what}")


@contextmanager
def process(
    words: list[str], log: Path, env: Mapping[str, str], cwd: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a group, all of which is ended at last."""
    with log.open("ab") as told:
        started = subprocess.Popen(
            [str(BIN / words[0]), *words[1:]] if (BIN / words[0]).exists() else words,
            stdout=told,
            stderr=told,
            stdin=subprocess.DEVNULL,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


class Api:
    """A Prefect server's API."""

    def __init__(self, port: int, auth: str = "") -> None:
        self.url = f"http://127.0.0.1:{port}/api"
        self._auth = auth
        self._open = build_opener(ProxyHandler({})).open

    def ask(self, method: str, path: str, body: Any = None, *, auth: str | None = None) -> tuple[int, Any]:
        """Status and answer, asked for again while the server is busy."""
        until = time.monotonic() + PATIENCE
        while True:
            status, answer = self._ask(method, path, body, self._auth if auth is None else auth)
            if status != BUSY or time.monotonic() > until:
                return status, answer
            time.sleep(1)

    def _ask(self, method: str, path: str, body: Any, key: str) -> tuple[int, Any]:
        request = Request(self.url + path, None if body is None else json.dumps(body).encode(), method=method)
        request.add_header("Content-Type", "application/json")
        if key:
            request.add_header("Authorization", f"Basic {b64encode(key.encode()).decode()}")
        try:
            with self._open(request, timeout=60) as answer:
                said = answer.read()
                return answer.status, json.loads(said) if said else None
        except HTTPError as error:
            return error.code, error.read().decode()

    def get(self, path: str) -> Any:
        status, answer = self.ask("GET", path)
        assert status == 200, answer
        return answer

    def post(self, path: str, body: Any) -> Any:
        status, answer = self.ask("POST", path, body)
        assert status in {200, 201}, answer
        return answer

    def alive(self) -> bool:
        with suppress(OSError, ValueError):
            return self.ask("GET", "/health")[0] == 200
        return False

    def deployment(self, name: str) -> dict[str, Any]:
        """`flow/name`."""
        found: dict[str, Any] = self.get(f"/deployments/name/{name}")
        return found

    def start(self, name: str, **parameters: Any) -> str:
        """A run of a deployment, as the page's button starts one; its id."""
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        found: str = self.post(f"/deployments/{self.deployment(name)['id']}/create_flow_run", body)["id"]
        return found

    def run(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/flow_runs/{run}")
        return found

    def runs(self, **wanted: Any) -> list[dict[str, Any]]:
        """Flow runs, the newest first."""
        body = {"flow_runs": wanted, "sort": "EXPECTED_START_TIME_DESC", "limit": 100}
        found: list[dict[str, Any]] = self.post("/flow_runs/filter", body)
        return found

    def wait(self, run: str, states: set[str] = ENDED, *, within: float = 150) -> dict[str, Any]:
        """The run as soon as it is in one of `states`; a server that is down meanwhile is waited for."""

        def there() -> dict[str, Any] | None:
            with suppress(OSError):
                found = self.run(run)
                return found if found["state_type"] in states else None
            return None

        found: dict[str, Any] = wait_until(there, f"run {run} in {states}", within=within)
        return found

    def fired(self, seconds: float, name: str, **parameters: Any) -> dict[str, Any]:
        """Give a deployment a schedule, and take it away as soon as one of its runs goes; that run at its end."""
        there = f"/deployments/{self.deployment(name)['id']}"
        body = [{"schedule": {"interval": seconds}, "active": True, "parameters": parameters}]
        schedule = self.post(f"{there}/schedules", body)[0]["id"]
        of_it = {
            "deployment_id": {"any_": [there.rpartition("/")[2]]},
            "state": {"type": {"any_": ["RUNNING"]}},
        }
        run = wait_until(lambda: self.runs(**of_it), f"the schedule of {name} fires")[0]
        assert run["auto_scheduled"]
        status, said = self.ask("DELETE", f"{there}/schedules/{schedule}")
        assert status == 204, said
        return self.wait(run["id"])


class Sea:
    """A folder to work in: the small experiment, its files, and a workspace."""

    def __init__(self, folder: Path, *, epochs: int = 1) -> None:
        self.folder = folder
        self.experiments = folder / "experiments"
        self.workspace = folder / "workspace"
        self.files = [str(seas.write(folder / "record.nc", seas.sea(seas.days())))]
        seas.write_experiment(self.experiments, epochs=epochs)


CONSUMER = """
import sys
import xarray as xr
assert not {name for name in sys.modules if name.split(".")[0] in {"flows", "models", "pipeline"}}
forecast = xr.open_zarr(sys.argv[1])
assert forecast.sst.dims == ("init_time", "lead_time", "latitude", "longitude"), forecast
assert forecast.sst.notnull().any(("latitude", "longitude")).all()
print(str(forecast.init_time.values[0])[:10], forecast.attrs["Conventions"])
"""


def read_as_consumer(product: str, cwd: Path) -> str:
    """What somebody with xarray alone, in a process without Isotherm, sees of a published forecast."""
    words = [sys.executable, "-I", "-W", "error", "-c", CONSUMER, product]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def isotherm(*words: str, env: Mapping[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command, ended."""
    return subprocess.run(
        [str(BIN / "isotherm"), *words], env=dict(env), cwd=cwd, capture_output=True, text=True, check=False
    )
