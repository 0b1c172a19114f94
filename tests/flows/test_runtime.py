"""Progress with and without a terminal, and a server that ends with its command."""

from __future__ import annotations

import io
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from flows import runtime, server
from flows.settings import Settings
from pipeline.errors import IsothermError


def test_progress_without_a_terminal_is_a_line_for_each_tenth() -> None:
    told = io.StringIO()
    with runtime.bars(Console(file=told, soft_wrap=True)):
        report = runtime.progress("ingest")
        for done in range(101):
            report(done, 100, "days [of] May")
    lines = told.getvalue().splitlines()
    assert lines[0] == "ingest: 0/100 days [of] May"
    assert len(lines) == 11


def test_progress_on_a_terminal_is_a_bar() -> None:
    told = io.StringIO()
    with runtime.bars(Console(file=told, force_terminal=True, width=100)):
        report = runtime.progress("train small")
        report(3, 3, "loss 0.5")
    assert "train small" in told.getvalue()
    assert "3/3" in told.getvalue()


def test_progress_of_nothing_to_do() -> None:
    told = io.StringIO()
    with runtime.bars(Console(file=told)):
        runtime.progress("ingest")(0, 0, "days")
    assert told.getvalue() == "ingest: 0/0 days\n"


def test_progress_outside_of_a_command_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "isotherm"):
        runtime.progress("ingest")(1, 2, "days")
    assert "ingest: 1/2 days" in caplog.text


def _alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


STARTED = """
import sys
from pathlib import Path
from flows import server
with server.own_server(Path(sys.argv[1]), {}):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_a_server_of_its_own_ends_with_a_command_that_is_killed(tmp_path: Path) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
        "PREFECT_HOME": str(tmp_path),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    with subprocess.Popen(
        [sys.executable, "-c", STARTED, str(tmp_path)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 1
        process.send_signal(signal.SIGKILL)
    until = time.monotonic() + 30
    while _alive(int(children[0])) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _alive(int(children[0]))


def test_a_server_that_cannot_start_is_told(tmp_path: Path) -> None:
    before = os.environ.get("PREFECT_API_URL")
    with (
        pytest.raises(IsothermError, match="did not start") as caught,
        server.own_server(tmp_path, {"PYTHONHOME": "/nowhere"}) as wait,
    ):
        wait()
    assert "server.log" in caught.value.remedy
    assert os.environ.get("PREFECT_API_URL") == before


def test_what_the_user_has_set_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        os, "environ", {"PREFECT_API_URL": "http://there/api", "PREFECT_LOGGING_LEVEL": "DEBUG"}
    )
    with runtime.prepared(Settings(workspace=tmp_path), verbose=True) as wait:
        wait()
        assert os.environ["PREFECT_API_URL"] == "http://there/api"
        assert os.environ["PREFECT_LOGGING_LEVEL"] == "DEBUG"
        assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
