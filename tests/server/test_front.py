"""What answers before the server is loaded gives the server's answers, and the server goes on where it stopped."""

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import mcp_types as types
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp.server.lowlevel import Server
from mcp.shared.message import SessionMessage
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from admin_mcp.catalog import compiled_catalog
from admin_mcp.gate.policy import Policy
from admin_mcp.gate.storage import open_storage
from admin_mcp.server.app import admin_server
from admin_mcp.server.compile_front import compiled
from admin_mcp.server.front import ANSWERS_JSON, META, MODERN, Front, Handed
from admin_mcp.server.stdio import Replay, malformed
from admin_mcp.settings import Settings
from tests.platforms import needs_posix_processes
from tests.sessions import KEY, environment

ANSWERS = json.loads(Path(ANSWERS_JSON).read_text("utf-8"))
CLIENT = {"name": "raw", "version": "1"}


def test_the_compiled_answers_are_the_servers() -> None:
    assert Path(ANSWERS_JSON).read_text("utf-8") == compiled()


@asynccontextmanager
async def a_server(tmp_path: Path) -> AsyncIterator[Server[dict[str, Any]]]:
    chosen = Settings(sandbox=True, state_dir=tmp_path / "state")
    async with admin_server(chosen, compiled_catalog(), Policy(), open_storage(chosen)) as server:
        yield server


async def served(server: Server[dict[str, Any]], lines: list[bytes], handed: Handed | None) -> list[Any]:
    """Return what the server sends for these lines, after a session that began elsewhere."""
    to_server, read = anyio.create_memory_object_stream[SessionMessage | Exception](1000)
    write, from_server = anyio.create_memory_object_stream[SessionMessage](1000)
    replay = Replay(handed, write) if handed else None

    async def give(line: bytes) -> None:
        text = line.decode("utf-8", "surrogateescape")
        error = malformed(text)
        if error is None:
            await to_server.send(SessionMessage(types.jsonrpc_message_adapter.validate_json(text, by_name=False)))
        elif text.strip():
            await write.send(SessionMessage(error))

    async with from_server, anyio.create_task_group() as group, to_server:
        group.start_soon(server.run, read, replay or write, server.create_initialization_options())
        with anyio.fail_after(30):
            while replay is not None and (again := await replay.next()):
                await give(again.encode())
            for line in lines:
                await give(line)
                for _ in range(60):
                    await anyio.lowlevel.checkpoint()
        sent: list[Any] = []
        while from_server.statistics().current_buffer_used:
            message = from_server.receive_nowait().message
            sent.append(json.loads(message.model_dump_json(by_alias=True, exclude_unset=True)))
        group.cancel_scope.cancel()
    return sent


def fronted(lines: list[bytes]) -> tuple[list[Any], list[bytes], Handed]:
    """Return what the front answers, the lines that are left for the server, and what it is told."""
    sent: list[Any] = []
    front = Front(ANSWERS)
    for number, line in enumerate(lines):
        try:
            answer = front.answer(line)
        except LookupError:
            return sent, lines[number:], front.handed()
        if answer:
            sent.append(json.loads(answer))
    return sent, [], front.handed()


def envelope(version: str = MODERN, **more: object) -> dict[str, Any]:
    return {
        "_meta": {f"{META}protocolVersion": version, f"{META}clientInfo": CLIENT, f"{META}clientCapabilities": {}},
        **more,
    }


def message(method: str, params: object = ..., **more: object) -> bytes:
    given = {} if params is ... else {"params": params}
    return json.dumps({"jsonrpc": "2.0", **more, "method": method, **given}).encode()


