"""One Prefect server for all tests of flows, in folders of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.server import own_server
from tests import seas


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without settings, in a folder of its own."""
    for name in os.environ:
        if name.startswith("ISOTHERM_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ISOTHERM_WORKERS", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def experiments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of experiments with the small one in it."""
    folder = tmp_path / "experiments"
    seas.write_experiment(folder)
    monkeypatch.setenv("ISOTHERM_EXPERIMENTS", str(folder))
    return folder


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Writes an experiment of a name and a text into a folder of its own, where it is then looked for."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / "experiments" / f"{name}.toml"
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("ISOTHERM_EXPERIMENTS", str(path.parent))
        return path

    return write


@pytest.fixture(scope="package")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that tests in this process and in others talk to."""
    home = tmp_path_factory.mktemp("prefect")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(home))
        patch.setenv("PREFECT_RESULTS_LOCAL_STORAGE_PATH", str(home / "results"))
        patch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        patch.setenv("DO_NOT_TRACK", "1")
        patch.setenv("PREFECT_LOGGING_LEVEL", "CRITICAL")
        with own_server(home, {}) as wait:
            url = os.environ["PREFECT_API_URL"]
            from prefect.events.worker import EventsWorker
            from prefect.settings import PREFECT_API_URL, temporary_settings

            wait()
            with temporary_settings({PREFECT_API_URL: url}):
                yield url
                # Its pings draw from `random`, which Hypothesis takes for a strategy's doing.
                EventsWorker.drain_all()
