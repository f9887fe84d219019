"""A loopback server that does with each connection whatever it is told to, and the faults there are."""

import gzip
import socket
import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

Step = Callable[[socket.socket], None]
"""What to do with a connection once a request has come in on it."""

GOOD = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"id": "x"}'


def say(*parts: bytes) -> Step:
    return lambda connection: connection.sendall(b"".join(parts))


def keep_silent(connection: socket.socket) -> None:
    """Say nothing until the client has gone."""
    while connection.recv(65536):
        pass


def answer(status: str, body: bytes = b'{"error":{"message":"no"}}', *headers: str) -> Step:
    lines = [f"HTTP/1.1 {status}", "content-type: application/json", f"content-length: {len(body)}", *headers]
    return say("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def reset(connection: socket.socket) -> None:
    """Break the connection as a crashed host does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def reset_after(*parts: bytes) -> Step:
    def step(connection: socket.socket) -> None:
        connection.sendall(b"".join(parts))
        reset(connection)

    return step


def close(connection: socket.socket) -> None:
    connection.close()


def cut(*parts: bytes) -> Step:
    def step(connection: socket.socket) -> None:
        connection.sendall(b"".join(parts))
        connection.close()

    return step


def chunked(part: bytes, times: int) -> Step:
    """Send a body without saying its length, until it ends or nobody listens."""

    def step(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(times):
            connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        connection.sendall(b"0\r\n\r\n")

    return step


@cache
def _bomb() -> bytes:
    """Return 200 MB of spaces, in 200 KB."""
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    return b"".join(packer.compress(b" " * 1024 * 1024) for _ in range(200)) + packer.flush()


def bomb(connection: socket.socket) -> None:
    answer("200 OK", _bomb(), "content-encoding: gzip")(connection)


@dataclass(frozen=True)
class Fault:
    """What a server does, the error a read and a change end with (none: they succeed), and how often a read is sent."""

    step: Step
    read: str | None
    change: str | None
    reads: int = 1


def ok(body: bytes, *headers: str) -> Step:
    return answer("200 OK", body, *headers)


def unreadable(body: bytes, *headers: str) -> Fault:
    return Fault(ok(body, *headers), "schema_mismatch", "outcome_unknown")


def refused(status: str, read: str, change: str, reads: int = 1) -> Fault:
    return Fault(answer(status), read, change, reads)


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n"
PACKED = gzip.compress(b'{"id": "x"}')
RAW_DEFLATED = zlib.compress(b'{"id": "x"}')[2:-4]

FAULTS: dict[str, Fault] = {
    # The connection
    "reset before an answer": Fault(reset, "network", "outcome_unknown", 3),
    "closed before an answer": Fault(close, "network", "outcome_unknown", 3),
    "cut inside the head": Fault(cut(b"HTTP/1.1 200 OK\r\ncontent-ty"), "network", "outcome_unknown", 3),
    "cut inside the body": Fault(cut(HEAD, b'{"id": "x'), "network", "outcome_unknown", 3),
    "reset inside the body": Fault(reset_after(HEAD, b'{"id": "x'), "network", "outcome_unknown", 3),
    "no HTTP at all": Fault(cut(b"SSH-2.0-OpenSSH_9.9\r\n"), "network", "outcome_unknown", 3),
    "a content-length that is no number": Fault(
        cut(b"HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n"), "network", "outcome_unknown", 3
    ),
    "a content-length beyond the body": Fault(cut(HEAD, b'{"id": "x"}'), "network", "outcome_unknown", 3),
    "a content-length within the body": Fault(
        cut(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", b'{"id": "x"}'), "schema_mismatch", "outcome_unknown"
    ),
    "a broken chunk": Fault(
        cut(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}"), "network", "outcome_unknown", 3
    ),
    # The status
    "301": Fault(answer("301 Moved", b"", "location: http://127.0.0.1:9/"), "api_error", "api_error"),
    "303": Fault(answer("303 See Other", b"", "location: http://127.0.0.1:9/"), "api_error", "outcome_unknown"),
    "400": refused("400 Bad", "api_error", "api_error"),
    "401": refused("401 No", "authentication", "authentication"),
    "403": refused("403 No", "permission", "permission"),
    "404": refused("404 No", "not_found", "not_found"),
    "408": refused("408 Slow", "api_error", "outcome_unknown", 3),
    "409": refused("409 No", "conflict", "conflict"),
    "500": refused("500 Oops", "api_error", "outcome_unknown", 3),
    "502 with a page": Fault(answer("502 Bad", b"<html>bad gateway</html>"), "api_error", "outcome_unknown", 3),
    "503": refused("503 Busy", "api_error", "outcome_unknown", 3),
    # The text
    "empty": unreadable(b""),
    "a page": unreadable(b"<html>hello</html>"),
    "an array": unreadable(b"[1]"),
    "null": unreadable(b"null"),
    "cut off": unreadable(b'{"id": '),
    "a raw half of a pair": unreadable(b'{"id": "\xed\xa0\x80"}'),
    "UTF-16": unreadable('{"id": "x"}'.encode("utf-16")),
    "UTF-16 with half of a pair": unreadable('{"id": "\ud800"}'.encode("utf-16-le", "surrogatepass")),
    "Latin-1": unreadable('{"id": "é"}'.encode("latin-1")),
    "a number that is infinite": unreadable(b'{"id": 1e999}'),
    "NaN": unreadable(b'{"id": NaN}'),
    "a number of 5,000 digits": unreadable(b'{"id": %b}' % (b"9" * 5000)),
    "nested 65 deep": unreadable(b'{"id":' * 65 + b"1" + b"}" * 65),
    "nested 255 deep": unreadable(b'{"id":' * 255 + b"1" + b"}" * 255),
    "nested 100,000 deep": unreadable(b"[" * 100_000),
    "half of a pair, escaped": Fault(ok(b'{"id": "\\ud800", "\\udfff": "x"}'), None, None),
    "half of a pair in an error": Fault(
        answer("400 Bad", b'{"error": {"message": "\\ud800", "param": "\\udc00"}}'), "api_error", "api_error"
    ),
    "a raw half of a pair in an error": Fault(
        answer("400 Bad", b'{"error": {"message": "\xed\xa0\x80"}}'), "api_error", "api_error"
    ),
    "a success that holds an error": Fault(ok(b'{"error": {"message": "no"}}'), "api_error", "outcome_unknown"),
    "a success that holds no error": Fault(ok(b'{"error": null}'), None, None),
    # The size and the coding
    "11 MB": Fault(ok(b" " * 11_000_000), "api_error", "outcome_unknown"),
    "30 MB in chunks": Fault(chunked(b" " * 1_000_000, 30), "api_error", "outcome_unknown"),
    "9 MB of empty arrays": Fault(ok(b'{"id":[' + b"[]," * 3_000_000 + b"1]}"), "api_error", "outcome_unknown"),
    "a gzip bomb": Fault(bomb, "api_error", "outcome_unknown"),
    "gzip": Fault(ok(PACKED, "content-encoding: gzip"), None, None),
    "deflate": Fault(ok(zlib.compress(b'{"id": "x"}'), "content-encoding: deflate"), None, None),
    "deflate without its head": Fault(ok(RAW_DEFLATED, "content-encoding: deflate"), None, None),
    "identity": Fault(ok(b'{"id": "x"}', "content-encoding: identity"), None, None),
    "gzip twice": unreadable(gzip.compress(PACKED), "content-encoding: gzip, gzip"),
    "gzip twice, in two headers": unreadable(gzip.compress(PACKED), "content-encoding: gzip", "content-encoding: gzip"),
    "gzip cut off": unreadable(PACKED[:-9], "content-encoding: gzip"),
    "gzip with something behind it": unreadable(PACKED + b"more", "content-encoding: gzip"),
    "gzip that is none": unreadable(b'{"id": "x"}', "content-encoding: gzip"),
    "a coding nobody asked for": unreadable(b'{"id": "x"}', "content-encoding: br"),
}


class Misbehaving:
    """Takes connections, reads requests, and does the next step for each."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.requests: list[str] = []
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._ended = False
        threading.Thread(target=self._accept, daemon=True).start()

    def end(self) -> None:
        self._ended = True
        self._socket.close()

    @property
    def changes(self) -> int:
        return sum(not request.startswith("GET") for request in self.requests)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection."""
        with connection:
            try:
                while head := self._head(connection):
                    self.requests.append(head)
                    step = self.steps.pop(0) if self.steps else say(GOOD)
                    step(connection)
                    if connection.fileno() < 0:
                        return
            except OSError:
                return

    def _head(self, connection: socket.socket) -> str:
        text = b""
        while b"\r\n\r\n" not in text:
            part = connection.recv(65536)
            if not part:
                return ""
            text += part
        head, _, body = text.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
        while len(body) < length:
            body += connection.recv(65536)
        return head.decode().splitlines()[0]