CAPABILITIES: tuple[object, ...] = (
    {},
    {"elicitation": {}},
    {"roots": {"listChanged": True}},
    {"roots": {"listChanged": 1}},
    {"roots": {"listChanged": "x"}},
    {"elicitation": {"form": 1}},
    {"x": 1},
    None,
)
PARAMS: tuple[object, ...] = (
    ...,
    {},
    None,
    [],
    {"cursor": None},
    {"cursor": "x"},
    {"_meta": {}},
    {"_meta": 1},
    {"_meta": None},
    {"_meta": {"progressToken": 1}},
    envelope(),
)
LISTS = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
METHODS = ("ping", *LISTS, "server/discover", "initialize", "tools/call", "logging/setLevel", "nonsense")
VERSIONS: tuple[object, ...] = (*HANDSHAKE_PROTOCOL_VERSIONS, MODERN, "1999-01-01", "", None)
MORE: tuple[dict[str, object], ...] = (
    {},
    {"extra": 1},
    {"clientInfo": None},
    {"clientInfo": []},
    {"clientInfo": {"name": "x"}},
    {"clientInfo": {"name": 1, "version": "1"}},
    {"clientInfo": {**CLIENT, "title": "T"}},
    {"clientInfo": {**CLIENT, "extra": "T"}},
)


def hello(version: object, capabilities: object, more: dict[str, object]) -> bytes:
    given = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": CLIENT, **more}
    return message("initialize", given, id=1)


