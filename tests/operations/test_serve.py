"""`isotherm serve` as a process: forms, a schedule that fires, runs on demand, and killing one after another.

The tests of one server go in the order that they are written in.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from pipeline.store.state import status_summary
from pipeline.workspace import Workspace
from tests import seas
from tests.operations.api import (
    Api,
    Sea,
    environment,
    free_port,
    isotherm,
    process,
    read_as_consumer,
    wait_until,
)

SECRET = "correct-horse-battery-staple"
KEY = f"admin:{SECRET}"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc"),
]


class Served(Sea):
    """A workspace that is served, until it is ended, killed, or served again."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, epochs=2)
        self.port = free_port(pair=True)
        self.api = Api(self.port, KEY)
        self.log = folder / "serve.log"
        self.env = environment(
            ISOTHERM_EXPERIMENTS=str(self.experiments),
            PREFECT_SERVER_API_AUTH_STRING=KEY,
            AWS_SECRET_ACCESS_KEY=SECRET,
            ISOTHERM_TODAY=str(seas.LAST + dt.timedelta(1)),
        )
        self._stack = ExitStack()

    def words(self, *more: str, port: int | None = None) -> list[str]:
        there = ["--workspace", str(self.workspace), "--port", str(port or self.port)]
        return ["serve", *there, "--experiment", "small", *more]

    def start(self) -> None:
        self.log.unlink(missing_ok=True)
        self.process = self._stack.enter_context(
            process(["isotherm", *self.words()], self.log, self.env, self.folder)
        )
        wait_until(lambda: "page is at" in self.said() or self.process.poll() is not None, "serving")
        assert self.process.poll() is None, self.said()

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def end(self) -> None:
        self._stack.close()

    def children(self) -> dict[str, int]:
        """Process ids of the server and the workers."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        words = {int(pid): Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in listed}
        return {w[w.index("--pool") + 1] if "--pool" in w else "server": pid for pid, w in words.items()}


def alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    serving = Served(tmp_path_factory.mktemp("serve"))
    serving.start()
    yield serving
    serving.end()


def cycle(served: Served) -> str:
    return served.api.start("cycle/on-demand", experiment="small", from_files=served.files)


def test_the_page_and_its_deployments_are_there(served: Served) -> None:
    wait_until(lambda: "10 8,14,20 * * * UTC" in served.said(), "the daily deployment and its schedule")
    said = served.said()
    assert f"http://127.0.0.1:{served.port}" in said
    assert "daily/small" in said
    with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{served.port}/", timeout=30) as page:
        assert "<html" in page.read().decode().lower()
    assert [*served.api.get("/work_pools/cpu/queues/daily").items()]
    queues = {
        name: served.api.get(f"/work_pools/cpu/queues/{name}")["priority"] for name in ("daily", "backfill")
    }
    assert queues["daily"] < queues["backfill"]


def test_the_api_needs_its_key(served: Served) -> None:
    for wrong in ("", "admin:guess"):
        status, _ = served.api.ask("POST", "/deployments/filter", {}, auth=wrong or " ")
        assert status == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"experiment": "smal"},
        {},
        {"experiment": "small", "mirror": "127.0.0.1:1"},
        {"experiment": "small", "from_files": "a.nc"},
        {"experiment": "small", "mirorr": "http://127.0.0.1:1"},
    ],
    ids=["unknown", "none", "mirror", "files", "misspelt"],
)
def test_a_wrong_value_is_refused_before_a_run_is_scheduled(served: Served, wrong: dict[str, object]) -> None:
    there = served.api.deployment("cycle/on-demand")
    assert there["parameter_openapi_schema"]["properties"]["experiment"]["enum"] == ["small"]

    def runs() -> list[str]:
        return [run["id"] for run in served.api.runs() if run["deployment_id"] == there["id"]]

    before = runs()
    body = {"parameters": wrong, "state": {"type": "SCHEDULED"}}
    status, said = served.api.ask("POST", f"/deployments/{there['id']}/create_flow_run", body)
    assert status == 409, said
    assert runs() == before


def test_a_second_one_is_refused(served: Served, tmp_path: Path) -> None:
    again = isotherm(*served.words(port=free_port(pair=True)), env=served.env, cwd=tmp_path)
    assert again.returncode == 1
    assert f"is served already, at http://127.0.0.1:{served.port}/api" in again.stderr
    taken = isotherm(*served.words("--workspace", str(tmp_path / "other")), env=served.env, cwd=tmp_path)
    assert taken.returncode == 1
    assert f"port {served.port} of 127.0.0.1 cannot be had" in taken.stderr
    assert "--port" in taken.stderr


def test_the_server_is_killed_in_the_middle_of_a_run(served: Served) -> None:
    run = cycle(served)
    served.api.wait(run, {"RUNNING"})
    os.kill(served.children()["server"], signal.SIGKILL)
    ended = served.api.wait(run)
    assert ended["state_type"] == "COMPLETED", ended["state"]
    assert "the server had ended, and was started again" in served.said()


def test_a_schedule_fires(served: Served) -> None:
    run = served.api.fired(10, "daily/small", experiment="small", from_files=served.files)
    assert run["state_type"] == "COMPLETED", run["state"]
    assert run["name"] == f"{run['expected_start_time'][:10]} small: daily"
    assert run["work_queue_name"] == "daily"


def test_what_was_made_is_read_with_xarray_alone(served: Served) -> None:
    (product,) = served.workspace.glob("published/small/small/forecast-*.zarr")
    assert read_as_consumer(str(product), served.folder) == f"{seas.LAST} CF-1.11, ACDD-1.3"
    artifacts = served.api.post("/artifacts/filter", {"sort": "CREATED_DESC"})
    assert {"data-small", "scores-small", "report-small", "forecasts-small"} <= {
        each["key"] for each in artifacts
    }
    link = next(each["data"] for each in artifacts if each["key"] == "report-small")
    address = link[link.index("(") + 1 : link.rindex(")")]
    assert address == f"http://127.0.0.1:{served.port + 1}/reports/small/index.html"
    fetch = build_opener(ProxyHandler({})).open
    with fetch(address, timeout=30) as page:
        assert "<html" in page.read().decode().lower()
    for hidden in ("prefect/serve.db", "reports/../prefect/serve.db", "workspace.json", ""):
        with pytest.raises(OSError, match="404"):
            fetch(f"http://127.0.0.1:{served.port + 1}/{hidden}", timeout=30)


def under_way(served: Served, workspace: str) -> tuple[str, int]:
    """An ingestion into a new workspace, which takes some seconds; its id and that of its process."""
    given = {"experiment": "small", "from_files": served.files, "workspace": str(served.folder / workspace)}
    run = served.api.start("ingest/on-demand", **given)
    return run, int(served.api.wait(run, {"RUNNING"})["infrastructure_pid"].rpartition(":")[2])


def ingested(served: Served, workspace: str) -> int:
    """Days that the cube holds."""
    return status_summary(Workspace(served.folder / workspace).cube("small")).final


def test_a_worker_is_killed_in_the_middle_of_a_run(served: Served) -> None:
    run, pid = under_way(served, "first")
    os.kill(served.children()["cpu"], signal.SIGKILL)
    assert served.api.wait(run)["state_type"] == "CRASHED"
    # It says so itself if it notices first that nobody reads its log any more.
    wait_until(lambda: not alive(pid), "the run's process ends with its worker", within=30)
    following, _ = under_way(served, "first")
    assert served.api.wait(following)["state_type"] == "COMPLETED"
    assert ingested(served, "first") == len(seas.days())


def test_all_is_killed_in_the_middle_of_a_run_and_served_again(served: Served) -> None:
    run, pid = under_way(served, "second")
    children = [pid, *served.children().values()]
    os.kill(served.process.pid, signal.SIGKILL)
    wait_until(lambda: not any(map(alive, children)), "the children end with their parent", within=30)
    served.end()

    served.start()
    assert served.api.run(run)["state_type"] == "CRASHED"
    assert "its process is gone" in served.said()
    following, _ = under_way(served, "second")
    assert served.api.wait(following)["state_type"] == "COMPLETED"
    assert ingested(served, "second") == len(seas.days())


def test_a_command_is_seen_by_the_server_of_its_workspace(served: Served) -> None:
    env = {name: value for name, value in served.env.items() if "SERVER_API_AUTH" not in name}
    words = ("ingest", "small", "--from-files", *served.files, "--workspace", str(served.workspace))
    done = isotherm(*words, env=env | {"PREFECT_API_AUTH_STRING": KEY}, cwd=served.folder)
    assert done.returncode == 0, done.stderr
    newest, *_ = served.api.runs(deployment_id={"is_null_": True})
    assert newest["name"].endswith(" small: ingest")
    assert newest["state_type"] == "COMPLETED"


def test_it_ends_in_order(served: Served) -> None:
    _, pid = under_way(served, "third")
    children = [pid, *served.children().values()]
    os.kill(served.process.pid, signal.SIGTERM)
    assert served.process.wait(60) == 0, served.said()
    assert not any(map(alive, children))
    assert "Traceback" not in served.said()


def test_no_secret_is_kept(served: Served) -> None:
    """In logs, artifacts, the database, and the stores."""
    held = [path for path in served.folder.rglob("*") if path.is_file()]
    assert any(path.name == "serve.db" for path in held)
    assert [path for path in held if SECRET.encode() in path.read_bytes()] == []


def test_an_unknown_experiment_is_named(tmp_path: Path) -> None:
    words = ("serve", "--workspace", str(tmp_path / "w"), "--experiment", "sst-sea")
    done = isotherm(*words, env=environment(), cwd=tmp_path)
    assert done.returncode == 1
    assert "did you mean 'sst-seas'?" in done.stderr
    assert not (tmp_path / "w").exists()
