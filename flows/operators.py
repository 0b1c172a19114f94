"""Who does something that leaves a trace: a person at a terminal, or a flow run."""

from __future__ import annotations

import getpass
import os
import socket
import sys


def operator() -> str:
    """`user@host`, or `flow run NAME` within one. Prefect is asked only where it is loaded already."""
    if "prefect" in sys.modules:
        from prefect.runtime import flow_run

        name = flow_run.get_name()
        if name:
            return f"flow run {name}"
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
