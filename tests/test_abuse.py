"""Whatever comes in on stdin, in whatever order: every request is answered, and the session goes on."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO, Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admin_mcp.tools.definitions import every_definition
from tests.sessions import environment

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": "hello",
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "abuse", "version": "1"}},
}
MODERN = {
    "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "abuse", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
}
PATIENCE_SECONDS = 60


class Abused:
    """One server process for many examples; if it ever falls silent, the watchdog ends it and the test fails."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "admin_mcp", "--sandbox"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **environment()},
        )
        self.stdin = cast("IO[bytes]", self.process.stdin)
        self.stdout = cast("IO[bytes]", self.process.stdout)
        self._pings = 0

    def send(self, *lines: bytes) -> list[dict[str, Any]]:
        """Send lines and then a ping, and return all that came until its answer."""
        self._pings += 1
        ping = f"ping-{self._pings}"
        self.stdin.write(b"".join(line + b"\n" for line in lines))
        self.stdin.write(json.dumps({"jsonrpc": "2.0", "id": ping, "method": "ping"}).encode() + b"\n")
        self.stdin.flush()
        watchdog = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        watchdog.start()
        try:
            came: list[dict[str, Any]] = []
            while True:
                line = self.stdout.readline()
                assert line, "the server fell silent or ended"
                message = json.loads(line)  # stdout carries JSON-RPC and nothing else
                assert message["jsonrpc"] == "2.0"
                if message.get("id") == ping:
                    return came
                came.append(message)
        finally:
            watchdog.cancel()

    def ask(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        return self.send(json.dumps(message).encode())

    def end(self) -> int:
        self.stdin.close()
        code = self.process.wait(timeout=30)
        self.stdout.close()
        return code


@pytest.fixture(scope="module")
def abused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Abused]:
    os.environ["ADMIN_MCP_STATE_DIR"] = str(tmp_path_factory.mktemp("abuse") / "state")
    running = Abused()
    running.ask(INITIALIZE)
    running.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
    yield running
    assert running.end() == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
METHODS = st.sampled_from(
    ["tools/list", "tools/call", "ping", "prompts/list", "resources/read", "server/discover", "initialize", "x", ""]
)
PARAMS = st.one_of(
    JSON,
    st.fixed_dictionaries({"name": st.sampled_from(["list_roles", "get_role", "delete_role", "x"]), "arguments": JSON}),
    st.fixed_dictionaries({"name": JSON, "arguments": JSON, "_meta": JSON}),
    st.just(MODERN),
)
REQUESTS = st.fixed_dictionaries({"jsonrpc": st.just("2.0"), "method": METHODS}, optional={"params": PARAMS})
LINES = st.one_of(
    st.binary(max_size=60).map(lambda line: line.replace(b"\n", b" ").replace(b"\r", b" ")),
    JSON.map(lambda value: json.dumps(value).encode()),
    REQUESTS.map(lambda value: json.dumps(value).encode()),
)

ABUSE = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@ABUSE
@given(lines=st.lists(LINES, max_size=4))
def test_after_any_lines_the_server_still_answers(lines: list[bytes], abused: Abused) -> None:
    abused.send(*lines)


@ABUSE
@given(request=REQUESTS, number=st.integers(0, 2**31))
def test_every_request_with_an_id_gets_exactly_one_answer(request: dict[str, Any], number: int, abused: Abused) -> None:
    asked = f"asked-{number}"
    came = abused.ask({**request, "id": asked})
    answers = [message for message in came if message.get("id") == asked]
    if not answers:  # a slow call may be answered after the ping
        answers = [message for message in abused.send() + abused.send() if message.get("id") == asked]
    assert len(answers) == 1
    assert ("result" in answers[0]) != ("error" in answers[0])
    assert "Traceback" not in json.dumps(answers[0])


def test_a_line_of_ten_megabytes_is_answered(abused: Abused) -> None:
    big = {"jsonrpc": "2.0", "id": "big", "method": "tools/call", "params": {"name": "get_role", "arguments": {}}}
    big["params"] = {"name": "get_role", "arguments": {"role_id": "x" * 10_000_000}}
    came = abused.ask(big) + abused.send()
    (answer,) = [message for message in came if message.get("id") == "big"]
    assert answer["result"]["structuredContent"]["error"]["kind"] == "invalid_input"
    assert len(json.dumps(answer)) < 10_000
    garbage = abused.send(b"x" * 10_000_000)
    assert [message["error"]["code"] for message in garbage] == [-32700]


@pytest.mark.parametrize("depth", [100, 10_000, 200_000])
def test_deep_nesting_is_answered(depth: int, abused: Abused) -> None:
    nested = b"[" * depth + b"]" * depth
    line = b'{"jsonrpc":"2.0","id":"deep","method":"tools/call","params":{"name":"get_role","arguments":{"role_id":'
    came = abused.send(line + nested + b"}}}") + abused.send()
    (answer,) = came
    assert "result" in answer or "error" in answer


def test_one_id_used_twice_at_once_gets_two_answers(abused: Abused) -> None:
    call = {"jsonrpc": "2.0", "id": "twin", "method": "tools/call", "params": {"name": "list_roles", "arguments": {}}}
    line = json.dumps(call).encode()
    came = abused.send(line, line) + abused.send() + abused.send()
    assert len([message for message in came if message.get("id") == "twin"]) == 2


def test_a_request_of_the_other_era_is_answered_and_the_session_goes_on(abused: Abused) -> None:
    came = abused.ask({"jsonrpc": "2.0", "id": "other", "method": "tools/list", "params": MODERN})
    came += abused.ask({"jsonrpc": "2.0", "id": "again", "method": "tools/list"}) + abused.send()
    assert {"other", "again"} <= {message.get("id") for message in came}
    (again,) = [message for message in came if message.get("id") == "again"]
    assert len(again["result"].get("tools", [])) == len(every_definition()), str(again)[:500]


def test_answers_to_questions_nobody_asked_are_passed_over(abused: Abused) -> None:
    assert (
        abused.send(b'{"jsonrpc":"2.0","id":"nobody","result":{"action":"accept","content":{"decision":"approve"}}}')
        == []
    )
