"""The client against a real server that misbehaves: reads recover or say why, changes leave at most once."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import anyio
import mcp_types as types
import pytest
from pydantic import SecretStr

from admin_mcp.api import client as client_module
from admin_mcp.api.client import Client
from admin_mcp.api.permits import Permits
from admin_mcp.api.request import WireRequest
from admin_mcp.api.response import Expectation, read_answer
from admin_mcp.errors import (
    ApiError,
    CallError,
    CallTimeout,
    Conflict,
    NetworkError,
    OutcomeUnknown,
    RateLimited,
)
from admin_mcp.settings import Target
from tests.misbehaving import FAULTS, GOOD, Misbehaving, Step, answer, keep_silent, ok, say
from tests.sessions import APPROVE, ERAS, KEY, session

pytestmark = pytest.mark.anyio

READ = WireRequest("GET", "/organization/roles")
CHANGE = WireRequest("POST", "/organization/roles", body='{"name":"x"}')
TARGET = Target("the test system", "test")


def drip(connection: socket.socket) -> None:
    """Begin an answer, and go on with it for ever, a byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n")
    try:
        while True:
            connection.sendall(b" ")
            if gone.wait(0.05):
                return
    except OSError:
        return


gone = threading.Event()


@pytest.fixture
def misbehaving() -> Iterator[Callable[..., Misbehaving]]:
    made: list[Misbehaving] = []

    def new(*steps: Step) -> Misbehaving:
        made.append(Misbehaving(*steps))
        return made[-1]

    gone.clear()
    yield new
    gone.set()
    for server in made:
        server.end()


