"""`isotherm` commands as processes of their own, to be killed with their whole group.

They are forked from a process that has imported the libraries and run nothing: the start of a command takes longer than
its work on a small sea. Each writes marks of the phase that it is in.
"""

from __future__ import annotations

import errno
import functools
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PHASES = ("ingest", "regrid", "commit", "training", "forecast", "scoring", "report", "publishing")
TASKS = {
    "plan_ingest": "ingest",
    "ingest_shard": "ingest",
    "ingest_batch": "ingest",
    "train_place": "training",
    "forecast_place": "forecast",
    "forecast_newest": "forecast",
    "evaluate_place": "scoring",
    "verify_place": "scoring",
    "render_report": "report",
    "publish_place": "publishing",
}
PATIENCE = 900
"""Seconds that a command may take."""


@dataclass
class Running:
    """A command that was started."""

    process: subprocess.Popen[str]
    pid: int
    marks: Path
    out: Path

    def marked(self) -> list[tuple[float, str]]:
        """Moments, as `time.monotonic` has them, and the phase that began then; `between` is none of them."""
        lines = self.marks.read_text().splitlines() if self.marks.exists() else []
        return [(float(when), phase) for when, _, phase in (line.partition(" ") for line in lines)]

    def kill(self) -> None:
        """Its whole group, at once."""
        os.killpg(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Its exit status; minus the signal's number where one ended it."""
        assert self.process.stdout is not None
        return int(json.loads(self.process.stdout.readline())["status"])


class Commands:
    """Starts commands, one after another."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.survival.commands"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
            cwd=Path(__file__).parents[2],
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def start(self, folder: Path, *words: str, environment: Mapping[str, str]) -> Running:
        """Start `isotherm words…` in `folder`; marks and output lie beside it."""
        marks, out = folder.with_suffix(".marks"), folder.with_suffix(".out")
        marks.unlink(missing_ok=True)
        asked = {
            "words": words,
            "folder": str(folder),
            "marks": str(marks),
            "out": str(out),
            "environment": dict(environment),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        return Running(self._process, int(json.loads(self._process.stdout.readline())["pid"]), marks, out)


def serve() -> None:
    """Fork a command for each line that asks for one, and say how it ended."""
    import keras  # noqa: F401

    import models.fitting
    import models.issuing  # noqa: F401
    import pipeline.reports.gather
    import pipeline.reports.render  # noqa: F401

    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            os.setsid()
            signal.alarm(PATIENCE)
            _become(asked)
        print(json.dumps({"pid": pid}), flush=True)
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


def _become(asked: Mapping[str, Any]) -> None:
    """Be the command, and never return."""
    status = 70
    try:
        out = os.open(asked["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number in (1, 2):
            os.dup2(out, number)
        os.environ.update(asked["environment"])
        os.chdir(asked["folder"])
        sys.argv = ["isotherm", *asked["words"]]
        _mark_phases(Path(asked["marks"]))
        if "SURVIVAL_FULL_AT" in os.environ:
            _fill_disk(Path(asked["marks"]), int(os.environ["SURVIVAL_FULL_AT"]))
        from flows.cli import main

        main()
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001  the child of a fork must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _mark_phases(path: Path) -> None:
    from flows import tasks
    from pipeline.store import repository

    marks = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    within = ["between"]

    def mark(phase: str) -> None:
        os.write(marks, f"{time.monotonic():.4f} {phase}\n".encode())

    @contextmanager
    def phase_of(phase: str) -> Iterator[None]:
        within.append(phase)
        mark(phase)
        try:
            yield
        finally:
            within.pop()
            mark(within[-1])

    def marked(phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*given: Any, **named: Any) -> Any:
            with phase_of(phase):
                return function(*given, **named)

        return wrapped

    for name, phase in TASKS.items():
        task = getattr(tasks, name)
        task.fn = marked(phase, task.fn)
    gathering: Any = import_module("pipeline.ingestion.gather")  # the package has a function of this name
    gathering.process = marked("regrid", gathering.process)
    repository.commit = marked("commit", repository.commit)


def _fill_disk(marks: Path, at: int) -> None:
    """There is no space from write `at` on, of those that Python itself does in a workspace; always, where it is 0."""
    writes = 0
    told = marks.with_suffix(".writes")
    told.unlink(missing_ok=True)

    def look(event: str, given: tuple[Any, ...]) -> None:
        nonlocal writes
        if event not in {"open", "os.mkdir", "os.link"} or not isinstance(given[0], str | os.PathLike):
            return
        reading = event == "open" and not int(given[2] or 0) & (os.O_WRONLY | os.O_RDWR)
        _, inside, place = str(Path.cwd() / given[0]).partition("/workspace/")
        if reading or not inside:
            return
        writes += 1
        with told.open("a") as lines:
            lines.write(f"{place}\n")
        if at and writes >= at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(given[0]))

    sys.addaudithook(look)


if __name__ == "__main__":
    serve()
