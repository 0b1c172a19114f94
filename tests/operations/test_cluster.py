"""The services of compose.yaml as processes: Prefect on PostgreSQL with its key, workers, and Dask.

What cannot be had without containers is left out: their images and their network, whose names become ports here.
"""

from __future__ import annotations

import os
import pwd
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from tests import seas
from tests.operations.api import Api, Sea, environment, free_port, process, read_as_consumer, wait_until

DEPLOYMENTS = Path(__file__).parents[2] / "deployments"
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
SECRETS = {
    "PREFECT_API_AUTH_STRING": "admin:mellon-for-the-page",
    "POSTGRES_PASSWORD": "sesame-for-postgres",
    "AWS_ACCESS_KEY_ID": "AKIAPLANTED",
    "AWS_SECRET_ACCESS_KEY": "abracadabra-for-the-store",
}
WINDOW = 12

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not POSTGRES, reason="needs PostgreSQL (apt-get install postgresql)"),
]


def unprivileged(words: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *words] if os.getuid() == 0 else words


@pytest.fixture(scope="module")
def postgres() -> Iterator[tuple[int, Path]]:
    """The port and the folder of an empty database that is made for the tests."""
    folder = Path(tempfile.mkdtemp(prefix="isotherm-postgres-"))
    if os.getuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    (folder / "password").write_text(SECRETS["POSTGRES_PASSWORD"])
    (folder / "password").chmod(0o644)
    port, data, programs = free_port(), folder / "data", POSTGRES[-1]
    made = unprivileged(
        [
            f"{programs}/initdb",
            "-D",
            str(data),
            "-U",
            "prefect",
            "-A",
            "scram-sha-256",
            f"--pwfile={folder}/password",
        ]
    )
    subprocess.run(made, check=True, capture_output=True, cwd=folder)
    (folder / "password").unlink()
    listening = ["-c", "listen_addresses=127.0.0.1", "-p", str(port), "-k", str(folder), "-c", "fsync=off"]
    words = unprivileged([f"{programs}/postgres", "-D", str(data), *listening])
    try:
        with process(words, folder / "postgres.log", dict(os.environ), folder):
            ready = [f"{programs}/pg_isready", "-h", "127.0.0.1", "-p", str(port)]
            wait_until(
                lambda: subprocess.run(ready, capture_output=True, check=False).returncode == 0,
                "PostgreSQL answers",
            )
            make = [f"{programs}/createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "prefect", "prefect"]
            password = {**os.environ, "PGPASSWORD": SECRETS["POSTGRES_PASSWORD"]}
            with suppress(subprocess.CalledProcessError):  # initdb makes `postgres` alone
                subprocess.run(make, check=True, capture_output=True, env=password)
            yield port, data
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Cluster(Sea):
    """The services, under their names in compose.yaml."""

    def __init__(self, folder: Path, database: int) -> None:
        super().__init__(folder)
        port, dask = free_port(), free_port()
        self.api = Api(port, SECRETS["PREFECT_API_AUTH_STRING"])
        self.stack = ExitStack()
        self._services = yaml.safe_load((DEPLOYMENTS / "compose.yaml").read_text())["services"]
        self._places = {
            "@postgres:5432": f"@127.0.0.1:{database}",
            "//server:4200": f"//127.0.0.1:{port}",
            "127.0.0.1:4200": f"127.0.0.1:{port}",
            "--port 4200": f"--port {port}",
            "//dask:8786": f"//127.0.0.1:{dask}",
            "--port 8786": f"--port {dask}",
            "0.0.0.0": "127.0.0.1",
            "s3://isotherm/workspace": str(self.workspace),
        }

    def _here(self, text: str) -> str:
        """What compose would fill in, and where the services are on this machine."""
        filled = re.sub(r"\$\{(\w+)(?::\?[^}]*)?\}", lambda found: SECRETS[found[1]], text)
        for there, here in self._places.items():
            filled = filled.replace(there, here)
        return filled

    def service(self, name: str, *more: str) -> subprocess.Popen[bytes]:
        """Start one."""
        told = self._services[name]
        own = {key: self._here(str(value)) for key, value in told.get("environment", {}).items()}
        home = {
            "PREFECT_HOME": str(self.folder / name),
            "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(self.folder / "ui"),
        }
        env = environment(**home, ISOTHERM_EXPERIMENTS=str(self.experiments), **own)
        words = [*shlex.split(self._here(told["command"])), *more]
        return self.stack.enter_context(process(words, self.log(name), env, self.folder))

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, postgres: tuple[int, Path]) -> Iterator[Cluster]:
    there = Cluster(tmp_path_factory.mktemp("cluster"), postgres[0])
    with there.stack:
        server = there.service("server")
        there.service("dask")
        wait_until(lambda: there.api.alive() or server.poll() is not None, "the server answers")
        assert server.poll() is None, there.log("server").read_text()[-2000:]
        deploy = there.service("deploy", "--experiment", "small")
        there.service("worker-cpu")
        there.service("worker-gpu-on-cpu")
        there.service("dask-worker")
        assert deploy.wait(120) == 0, there.log("deploy").read_text()
        yield there


