"""A loopback server that does with each connection whatever it is told to."""

import socket
import threading
from collections.abc import Callable

Step = Callable[[socket.socket], None]
"""What to do with a connection once a request has come in on it."""

GOOD = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"id": "x"}'


def say(*parts: bytes) -> Step:
    return lambda connection: connection.sendall(b"".join(parts))


def keep_silent(connection: socket.socket) -> None:
    """Say nothing until the client has gone."""
    while connection.recv(65536):
        pass


class Misbehaving:
    """Takes connections, reads requests, and does the next step for each."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.requests: list[str] = []
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
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
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
