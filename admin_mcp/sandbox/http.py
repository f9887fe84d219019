"""The pretend organization over HTTP on this machine, so that any client can develop against it."""

import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from admin_mcp.sandbox.gateway import Gateway, Response
from admin_mcp.sandbox.organization import Organization
from admin_mcp.sandbox.store import Row

logger = logging.getLogger(__name__)

_CONTROL = "/sandbox/"
_LONGEST_BODY = 10 * 1024 * 1024

_Message = dict[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class Clock:
    """A clock that can be put forward."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.ahead = 0.0

    def __call__(self) -> float:
        """Return the sandbox's present, as unix seconds."""
        return self._now() + self.ahead


class SandboxApp:
    """The ASGI application: the API below ``/v1``, and two switches for tests below ``/sandbox``.

    ``POST /sandbox/reset`` begins again from the seed. ``POST /sandbox/clock`` with ``{"advance_seconds": 60}`` puts
    the sandbox's clock forward.
    """

    def __init__(self, organization: Organization, gateway: Gateway, clock: Clock) -> None:
        self._organization = organization
        self._gateway = gateway
        self._clock = clock

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        content = await _content(receive)
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        if content is None:
            response = _plain(413, {"error": {"message": "The request body is too long."}})
        elif scope["path"].startswith(_CONTROL):
            response = self._control(scope["method"], scope["path"].removeprefix(_CONTROL), content)
        else:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            response = await self._answer(scope["method"], target, headers, content)
        await _send_response(response, send)

    async def _answer(self, method: str, target: bytes, headers: dict[str, str], content: bytes) -> Response:
        try:
            return await self._gateway.answer(method, target, headers, content)
        except Exception:  # the top of this server: a defect of the sandbox is logged, and looks like the API's own
            logger.exception("%s %s failed inside the sandbox", method, target.decode("latin-1"))
            return _plain(500, {"error": {"message": "The sandbox failed; its log says why."}})

    def _control(self, method: str, action: str, content: bytes) -> Response:
        if method == "POST" and action == "reset":
            self._organization.reset()
            return _plain(200, {"reset": True})
        if method == "POST" and action == "clock":
            seconds = _seconds(content)
            if seconds is None:
                return _plain(400, {"error": {"message": "advance_seconds must be a number that is not negative."}})
            self._clock.ahead += seconds
            return _plain(200, {"now": int(self._clock())})
        return _plain(404, {"error": {"message": "There are POST /sandbox/reset and POST /sandbox/clock."}})


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        OSError: the port is taken or not allowed.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small packets at once only on sockets that say they are TCP; else each answer takes 40 ms longer.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


def serve(app: SandboxApp, listening: socket.socket) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    config = uvicorn.Config(
        app, log_level="critical", access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1
    )
    uvicorn.Server(config).run(sockets=[listening])


async def _content(receive: _Receive) -> bytes | None:
    content = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        content += part
        if len(content) > _LONGEST_BODY:
            return None
        if not message.get("more_body"):
            return content


async def _send_response(response: Response, send: _Send) -> None:
    # A connection that breaks: more is promised than comes, and the server closes it.
    promised = len(response.body) + (1 if response.dropped else 0)
    headers = {**response.headers, "content-length": str(promised)}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    if response.dropped:
        return
    await send({"type": "http.response.body", "body": response.body})


def _plain(status: int, body: Row) -> Response:
    return Response(status, json.dumps(body).encode(), {"content-type": "application/json"})


def _seconds(content: bytes) -> float | None:
    try:
        value = json.loads(content).get("advance_seconds")
    except (ValueError, AttributeError):
        return None
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 10**9
    return float(value) if usable else None
