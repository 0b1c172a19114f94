"""One Prefect server for all that is tried, in a folder of its own."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch

from flows.server import own_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def server(home: Path) -> Iterator[str]:
    """The address of a server; this process and those that it starts talk to it."""
    home.mkdir(parents=True, exist_ok=True)
    given = {
        "PREFECT_HOME": str(home),
        "PREFECT_RESULTS_LOCAL_STORAGE_PATH": str(home / "results"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    with patch.dict(os.environ, given), own_server(home, {}) as wait:
        wait()
        yield os.environ["PREFECT_API_URL"]
