"""A program whose garbage is collected in a thread of its own: `python -m flows.collecting MODULE ARGUMENTS …`.

For servers on SQLite. A statement that failed, because the database was locked, say, lives on with the traceback of
its error. To collect it asks for the mutex of its connection, which is taken while the connection waits for the
database. Collected by the thread of the event loop, it stops all of the server, and with it whoever has locked the
database, until that wait gives up: Prefect waits for a minute, and requests fail meanwhile.
"""

from __future__ import annotations

import gc
import runpy
import sys
import threading
import time
from collections.abc import Sequence

EVERY = 1.0
"""Seconds."""


def collect_apart() -> None:
    """Collect garbage by the interpreter's thresholds of its generations, looked at now and then by another thread."""
    gc.disable()
    threading.Thread(target=_collect, name="garbage", daemon=True).start()


def _collect() -> None:
    while True:
        time.sleep(EVERY)
        due = [count > threshold for count, threshold in zip(gc.get_count(), gc.get_threshold(), strict=True)]
        if due[0]:
            gc.collect(2 if due[2] else 1 if due[1] else 0)


def main(words: Sequence[str]) -> None:
    """Run a module as a program, as `python -m` does."""
    collect_apart()
    sys.argv[:] = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
