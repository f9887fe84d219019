"""What answers before the server is loaded gives the server's answers, and the server goes on where it stopped."""

import json
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
from tests.server.front_messages import (
    BEGUN,
    CAPABILITIES,
    CLIENT,
    HELLO,
    KNOWN,
    LISTS,
    METHODS,
    NOTED,
    ODD,
    PARAMS,
    TRIED,
    UNKNOWN,
    envelope,
    message,
)

ANSWERS = json.loads(Path(ANSWERS_JSON).read_text("utf-8"))


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


@pytest.mark.parametrize("version", HANDSHAKE_PROTOCOL_VERSIONS)
@pytest.mark.parametrize("number", [0, 2**31 - 1, "", "a"])
def test_what_hosts_ask_at_the_start_is_all_answered(version: str, number: int | str) -> None:
    asked = [message(method, params, id=number) for method in ("ping", *LISTS) for params in PARAMS[:3]]
    for capabilities in KNOWN:
        for client in (CLIENT, {**CLIENT, "title": "T"}):
            hello = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": client}
            lines = [message("initialize", hello, id=number), message("notifications/initialized"), *asked]
            sent, left, handed = fronted(lines)
            assert (len(sent), left) == (len(lines) - 1, [])
            assert handed == Handed([line + b"\n" for line in lines[:2]], [number], b"")


@pytest.mark.parametrize("capabilities", KNOWN)
def test_what_hosts_of_the_other_era_ask_is_all_answered(capabilities: object) -> None:
    meta = {**envelope()["_meta"], f"{META}clientCapabilities": capabilities}
    lines = [message(method, {"_meta": meta}, id=1) for method in ("server/discover", *LISTS, "server/discover")]
    sent, left, handed = fronted(lines)
    assert (len(sent), left) == (len(lines), [])
    assert handed == Handed([lines[0] + b"\n"], [1], b"")


@pytest.mark.parametrize("begun", UNKNOWN)
def test_what_is_not_known_to_its_last_field_is_left_to_the_server(begun: str) -> None:
    for line in UNKNOWN[begun]:
        assert fronted([*BEGUN[begun], line])[1] == [line]


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


@pytest.mark.parametrize(
    "tail", [b'{"jsonrpc":"2.0","id":5,"method":"ping"}', b"x" * 70_000, b" " * 65_536, b" " * 65_537]
)
def test_a_line_without_an_end_waits_and_a_huge_one_is_the_servers(tail: bytes) -> None:
    front = Front(ANSWERS)
    front.ahead = HELLO + tail
    assert len([*front.answers()]) == 1
    assert front.ahead == tail
    assert front.is_done is (len(tail) > 64 * 1024)


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True)
