"""Raw stdio: every line gets an answer, and every end is clean."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any, cast

import pytest

from admin_mcp.server.stdio import malformed
from admin_mcp.tools.definitions import every_definition
from tests.platforms import needs_posix_processes
from tests.recorder import Recorder
from tests.sessions import KEY, environment

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}},
}


class Raw:
    """The server process, spoken to line by line."""

    def __init__(
        self,
        *flags: str,
        env: Mapping[str, str] | None = None,
        python: Sequence[str] = (),
        stderr: int = subprocess.PIPE,
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *python, "-m", "admin_mcp", *(flags or ["--sandbox"])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**os.environ, **environment(**(env or {}))},
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

    def call(self, number: int, name: str, **arguments: object) -> dict[str, Any]:
        params = {"name": name, "arguments": arguments}
        answer = self.ask({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})
        content: dict[str, Any] = answer["result"]["structuredContent"]
        return content

    def end(self) -> int:
        self.stdin.close()
        return self.process.wait(timeout=20)


@contextmanager
def ended(running: Raw) -> Iterator[Raw]:
    """Let the process end with the context, whatever happens."""
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()
        for stream in (running.process.stdin, running.process.stdout, running.process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def raw() -> Iterator[Raw]:
    with ended(Raw()) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADMIN_MCP_STATE_DIR", str(tmp_path_factory.mktemp("shared") / "state"))
        running = Raw()
    with ended(running):
        running.initialize()
        yield running


MALFORMED = [
    (b"{", -32700, None),
    (b"hello", -32700, None),
    (b"\xff\xfe{}", -32700, None),
    (b'{"jsonrpc":"2.0","id":4,"method":"ping","params":{"x":"\xff"}}', -32700, None),
    (b'{"jsonrpc":"2.0","id":4,"method":"ping","params":{"x":"\xed\xa0\x80"}}', -32700, None),
    ('{"jsonrpc":"2.0","id":4,"method":"ping"}'.encode("utf-16-le"), -32700, None),
    (b'{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}', -32600, None),
    (b'{"jsonrpc":"2.0","id":"a\\uDFFFb","method":"tools/list"}', -32600, None),
    (b'{"jsonrpc":"2.0","id":4,"method":"\\ud800"}', -32600, 4),
    (b'{"jsonrpc":"2.0","id":4,"method":"ping","params":{"\\udc00":1}}', -32600, 4),
    (b'{"jsonrpc":"2.0","id":4,"method":"ping","params":{"_meta":{"progressToken":"\\ud800"}}}', -32600, 4),
    (b'{"jsonrpc":"2.0","id":1e999,"method":"ping"}', -32600, None),
    (b'{"jsonrpc":"2.0","id":4,"method":"ping","params":' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"}", -32600, 4),
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


@pytest.mark.parametrize(
    "arguments",
    [b'{"role_name":"\\ud800"}', b'{"\\ud800":"x"}', b'{"role_name":"\xff"}', b'{"role_name":"\xed\xa0\x80"}'],
    ids=["half of a pair in a value", "in a name", "a byte that is not UTF-8", "a raw half of a pair"],
)
def test_a_change_that_is_not_clearly_spelled_is_refused_and_never_repaired_and_sent(
    arguments: bytes, recorder: Recorder
) -> None:
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url}
    with ended(Raw("--approval", "none", env=env)) as raw:
        raw.initialize()
        call = b'{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"create_role","arguments":'
        raw.send(call + arguments.replace(b"}", b',"permissions":["api.groups.read"]}') + b"}}")
        assert raw.receive()["error"]["code"] in {-32700, -32600}
        assert recorder.requests == []
        assert raw.call(6, "create_role", role_name="é😀", permissions=["api.groups.read"])["id"] == "thing_1"
    (sent,) = recorder.changes
    assert sent.body["role_name"] == "é😀"


@pytest.mark.parametrize("depth", [60, 100, 150, 190, 199, 200, 201, 255, 300, 990])
@pytest.mark.parametrize(
    "place",
    [
        b'{"jsonrpc":"2.0","id":5,"method":"ping","params":{"x":%b}}',
        b'{"jsonrpc":"2.0","id":5,"method":"tools/list","params":{"_meta":{"x":%b}}}',
        b'{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"list_roles","arguments":{"limit":%b}}}',
        b'{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"list_roles","inputResponses":{"a":%b}}}',
        b'{"jsonrpc":"2.0","id":5,"method":"nonsense","params":{"x":%b}}',
    ],
    ids=["ping", "_meta", "an argument", "an answer", "an unknown method"],
)
def test_a_deeply_nested_line_is_answered(place: bytes, depth: int, shared: Raw) -> None:
    for value in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
        shared.send(place % value)
        answer = shared.receive()
        assert answer["id"] == 5 or (answer["error"]["code"], depth) == (-32700, 990)
    assert shared.ask({"jsonrpc": "2.0", "id": 99, "method": "ping"})["result"] == {}


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"NaN", b"Infinity", b"9" * 400, b"1" + b"0" * 4000])
def test_a_number_that_json_can_not_carry_is_answered(number: bytes, shared: Raw) -> None:
    for line in (
        b'{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"list_roles","arguments":{"limit":%b}}}',
        b'{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"list_roles","arguments":{"x":%b}}}',
        b'{"jsonrpc":"2.0","id":5,"method":"ping","params":{"_meta":{"progressToken":%b}}}',
        b'{"jsonrpc":"2.0","id":5,"method":"tools/list","params":{"_meta":{"x":%b}}}',
    ):
        shared.send(line % number)
        assert "jsonrpc" in shared.receive()
    assert shared.ask({"jsonrpc": "2.0", "id": 99, "method": "ping"})["result"] == {}


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


def test_a_carriage_return_between_tokens_does_not_break_a_line(raw: Raw) -> None:
    raw.initialize()
    raw.send(b'{"jsonrpc":"2.0",\r"id":2,"method":"ping"}\r')
    assert raw.receive() == {"jsonrpc": "2.0", "id": 2, "result": {}}


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
        assert len(raw.ask({"jsonrpc": "2.0", "id": number, "method": "tools/list"})["result"]["tools"]) == len(
            every_definition()
        )


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


@needs_posix_processes
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


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "in a change"])
def test_a_client_that_closes_stdout_ends_the_server_with_0_and_no_traceback(busy: bool, recorder: Recorder) -> None:
    arrived, release = recorder.hold_changes()
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url}
    with ended(Raw("--approval", "none", env=env)) as raw:
        raw.initialize()
        if busy:
            call = {"name": "update_role", "arguments": {"role_id": "role_1", "description": "x"}}
            raw.send(json.dumps({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": call}).encode())
            assert arrived.wait(20)
        raw.stdout.close()
        raw.send(b'{"jsonrpc":"2.0","id":6,"method":"ping"}')
        assert raw.process.wait(timeout=20) == 0
        release.set()
        assert b"Traceback" not in raw.stderr.read()


@needs_posix_processes
def test_a_stderr_that_nobody_reads_does_not_stop_the_server() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"x" * 65536)
    except BlockingIOError:
        os.set_blocking(writing, True)
    with ended(Raw("--sandbox", "--approval", "none", "--faults", "garbage=100%", stderr=writing)) as raw:
        raw.initialize()
        for number in range(5):
            assert raw.call(number + 5, "list_roles")["error"]["kind"] == "schema_mismatch"
        assert raw.end() == 0
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize(
    ("python", "env"), [(["-OO"], {}), ([], {"PYTHONOPTIMIZE": "2"}), (["-O"], {})], ids=["-OO", "by variable", "-O"]
)
def test_python_without_docstrings_and_assertions_serves_the_same(python: list[str], env: dict[str, str]) -> None:
    with ended(Raw("--sandbox", "--approval", "none", python=python, env=env)) as raw:
        raw.initialize()
        tools = raw.ask({"jsonrpc": "2.0", "id": 4, "method": "tools/list"})["result"]["tools"]
        assert len(tools) == len(every_definition())
        assert all(tool["description"] for tool in tools)
        assert raw.call(5, "list_roles")["data"]
        made = raw.call(6, "create_role", role_name="x", permissions=["api.groups.read"])
        assert made["name"] == "x"
        assert raw.call(7, "delete_role", role_id=made["id"])["deleted"] is True
        assert raw.end() == 0