class Caller:
    """Sends through the real client, with waits between tries that are noted and not waited."""

    def __init__(self, port: int) -> None:
        self.permits = Permits()
        self.waits: list[float] = []
        self.client = Client(
            base_url=f"http://127.0.0.1:{port}/v1",
            key=SecretStr(KEY),
            target=TARGET,
            permits=self.permits,
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def __call__(self, wire: WireRequest) -> Any:
        permit = self.permits.issue(wire.digest(TARGET.system)) if wire.mutates else None
        given = await self.client.send(wire, permit, verify="Look first.")
        return read_answer(given, Expectation(mutates=wire.mutates, verify="Look first."))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the total time limit be short enough to wait for."""
    monkeypatch.setattr(client_module, "TOTAL_SECONDS", 0.6)


METHODS = {"GET": READ, "POST": CHANGE, "DELETE": WireRequest("DELETE", "/organization/roles/role_1")}


async def kind_of(caller: Caller, wire: WireRequest) -> str | None:
    """Return the kind of error a request ends with, once it is sure that the error can be told."""
    try:
        await caller(wire)
    except CallError as error:
        failure = error
    else:
        return None
    assert json.dumps(failure.as_object(), ensure_ascii=False).encode("utf-8")
    assert failure.hint
    return failure.kind


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_ends_with_its_kind_reaches_the_api_as_often_as_it_may_and_spoils_nothing(
    name: str, method: str, misbehaving: Callable[..., Misbehaving]
) -> None:
    fault, wire = FAULTS[name], METHODS[method]
    expected = fault.change if wire.mutates else fault.read
    server = misbehaving(*[fault.step] * (1 if wire.mutates else fault.reads))
    caller = Caller(server.port)
    async with caller.client:
        kind = await kind_of(caller, wire)
        assert (kind, len(server.requests)) == (expected, 1 if wire.mutates else fault.reads)
        assert await caller(READ) == {"id": "x"}
        assert await caller(CHANGE) == {"id": "x"}


def told(result: types.CallToolResult) -> str | None:
    assert result.structured_content
    return result.structured_content["error"]["kind"] if result.is_error else None


@pytest.mark.parametrize("era", ERAS)
async def test_no_fault_ends_the_session(era: str, misbehaving: Callable[..., Misbehaving]) -> None:
    """The table once more, through the process. Reads that are tried three times would wait, and are left out."""
    server = misbehaving()
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": f"http://127.0.0.1:{server.port}/v1"}
    async with session(era, "--approval", "none", env=env) as running:
        for name, fault in FAULTS.items():
            server.steps += [ok(b'{"id": "x"}'), fault.step]  # what the change replaces is read first
            changed = await running.client.call_tool("update_role", {"role_id": "role_1", "description": "new"})
            assert told(changed) == fault.change, name
            if fault.reads == 1:
                server.steps.append(fault.step)
                assert told(await running.client.call_tool("get_role", {"role_id": "role_1"})) == fault.read, name
            assert await running.call("get_role", role_id="role_1") == {"id": "x"}, name
    assert server.changes == len(FAULTS)


async def test_a_second_answer_behind_a_reads_is_not_taken_for_a_changes(
    misbehaving: Callable[..., Misbehaving],
) -> None:
    server = misbehaving(say(GOOD, GOOD.replace(b"x", b"!")), answer("409 No"))
    caller = Caller(server.port)
    async with caller.client:
        assert await caller(READ) == {"id": "x"}
        with pytest.raises(Conflict):
            await caller(CHANGE)
    assert server.changes == 1


async def test_each_change_has_a_connection_of_its_own_and_says_so(misbehaving: Callable[..., Misbehaving]) -> None:
    server = misbehaving(*[say(GOOD, GOOD.replace(b"x", b"!"))] * 4)
    caller = Caller(server.port)
    async with caller.client:
        for _ in range(4):
            assert await caller(CHANGE) == {"id": "x"}
    assert server.connections == 4


@pytest.mark.parametrize("era", ERAS)
async def test_a_second_answer_behind_a_reads_is_not_shown_to_the_person(
    era: str, misbehaving: Callable[..., Misbehaving]
) -> None:
    role = ok(b'{"id": "role_1", "name": "Support"}')
    server = misbehaving(say(GOOD, GOOD.replace(b"x", b"!")), role, role)
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": f"http://127.0.0.1:{server.port}/v1"}
    async with session(era, env=env, answers=[APPROVE]) as running:
        await running.call("get_role", role_id="role_1")
        await running.call("update_role", role_id="role_1", description="new")
        assert "Support" in running.asked[0].message
    assert [request.split()[0] for request in server.requests] == ["GET", "GET", "GET", "POST"]


async def test_reads_share_a_connection(misbehaving: Callable[..., Misbehaving]) -> None:
    server = misbehaving()
    caller = Caller(server.port)
    async with caller.client:
        for _ in range(4):
            await caller(READ)
    assert server.connections == 1


BROKEN = [name for name, fault in FAULTS.items() if fault.reads == 3 and fault.change == "outcome_unknown"]


@pytest.mark.parametrize("name", BROKEN)
async def test_a_read_recovers_from_two_failures_in_a_row(name: str, misbehaving: Callable[..., Misbehaving]) -> None:
    server = misbehaving(*[FAULTS[name].step] * 2)
    caller = Caller(server.port)
    async with caller.client:
        assert await caller(READ) == {"id": "x"}
    assert len(server.requests) == 3
    assert len(caller.waits) == 2


@pytest.mark.parametrize("name", BROKEN)
async def test_a_read_that_fails_three_times_says_so(name: str, misbehaving: Callable[..., Misbehaving]) -> None:
    server = misbehaving(*[FAULTS[name].step] * 5)
    caller = Caller(server.port)
    async with caller.client:
        with pytest.raises((NetworkError, ApiError)) as caught:
            await caller(READ)
    assert len(server.requests) == 3
    assert caught.value.hint
    assert KEY not in str(caught.value.as_object())


@pytest.mark.parametrize("name", BROKEN)
async def test_a_change_meets_the_same_once_and_its_outcome_is_unknown(
    name: str, misbehaving: Callable[..., Misbehaving]
) -> None:
    server = misbehaving(FAULTS[name].step)
    caller = Caller(server.port)
    async with caller.client:
        with pytest.raises(OutcomeUnknown, match=r"may or may not|unclear|failed") as caught:
            await caller(CHANGE)
    assert server.changes == 1
    assert caught.value.hint == "Look first."


async def test_a_refused_connection_is_said_for_reads_and_changes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    caller = Caller(port)
    async with caller.client:
        for wire in (READ, CHANGE):
            with pytest.raises(NetworkError, match="nothing was sent"):
                await caller(wire)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("step", [keep_silent, drip], ids=["slow head", "slow body"])
async def test_slowness_ends_with_the_time_limit(step: Step, misbehaving: Callable[..., Misbehaving]) -> None:
    server = misbehaving(step, step, step, step)
    caller = Caller(server.port)
    async with caller.client:
        with anyio.fail_after(10):
            with pytest.raises((CallTimeout, NetworkError)):
                await caller(READ)
            before = server.changes
            with pytest.raises(OutcomeUnknown):
                await caller(CHANGE)
    assert (before, server.changes) == (0, 1)


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_a_429_is_waited_out_as_asked_for_reads_and_changes(
    form: str, misbehaving: Callable[..., Misbehaving]
) -> None:
    for wire in (READ, CHANGE):
        when = "3" if form == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
        server = misbehaving(answer("429 Slow", b"{}", f"retry-after: {when}"))
        caller = Caller(server.port)
        async with caller.client:
            assert await caller(wire) == {"id": "x"}
        assert caller.waits == [pytest.approx(3, abs=1.1)]


async def test_a_429_that_stays_is_said(misbehaving: Callable[..., Misbehaving]) -> None:
    for wire in (READ, CHANGE):
        server = misbehaving(*[answer("429 Slow")] * 5)
        caller = Caller(server.port)
        async with caller.client:
            with pytest.raises(RateLimited):
                await caller(wire)
        assert len(server.requests) == 3


async def test_a_redirect_is_not_followed(misbehaving: Callable[..., Misbehaving]) -> None:
    elsewhere = misbehaving()
    for status in ("301 Moved", "302 Found", "307 Temporary", "308 Permanent"):
        for wire in (READ, CHANGE):
            server = misbehaving(answer(status, b"", f"location: http://127.0.0.1:{elsewhere.port}/v1/x"))
            caller = Caller(server.port)
            async with caller.client:
                with pytest.raises(CallError):
                    await caller(wire)
    assert elsewhere.requests == []


async def test_a_wrong_content_type_does_not_spoil_a_good_body(misbehaving: Callable[..., Misbehaving]) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=latin-1\r\ncontent-length: 11\r\n\r\n"
    caller = Caller(misbehaving(say(head, b'{"id": "x"}')).port)
    async with caller.client:
        assert await caller(READ) == {"id": "x"}


async def test_a_connection_closed_between_calls_costs_nothing(misbehaving: Callable[..., Misbehaving]) -> None:
    """A server may close a kept connection whenever it likes; the next read and the next change go through."""

    def good_then_close(connection: socket.socket) -> None:
        connection.sendall(GOOD)
        connection.close()

    server = misbehaving(*[good_then_close] * 6)
    caller = Caller(server.port)
    async with caller.client:
        for _ in range(3):
            assert await caller(READ) == {"id": "x"}
            await anyio.sleep(0.05)  # so that the end of the connection has arrived
            assert await caller(CHANGE) == {"id": "x"}
            await anyio.sleep(0.05)
    assert server.changes == 3


async def test_two_hundred_calls_at_once_share_the_pool_and_all_come_back(
    misbehaving: Callable[..., Misbehaving],
) -> None:
    server = misbehaving()
    caller = Caller(server.port)
    answers: list[Any] = []

    async def call() -> None:
        answers.append(await caller(READ))

    async with caller.client, anyio.create_task_group() as group:
        for _ in range(200):
            group.start_soon(call)
    assert answers == [{"id": "x"}] * 200


async def test_a_cancelled_call_closes_its_connection(misbehaving: Callable[..., Misbehaving]) -> None:
    ended = threading.Event()

    def wait_for_the_end(connection: socket.socket) -> None:
        keep_silent(connection)
        ended.set()

    server = misbehaving(wait_for_the_end)
    caller = Caller(server.port)
    async with caller.client:
        with anyio.move_on_after(0.2):
            await caller(READ)
        assert await anyio.to_thread.run_sync(ended.wait, 5)
        assert await caller(READ) == {"id": "x"}
