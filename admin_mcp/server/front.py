"""The start of a session, answered without loading the server: what a host asks of every server at each launch.

Only what was compiled from the SDK's own answers is answered, and only to messages known to their last field. At the
first other message the session so far is handed to the server, which then reads stdin itself: nothing is relayed.
This module is imported before all others, so it imports next to nothing.
"""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

from admin_mcp.server.front_start import has_usual_streams, label_of

ANSWERS_JSON = os.path.join(os.path.dirname(os.path.abspath(__file__)), "front.json")  # noqa: PTH100, PTH118, PTH120
META = "io.modelcontextprotocol/"
MODERN = "2026-07-28"
_LONGEST_LINE = 64 * 1024
_MOST_AHEAD = 1024 * 1024


class Handed(NamedTuple):
    """A session as the server gets it: lines it must have seen, the ids it answers them with, and bytes read ahead."""

    replayed: list[bytes]
    answered: list[int | str]
    ahead: bytes


def serve_front(arguments: list[str], version: str) -> Handed | None:
    """Answer what is known, until something is not. None: settings or state are the server's from the start."""
    label = label_of(arguments)
    if label is None or not has_usual_streams():
        return None
    try:
        with open(ANSWERS_JSON, encoding="utf-8") as file:  # noqa: PTH123 - pathlib is not loaded
            front = Front(json.load(file))
        os.write(2, f"openai-admin-mcp {version}: {label}; approval: auto\n".encode())
    except (OSError, ValueError):  # not installed whole, or nobody reads stderr: the server knows what to do
        return None
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: os._exit(128 + number))
    return _serve(front)


def _serve(front: "Front") -> Handed:
    import select  # noqa: PLC0415 - not on all platforms as it is needed here

    while True:
        more = _read()
        if not more and not front.ahead:
            os._exit(0)
        front.ahead += more
        for answer in front.answers():
            _write(front, answer, select)
        if not more or front.is_done:
            return front.handed()


def _read() -> bytes:
    try:
        return os.read(0, _LONGEST_LINE)
    except ConnectionResetError:  # a client at a socket has gone without reading all it was sent
        return b""


def _write(front: "Front", answer: bytes, select: Any) -> None:  # noqa: ANN401 - a module
    """Write an answer, and read on meanwhile: a client may send all it has before it reads."""
    at, sources = 0, [0]
    while at < len(answer):
        readable, writable, _ = select.select(sources if len(front.ahead) < _MOST_AHEAD else [], [1], [])
        if readable:
            more = _read()
            front.ahead += more
            sources = sources if more else []
        if writable:
            try:
                at += os.write(1, answer[at : at + select.PIPE_BUF])
            except (BrokenPipeError, ConnectionResetError):
                os._exit(0)


class Front:
    """One session, as far as it is known here. Pure but for what it remembers."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers
        self._version = ""
        self._replayed: list[bytes] = []
        self._answered: list[int | str] = []
        self.ahead = b""
        self.is_done = False

    def handed(self) -> Handed:
        """Return the session for the server, with the bytes that are not answered."""
        return Handed(self._replayed, self._answered, self.ahead)

    def answers(self) -> Iterator[bytes]:
        """Yield the answers to the whole lines among the bytes that are there, until a line is the server's."""
        while not self.is_done:
            line, end, rest = self.ahead.partition(b"\n")
            try:
                _require(len(line) <= _LONGEST_LINE)
                if not end:
                    return
                answer = self.answer(line)
            except LookupError:
                self.is_done = True
                return
            self.ahead = rest
            yield answer

    def answer(self, line: bytes) -> bytes:
        """Return the line that answers a line, or nothing for a notification.

        Raises:
            LookupError: it is the server's.

        """
        message = _parsed(line)
        if "id" not in message:
            self._initialized(message, line)
            return b""
        number, method, params = message.pop("id"), message.pop("method", None), message.pop("params", None)
        _require(message == {"jsonrpc": "2.0"} and _is_id(number) and isinstance(method, str))
        opening = not self._version
        version = self._version_of(method, params)
        result = self._answers["answers"].get(f"{version} {method}")
        _require(result is not None)
        if opening:
            self._version = version
            self._replayed, self._answered = [line + b"\n"], [number]
        said = self._answers["texts"][result]
        return b'{"jsonrpc":"2.0","id":%s,"result":%s}\n' % (json.dumps(number).encode(), said.encode())

    def _version_of(self, method: str, params: object) -> str:
        """Return the version that a request is answered in."""
        meta = params.get("_meta") if isinstance(params, dict) else None
        if isinstance(params, dict) and isinstance(meta, dict) and f"{META}protocolVersion" in meta:
            _require(self._version in {"", MODERN} and _is_envelope(params))
            return MODERN
        if method == "initialize":
            _require(not self._version and _is_greeting(params))
            return str(params["protocolVersion"])  # type: ignore[index]  # it is a greeting
        _require(self._version not in {"", MODERN} and (params is None or params == {}))
        return self._version

    def _initialized(self, message: dict[str, Any], line: bytes) -> None:
        known = message == {"jsonrpc": "2.0", "method": "notifications/initialized"}
        _require(known and self._version not in {"", MODERN} and len(self._replayed) == 1)
        self._replayed.append(line + b"\n")


def _require(holds: object) -> None:
    if not holds:
        raise LookupError


def _parsed(line: bytes) -> dict[str, Any]:
    """Return an object of plain ASCII, without escapes, numbers with a fraction, or a key that is there twice."""
    _require(line.isascii() and b"\\" not in line and b"\r" not in line)
    try:
        message = json.loads(line, object_pairs_hook=_once, parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise LookupError from None
    _require(isinstance(message, dict))
    return message  # type: ignore[no-any-return]  # just checked


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    _require(len({key for key, _ in pairs}) == len(pairs))
    return dict(pairs)


def _refuse(text: str) -> NoReturn:
    raise LookupError(text)


def _is_id(value: object) -> bool:
    return type(value) is str or (type(value) is int and 0 <= value < 2**31)


def _is_greeting(params: object) -> bool:
    return (
        isinstance(params, dict)
        and params.keys() == {"protocolVersion", "capabilities", "clientInfo"}
        and isinstance(params["protocolVersion"], str)
        and params["protocolVersion"] != MODERN
        and _is_client(params["clientInfo"])
        and _are_capabilities(params["capabilities"])
    )


def _is_envelope(params: dict[str, Any]) -> bool:
    meta = params["_meta"]
    return (
        params.keys() == {"_meta"}
        and meta.keys() == {f"{META}protocolVersion", f"{META}clientInfo", f"{META}clientCapabilities"}
        and meta[f"{META}protocolVersion"] == MODERN
        and _is_client(meta[f"{META}clientInfo"])
        and _are_capabilities(meta[f"{META}clientCapabilities"])
    )


def _is_client(info: object) -> bool:
    return (
        isinstance(info, dict)
        and {"name", "version"} <= info.keys() <= {"name", "version", "title"}
        and all(isinstance(value, str) for value in info.values())
    )


def _are_capabilities(given: object) -> bool:
    """Whether capabilities are among those that clients have: without, with roots, sampling or forms."""
    if not isinstance(given, dict) or not given.keys() <= {"roots", "sampling", "elicitation"}:
        return False
    known = {"roots": ({}, {"listChanged": True}, {"listChanged": False}), "elicitation": ({}, {"form": {}})}
    return all(any(_same(value, each) for each in known.get(name, ({},))) for name, value in given.items())


def _same(value: object, other: object) -> bool:
    return json.dumps(value) == json.dumps(other)  # 1 is not true
