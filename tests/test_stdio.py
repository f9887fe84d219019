"""Raw stdio: every line gets an answer, and every end is clean."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Any, cast

import pytest

from admin_mcp.stdio import malformed
from tests.sessions import environment

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}},
}


class Raw:
    """The server process, spoken to line by line."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "admin_mcp", "--sandbox"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment()},
        )
        self.stdin = cast("IO[bytes]", self.process.stdin)
        self.stdout = cast("IO[bytes]", self.process.stdout)
        self.stderr = cast("IO[bytes]", self.process.stderr)

    def send(self, line: bytes) -> None:
        self.stdin.write(line + b"\n")
        self.stdin.flush()

    def receive(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.stdout.readline())
        return answer

    def ask(self, message: object) -> dict[str, Any]:
        self.send(json.dumps(message).encode())
        return self.receive()

    def initialize(self) -> None:
        assert self.ask(INITIALIZE)["result"]["serverInfo"]["name"] == "openai-admin-mcp"
        self.send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')

    def end(self) -> int:
        self.stdin.close()
        return self.process.wait(timeout=20)


@pytest.fixture
def raw() -> Iterator[Raw]:
    running = Raw()
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()
        for stream in (running.stdin, running.stdout, running.stderr):
            stream.close()


MALFORMED = [
    (b"{", -32700, None),
    (b"hello", -32700, None),
    (b"\xff\xfe{}", -32700, None),
    (b"[" * 3000, -32700, None),
    (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600, None),
    (b"[]", -32600, None),
    (b'"text"', -32600, None),
    (b"7", -32600, None),
    (b"null", -32600, None),
    (b"{}", -32600, None),
    (b'{"jsonrpc":"2.0","id":7}', -32600, 7),
    (b'{"jsonrpc":"1.0","id":"a","method":"ping"}', -32600, "a"),
    (b'{"jsonrpc":"2.0","id":8,"method":"ping","params":[1]}', -32600, 8),
    (b'{"jsonrpc":"2.0","id":9,"method":5}', -32600, 9),
    (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600, None),
    (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600, None),
    (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, None),
]


def test_every_malformed_line_is_answered_and_the_session_goes_on(raw: Raw) -> None:
    raw.initialize()
    for line, code, request_id in MALFORMED:
        raw.send(line)
        answer = raw.receive()
        assert "error" in answer, (line, answer)
        assert (answer["error"]["code"], answer["id"]) == (code, request_id), line
    assert raw.ask({"jsonrpc": "2.0", "id": 99, "method": "ping"}) == {"jsonrpc": "2.0", "id": 99, "result": {}}


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_request_with_an_enormous_number_is_answered(digits: int, raw: Raw) -> None:
    raw.initialize()
    for line in (
        b'{"jsonrpc":"2.0","id":%b,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":5,"method":"ping","params":{"x":%b}}',
    ):
        raw.send(line % (b"9" * digits))
        assert raw.stdout.readline().startswith(b'{"jsonrpc":"2.0"')


def test_a_malformed_first_line_is_answered_too(raw: Raw) -> None:
    raw.send(b"{")
    assert raw.receive()["error"]["code"] == -32700
    raw.initialize()


def test_a_blank_line_is_no_message_and_gets_no_answer(raw: Raw) -> None:
    raw.initialize()
    raw.send(b"")
    raw.send(b"   ")
    assert raw.ask({"jsonrpc": "2.0", "id": 2, "method": "ping"})["id"] == 2


def test_a_well_formed_message_is_left_to_the_sdk() -> None:
    assert malformed(json.dumps(INITIALIZE)) is None
    assert malformed('{"jsonrpc":"2.0","method":"notifications/initialized"}') is None
    assert malformed('{"jsonrpc":"2.0","id":1,"result":{}}') is None


def test_an_unknown_method_is_answered(raw: Raw) -> None:
    raw.initialize()
    assert raw.ask({"jsonrpc": "2.0", "id": 3, "method": "nonsense/call"})["error"]["code"] == -32601


def test_a_list_that_came_as_a_notification_does_not_spoil_the_lists_after_it(raw: Raw) -> None:
    raw.initialize()
    raw.send(b'{"jsonrpc":"2.0","method":"tools/list"}')
    for number in (5, 6):
        assert len(raw.ask({"jsonrpc": "2.0", "id": number, "method": "tools/list"})["result"]["tools"]) == 143


def test_a_malformed_list_is_refused_after_a_good_one_as_before_it(raw: Raw) -> None:
    raw.initialize()
    bad = {"jsonrpc": "2.0", "id": 5, "method": "tools/list", "params": {"cursor": 7}}
    codes = [raw.ask(bad)["error"]["code"]]
    raw.ask({"jsonrpc": "2.0", "id": 6, "method": "tools/list"})
    codes.append(raw.ask(bad)["error"]["code"])
    assert codes == [-32602, -32602]


def test_the_end_of_stdin_ends_the_server_with_0(raw: Raw) -> None:
    raw.initialize()
    assert raw.end() == 0


def test_the_end_of_stdin_before_any_message_ends_the_server_with_0(raw: Raw) -> None:
    assert raw.end() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no way to send these signals to a child")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_server_at_once_although_stdin_stays_open(
    number: signal.Signals, code: int, raw: Raw
) -> None:
    raw.initialize()
    raw.process.send_signal(number)
    assert raw.process.wait(timeout=10) == code


def test_stdout_carries_nothing_but_the_protocol(raw: Raw) -> None:
    raw.initialize()
    raw.ask({"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": "list_roles", "arguments": {}}})
    raw.stdin.close()
    assert raw.stdout.read() == b""
    raw.process.wait(timeout=20)
    assert b"sandbox" in raw.stderr.read()
