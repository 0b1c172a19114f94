"""One request: faults first, then the layout that its path names, then ranges and validators."""

from __future__ import annotations

import re
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote, urlsplit

from pipeline.errors import NotFoundError
from pipeline.mirror import jena, pages

if TYPE_CHECKING:
    from pipeline.mirror.faults import Fault
    from pipeline.mirror.pages import Answer
    from pipeline.mirror.server import Mirror

RANGE = re.compile(r"bytes=(\d+)-(\d*)")
GARBLE = bytes(255 - byte for byte in range(256))


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "isotherm-mirror"
    mirror: ClassVar[Mirror]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing is printed: `Mirror.requests` has it."""

    def do_GET(self) -> None:
        """Answer with a body."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer without one."""
        self._answer()

    def _answer(self) -> None:
        fault = self.mirror.faults.next(unquote(self.path))
        if fault is not None and fault.kind in ("status", "vanish", "html"):
            self._fail(fault)
            return
        try:
            url = urlsplit(self.path)
            rain = self.mirror.radar.answer(url.path) if self.mirror.radar else None
            answer = (
                rain or jena.answer(self.mirror.station, url.path) or pages.answer(self.mirror.shelf, url)
            )
        except NotFoundError as error:
            self._send(HTTPStatus.NOT_FOUND, {}, pages.page("404 Not Found", error.message))
        except ValueError as error:
            self._send(HTTPStatus.BAD_REQUEST, {}, pages.page("400 Bad Request", str(error)))
        else:
            self._serve(answer, fault)

    def _fail(self, fault: Fault) -> None:
        if fault.kind == "html":
            self._send(HTTPStatus.OK, {}, pages.page("Maintenance", "We will be back soon."))
            return
        status = HTTPStatus.NOT_FOUND if fault.kind == "vanish" else HTTPStatus(fault.status)
        headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        self._send(status, headers, pages.page(f"{status.value} {status.phrase}", "As requested."))

    def _serve(self, answer: Answer, fault: Fault | None) -> None:
        body, status = answer.body, HTTPStatus.OK
        if fault is not None and fault.kind == "corrupt":
            body, fault = _garbled(body), None
        headers = {"Content-Type": answer.content_type, "Accept-Ranges": "bytes"}
        if answer.etag:
            headers["ETag"] = f'"{answer.etag}"'
        if answer.written is not None:
            headers["Last-Modified"] = format_datetime(answer.written, usegmt=True)
        if answer.etag and self.headers.get("If-None-Match") == headers["ETag"]:
            self._send(HTTPStatus.NOT_MODIFIED, headers, b"")
            return
        asked = RANGE.fullmatch(self.headers.get("Range", ""))
        validator = self.headers.get("If-Range")
        if asked and validator in (None, headers.get("ETag"), headers.get("Last-Modified")):
            first, last = int(asked[1]), min(int(asked[2] or len(body) - 1), len(body) - 1)
            if first > last:
                headers["Content-Range"] = f"bytes */{len(body)}"
                self._send(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers, b"")
                return
            headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            body, status = body[first : last + 1], HTTPStatus.PARTIAL_CONTENT
        self._send(status, headers, body, fault)

    def _send(
        self, status: HTTPStatus, headers: dict[str, str], body: bytes, fault: Fault | None = None
    ) -> None:
        self.mirror.requests.append((self.command, unquote(self.path), status.value))
        self.send_response(status)
        for name, value in ({"Content-Type": "text/html; charset=utf-8"} | headers).items():
            self.send_header(name, value)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault is None:
            self.wfile.write(body)
            return
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        if fault.kind == "stall":
            self.mirror.stall(fault.seconds)
        self.close_connection = True


def _garbled(body: bytes) -> bytes:
    """Of the same length, and beginning as before."""
    start = len(body) // 4
    return body[:start] + body[start:].translate(GARBLE)