def test_the_api_needs_its_key(cluster: Cluster) -> None:
    for wrong in (" ", "admin:guess"):
        assert cluster.api.ask("POST", "/deployments/filter", {}, auth=wrong)[0] == 401
    assert cluster.api.post("/deployments/filter", {})


def test_a_schedule_fires_and_its_days_are_read_on_dask(cluster: Cluster) -> None:
    run = cluster.api.fired(10, "ingest/small", experiment="small", from_files=cluster.files)
    assert run["state_type"] == "COMPLETED", run["state"]
    assert (run["work_pool_name"], run["work_queue_name"]) == ("cpu", "backfill")
    assert "Receive client connection" in cluster.log("dask").read_text()


def test_a_run_on_demand_is_read_with_xarray_alone(cluster: Cluster) -> None:
    run = cluster.api.start("cycle/on-demand", experiment="small", from_files=cluster.files)
    ended = cluster.api.wait(run, within=250)
    assert ended["state_type"] == "COMPLETED", ended["state"]
    assert ended["work_pool_name"] == "gpu"
    (product,) = cluster.workspace.glob("published/small/small/forecast-*.zarr")
    assert read_as_consumer(str(product), cluster.folder) == f"{seas.LAST} CF-1.11, ACDD-1.3"


def beat(api: Api, run: str) -> None:
    """What a flow's process tells the server now and then."""
    resource = {"prefect.resource.id": f"prefect.flow-run.{run}", "prefect.resource.name": "beating"}
    event = {
        "id": str(uuid4()),
        "event": "prefect.flow-run.heartbeat",
        "occurred": datetime.now(UTC).isoformat(),
        "resource": resource,
    }
    assert api.ask("POST", "/events", [event])[0] == 204


def test_a_run_crashes_when_its_heart_stops_and_never_before(cluster: Cluster) -> None:
    """The automation as it is entered, but for its window: of three runs one stops, one goes on, one ends well."""
    api = cluster.api
    (entered,) = api.post("/automations/filter", {})
    assert entered["enabled"]
    shorter: dict[str, Any] = yaml.safe_load((DEPLOYMENTS / "automations.yaml").read_text())["automations"][0]
    shorter["trigger"]["within"] = WINDOW
    api.post("/automations/", {**shorter, "name": "short"})
    flow = api.post("/flows/", {"name": "beating"})["id"]
    running = {"type": "RUNNING", "name": "Running"}
    stops, goes_on, ends = (
        api.post("/flow_runs/", {"flow_id": flow, "state": running})["id"] for _ in range(3)
    )
    time.sleep(3)  # the trigger is loaded
    for run in (stops, goes_on, ends):
        beat(api, run)
    api.post(f"/flow_runs/{ends}/set_state", {"state": {"type": "FAILED", "name": "FailedWithGaps"}})

    def crashed() -> bool:
        beat(api, goes_on)
        time.sleep(WINDOW / 5)
        return api.run(stops)["state_type"] == "CRASHED"

    wait_until(crashed, "the run whose heart stopped is Crashed")
    assert api.run(goes_on)["state_type"] == "RUNNING"
    assert api.run(ends)["state_name"] == "FailedWithGaps"


def test_the_window_is_several_heartbeats() -> None:
    (told,) = yaml.safe_load((DEPLOYMENTS / "automations.yaml").read_text())["automations"]
    compose = yaml.safe_load((DEPLOYMENTS / "compose.yaml").read_text())
    beats = {
        int(service["environment"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
        for name, service in compose["services"].items()
        if name.startswith("worker")
    }
    assert len(beats) == 1
    assert told["trigger"]["within"] >= max(90, 3 * beats.pop())


def test_no_secret_is_kept(cluster: Cluster, postgres: tuple[int, Path]) -> None:
    """In logs, the database with its artifacts, the workspace, and what Prefect keeps in its homes."""
    held = [path for folder in (cluster.folder, postgres[1]) for path in folder.rglob("*") if path.is_file()]
    assert any(path.is_relative_to(postgres[1]) for path in held)
    planted = [secret.rpartition(":")[2].encode() for secret in SECRETS.values()]
    found = [path for path in held for secret in planted if secret in path.read_bytes()]
    assert found == []
