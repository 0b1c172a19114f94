"""A child that ends with its parent, however the parent ends: `python -m flows.leash MODULE ARGUMENTS …`.

The parent holds the other end of stdin, which the system closes with the parent. The child leads a group of
processes, and all of the group ends with it.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
from collections.abc import Sequence


def leashed(module: str, *arguments: str) -> list[str]:
    """The command that runs `module` on a leash; start it with a pipe for stdin and in a new session."""
    return [sys.executable, "-m", "flows.leash", module, *arguments]


def _end_with_parent() -> None:
    os.read(0, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main(words: Sequence[str]) -> None:
    """Run a module as a program, as `python -m` does."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv[:] = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