IDS = st.sampled_from([0, 1, 2, 3, "1", "", "a", "\x7f", "ä", 2**31, 2**31 - 1, -1, None, 1.5, True])
HELLOS = st.builds(
    lambda number, version, capabilities, more: message(
        "initialize",
        {"protocolVersion": version, "capabilities": capabilities, "clientInfo": CLIENT, **more},
        id=number,
    ),
    IDS,
    st.sampled_from([*HANDSHAKE_PROTOCOL_VERSIONS, MODERN, "1999-01-01", "", None]),
    st.sampled_from(CAPABILITIES),
    st.sampled_from([{}, {}, {"extra": 1}, {"clientInfo": None}, {"clientInfo": {**CLIENT, "title": "T"}}]),
)
REQUESTS = st.builds(
    lambda number, method, params: message(method, params, id=number),
    IDS,
    st.sampled_from(METHODS),
    st.sampled_from(PARAMS),
)
GOOD = st.builds(
    lambda number, method: message(method, id=number), st.integers(10, 99), st.sampled_from(["ping", *LISTS])
)
MODERNS = st.builds(
    lambda number, method, version, more: message(method, envelope(version, **more), id=number),
    st.integers(10, 99),
    st.sampled_from(["server/discover", *LISTS, "ping"]),
    st.sampled_from([MODERN, MODERN, MODERN, "2025-11-25", "x"]),
    st.sampled_from([{}, {}, {"cursor": None}, {"extra": 1}]),
)
NOTED = (
    message("notifications/initialized"),
    message("notifications/initialized", {}),
    message("notifications/initialized", None),
    message("notifications/cancelled", {"requestId": 1}),
    message("notifications/nonsense"),
)
ODD = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"p\\u0069ng"}',
    b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","x":null}',
    b'{"jsonrpc":"2.0","id":7,"result":{}}',
    b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}',
    b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping"}\r',
    b' \t{ "jsonrpc" : "2.0", "id" : -0, "method" : "ping" } ',
    b'{"jsonrpc":"2.0","id":01,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1e0,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping"}{}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"a":1,"a":2}}}',
    b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b"[" * 3000 + b"]" * 3000 + b"}",
    b'\xff{"jsonrpc":"2.0","id":1,"method":"ping"}',
)
NOTES, RAW = st.sampled_from(NOTED), st.sampled_from(ODD)
USUAL = st.sampled_from([message("notifications/initialized")])
FIRST = st.builds(
    lambda version: message("initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT}, id=1),
    st.sampled_from(HANDSHAKE_PROTOCOL_VERSIONS),
)
REST = st.lists(st.one_of(GOOD, GOOD, GOOD, REQUESTS, NOTES, RAW, MODERNS, HELLOS), max_size=6)
SESSIONS = st.one_of(
    st.builds(lambda first, note, rest: [first, note, *rest], FIRST, USUAL, REST),
    st.builds(lambda first, rest: [first, *rest], HELLOS, REST),
    st.builds(lambda first, more, rest: [first, *more, *rest], MODERNS, st.lists(MODERNS, max_size=4), REST),
    REST,
)


Both = Callable[[list[bytes]], tuple[list[Any], list[Any]]]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """What one server sends for lines without the front, and what both send together."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(a_server(tmp_path_factory.mktemp("front"))) as server,
    ):

        def asked(lines: list[bytes]) -> tuple[list[Any], list[Any]]:
            alone = portal.call(served, server, lines, None)
            sent, left, handed = fronted(lines)
            return alone, sent + portal.call(served, server, left, handed)

        yield asked


BEGUN: dict[str, list[bytes]] = {
    "nothing": [],
    "a greeting": [hello("2025-11-25", {}, {})],
    "a session": [hello("2025-11-25", {}, {}), message("notifications/initialized")],
    "the other era": [message("server/discover", envelope(), id=0)],
}
ENVELOPES: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("clientInfo", (None, [], {}, {"name": "x"}, {"name": 1, "version": "1"}, {**CLIENT, "extra": 1})),
    ("clientCapabilities", (None, [], 1, {"x": 1}, {"elicitation": None}, {"roots": {"listChanged": "x"}})),
    ("protocolVersion", (None, 1, "", "x")),
    ("other", (None, 1)),
)
TRIED = [
    *(message(method, params, id=7) for method in METHODS for params in PARAMS),
    *(
        message(method, envelope(version, **more), id=7)
        for method in ("ping", *LISTS)
        for version in (MODERN, "2025-11-25")
        for more in ({}, {"cursor": None}, {"extra": 1})
    ),
    *(
        message("tools/list", {"_meta": {**envelope()["_meta"], f"{META}{field}": value}}, id=7)
        for field, values in ENVELOPES
        for value in values
    ),
    *(hello(version, {}, {}) for version in VERSIONS),
    *(
        hello(version, capabilities, more)
        for version in ("2025-11-25", MODERN)
        for capabilities in CAPABILITIES
        for more in MORE
    ),
    *NOTED,
    *ODD,
]


@pytest.mark.parametrize("begun", BEGUN)
def test_every_message_is_answered_the_same_wherever_it_comes(both: Both, begun: str) -> None:
    for line in TRIED:
        alone, together = both([*BEGUN[begun], line, message("ping", id=8)])
        assert sorted(map(canonical, together)) == sorted(map(canonical, alone)), line


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(lines=SESSIONS)
def test_any_session_gets_the_same_messages_with_and_without(both: Both, lines: list[bytes]) -> None:
    alone, together = both(lines)
    assert sorted(map(canonical, together)) == sorted(map(canonical, alone))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(lines=SESSIONS, cuts=st.lists(st.integers(1, 400), max_size=12))
def test_where_the_bytes_are_cut_changes_nothing(lines: list[bytes], cuts: list[int]) -> None:
    data, sent = b"".join(line + b"\n" for line in lines), b""
    front, whole = Front(ANSWERS), Front(ANSWERS)
    whole.ahead = data
    expected = b"".join(whole.answers())
    rest = data
    for size in [*cuts, len(data)]:
        front.ahead, rest = front.ahead + rest[:size], rest[size:]
        sent += b"".join(front.answers())
    assert (sent, front.is_done, front.handed()) == (expected, whole.is_done, whole.handed())


@pytest.mark.parametrize("tail", [b'{"jsonrpc":"2.0","id":5,"method":"ping"}', b"x" * 70_000, b" " * 70_000])
def test_a_line_without_an_end_waits_and_a_huge_one_is_the_servers(tail: bytes) -> None:
    front = Front(ANSWERS)
    front.ahead = HELLO + tail
    assert len([*front.answers()]) == 1
    assert front.ahead == tail
    assert front.is_done is (len(tail) > 64 * 1024)


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True)


class Started:
    """The server's process."""

    def __init__(self, *arguments: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "admin_mcp", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment(**env)},
        )

    def say(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def heard(self, count: int) -> dict[object, Any]:
        assert self.process.stdout
        answers = [json.loads(self.process.stdout.readline()) for _ in range(count)]
        return {answer["id"]: answer for answer in answers}


HELLO = message("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}, id=0) + b"\n"
INITIALIZED = message("notifications/initialized") + b"\n"
LIST = message("tools/list", id=1) + b"\n"
CALL = message("tools/call", {"name": "list_roles", "arguments": {}}, id=2) + b"\n"


@pytest.mark.parametrize(
    "pieces", [[HELLO + INITIALIZED + LIST + CALL], [HELLO, INITIALIZED + LIST, CALL[:30], CALL[30:]]]
)
def test_a_call_goes_to_the_server_however_the_bytes_arrive(pieces: list[bytes]) -> None:
    heard = []
    for front in ("0", "1"):
        started = Started("--sandbox", ADMIN_MCP_FRONT=front)
        for piece in pieces:
            started.say(piece)
        answers = started.heard(3)
        _, stderr = started.process.communicate(timeout=30)
        heard.append((answers, stderr, started.process.returncode))
    assert heard[0] == heard[1]
    assert heard[0][2] == 0


@pytest.mark.parametrize("env", [{}, {"OPENAI_ADMIN_KEY": KEY}, {"OPENAI_ADMIN_KEY": "a b"}, {"ADMIN_MCP_X": "1"}])
def test_the_start_and_the_end_are_the_same(env: dict[str, str]) -> None:
    ends = []
    for front in ("0", "1"):
        started = Started(ADMIN_MCP_FRONT=front, **env)
        _, stderr = started.process.communicate(timeout=30)
        ends.append((stderr, started.process.returncode))
    assert ends[0] == ends[1]


@needs_posix_processes
@pytest.mark.parametrize("number", [2, 15])
def test_a_signal_ends_it_as_it_ends_the_server(number: int) -> None:
    for front in ("0", "1"):
        started = Started("--sandbox", ADMIN_MCP_FRONT=front)
        started.say(HELLO)
        started.heard(1)
        started.process.send_signal(number)
        started.process.communicate(timeout=30)
        assert started.process.returncode == 128 + number


def test_what_a_host_asks_at_the_start_loads_neither_the_sdk_nor_what_it_needs() -> None:
    """The process tells what it has imported as it ends: the modules that cost time are not among them."""
    asked = HELLO + INITIALIZED + b"".join(message(method, id=n) + b"\n" for n, method in enumerate(LISTS, 1))
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "admin_mcp", "--sandbox"],
        input=asked,
        capture_output=True,
        env={**os.environ, **environment()},
        check=True,
    )
    assert [json.loads(line)["id"] for line in process.stdout.splitlines()] == [0, 1, 2, 3, 4]
    imported = {line.rpartition("|")[2].strip() for line in process.stderr.decode().splitlines() if "|" in line}
    assert "admin_mcp.server.front" in imported
    heavy = {
        "mcp",
        "mcp_types",
        "pydantic",
        "pydantic_core",
        "anyio",
        "click",
        "httpx",
        "sqlite3",
        "asyncio",
        "pathlib",
    }
    assert not heavy & imported


