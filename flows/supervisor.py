"""Children of one command: started, logged, started again when they die, and ended in order."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

from flows.leash import leashed

LOG_BYTES, LOG_FILES = 5_000_000, 3
LONGEST_PAUSE = 60.0
STEADY = 60.0
"""Seconds after which a child counts as well, so that its next start does not wait."""


class Child:
    """A program on a leash, in a group of processes of its own; what it prints goes to a log that is kept short."""

    def __init__(self, name: str, words: tuple[str, ...], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._words = words
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._pause = 0.0
        log.parent.mkdir(parents=True, exist_ok=True)
        self._kept = RotatingFileHandler(log, maxBytes=LOG_BYTES, backupCount=LOG_FILES - 1)

    def start(self) -> None:
        """Start it."""
        self._began = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603
            leashed(*self._words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment,
            start_new_session=True,
        )
        threading.Thread(target=self._copy, args=(self._process,), daemon=True).start()

    def _copy(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._kept.emit(logging.makeLogRecord({"msg": line.decode(errors="replace").rstrip()}))

    @property
    def pid(self) -> int | None:
        """Of its process, which leads its group; None before its start."""
        return self._process.pid if self._process is not None else None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def restarted(self) -> bool:
        """Start it again if it has died, later and later if it dies at once; whether it was started now."""
        if self.alive or time.monotonic() < self._began + self._pause:
            return False
        ran = time.monotonic() - self._began
        self._pause = 0.0 if ran > STEADY else min(LONGEST_PAUSE, 2 * self._pause or 1.0)
        self.kill()  # what it left of its group
        self.start()
        return True

    def end(self, patience: float) -> None:
        """Ask it to end, wait for `patience` seconds, and end what is left of its group."""
        if self._process is None:
            return
        if self.alive:
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        self.kill()

    def kill(self) -> None:
        """End all of its group at once."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
