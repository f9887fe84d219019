"""A loopback HTTP server that writes down what it gets and answers what it was told to."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Recorded:
    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    headers: dict[str, str]

    @property
    def changes(self) -> bool:
        return self.method != "GET"


@dataclass
class Canned:
    status: int = 200
    body: Any = field(default_factory=lambda: {"id": "thing_1", "name": "Support", "object": "thing"})
    headers: dict[str, str] = field(default_factory=lambda: {"x-request-id": "req_1"})
    raw: bytes | None = None


COLLECTIONS = ("users", "groups", "roles", "projects", "api_keys", "service_accounts")
"""Last parts of the paths whose GET answers with a list."""


def ordinary(request: Recorded) -> Canned:
    """Answer a list with an empty one, and everything else with one thing."""
    if request.method == "GET" and request.path.rpartition("/")[2] in COLLECTIONS:
        return Canned(body={"data": [], "has_more": False})
    return Canned()


class Recorder:
    """Use as a context manager; ``reply`` chooses the answer to each request."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.reply: Callable[[Recorded], Canned] = ordinary
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 64 * 1024  # headers and body in one packet, or the next waits 40 ms for an acknowledgement

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                raw = self.rfile.read(int(self.headers.get("content-length") or 0))
                request = Recorded(
                    method=self.command,
                    path=unquote(parts.path),
                    query=parse_qsl(parts.query, keep_blank_values=True),
                    body=json.loads(raw) if raw else None,
                    headers={name.lower(): value for name, value in self.headers.items()},
                )
                outer.requests.append(request)
                canned = outer.reply(request)
                body = canned.raw if canned.raw is not None else json.dumps(canned.body).encode()
                self.send_response(canned.status)
                for name, value in {"content-type": "application/json", **canned.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = _serve

            def log_message(self, *args: object) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def changes(self) -> list[Recorded]:
        return [request for request in self.requests if request.changes]

    def hold_changes(self) -> tuple[threading.Event, threading.Event]:
        """Hold the answer to each change back; return what tells that one has come, and what lets them be answered."""
        arrived, release = threading.Event(), threading.Event()

        def reply(request: Recorded) -> Canned:
            if request.changes:
                arrived.set()
                release.wait(20)
            return ordinary(request)

        self.reply = reply
        return arrived, release