def test_a_client_that_sends_all_it_has_before_it_reads_is_answered() -> None:
    """What it sends is more than fits into the pipe, and so is the first answer."""
    started = Started("--sandbox")
    started.say(HELLO + INITIALIZED + LIST)
    for number in range(2, 4002):
        started.say(message("ping", id=number) + b"\n")
    assert started.heard(4002).keys() == set(range(4002))
    started.process.communicate(timeout=30)
    assert started.process.returncode == 0


@needs_posix_processes
@pytest.mark.parametrize("front", ["0", "1"])
@pytest.mark.parametrize("more", [b"", b"{", b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"x"}}\n'])
def test_a_client_that_goes_without_reading_the_answer_ends_it_quietly(tmp_path: Path, front: str, more: bytes) -> None:
    ours, theirs = socket.socketpair()
    env = environment(ADMIN_MCP_FRONT=front, ADMIN_MCP_STATE_DIR=str(tmp_path / "state"))
    words = [sys.executable, "-m", "admin_mcp", "--sandbox"]
    with theirs:
        process = subprocess.Popen(
            words, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.PIPE, env={**os.environ, **env}
        )
    with ours:
        params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": CLIENT}
        greeting = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        ours.sendall(json.dumps(greeting).encode() + b"\n" + more)
        assert select.select([ours], [], [], 30)[0]
    _, said = process.communicate(timeout=30)
    assert (process.returncode, b"Traceback" in said) == (0, False), said
