"""The workspace's reports and products over HTTP on loopback, so that links in Prefect's page can be followed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
FOLDERS = ("reports", "published")
"""All else of the workspace is nobody's business."""


class _Handler(SimpleHTTPRequestHandler):
    def send_head(self) -> Any:
        asked = Path(self.translate_path(self.path)).resolve()
        if not any(asked.is_relative_to(Path(self.directory).resolve() / name) for name in FOLDERS):
            self.send_error(404)
            return None
        return super().send_head()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def served_folders(root: Path, port: int) -> Iterator[str]:
    """Serve them while the context is open; the address is yielded."""
    with ThreadingHTTPServer((HOST, port), partial(_Handler, directory=str(root))) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        try:
            yield f"http://{HOST}:{serving.server_port}"
        finally:
            serving.shutdown()
