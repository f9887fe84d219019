"""Many calls at once, calls that are cancelled, clients that vanish, and clients that do not read."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

import anyio
import pytest
from anyio import to_thread

from admin_mcp.gate.storage import GateStorage, open_storage
from admin_mcp.settings import Settings
from tests.misbehaving import Misbehaving, keep_silent
from tests.platforms import needs_proc
from tests.recorder import Canned, Recorded, Recorder
from tests.sessions import APPROVE, KEY, LEGACY, MODERN, environment, session

pytestmark = pytest.mark.anyio

UPDATE = {"role_id": "role_1", "description": "new"}
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}


def api(recorder: Recorder) -> dict[str, str]:
    return {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url}


class Raw:
    """The server process and its pipes, initialized."""

    def __init__(self, env: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "admin_mcp", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **environment(**env)},
        )
        self.stdin = cast("IO[bytes]", self.process.stdin)
        self.stdout = cast("IO[bytes]", self.process.stdout)
        self.send({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO})
        self.stdout.readline()
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message: dict[str, Any]) -> None:
        self.stdin.write(json.dumps(message).encode() + b"\n")
        self.stdin.flush()

    def call(self, number: int, name: str, arguments: dict[str, Any]) -> None:
        params = {"name": name, "arguments": arguments}
        self.send({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})

    def end(self) -> int:
        self.stdin.close()
        code = self.process.wait(timeout=30)
        self.stdout.close()
        return code


@pytest.mark.parametrize("era", [LEGACY, MODERN])
async def test_a_change_gets_through_while_two_hundred_reads_are_in_flight(era: str, recorder: Recorder) -> None:
    release = threading.Event()

    def reply(request: Recorded) -> Canned:
        if request.path.endswith("/users"):
            release.wait(20)
        return Canned(body={"id": "role_1", "name": "Support", "data": []})

    recorder.reply = reply
    async with session(era, env=api(recorder), answers=[APPROVE]) as running, anyio.create_task_group() as group:
        for _ in range(15):  # fewer than the pool has connections: these wait for the API
            group.start_soon(partial(running.call, "list_users"))
        for _ in range(185):
            group.start_soon(partial(running.call, "list_roles"))
        with anyio.fail_after(60):
            await running.call("update_role", **UPDATE)
        release.set()
    assert len(recorder.changes) == 1
    assert len(recorder.requests) == 200 + 3  # and the change, with the two reads of its preview and re-check


async def test_cancelling_a_call_closes_its_connection_to_the_api() -> None:
    arrived, ended = threading.Event(), threading.Event()

    def wait_for_the_end(connection: socket.socket) -> None:
        arrived.set()
        keep_silent(connection)
        ended.set()

    server = Misbehaving(wait_for_the_end)
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": f"http://127.0.0.1:{server.port}/v1"}
    async with session(LEGACY, env=env) as running:
        async with anyio.create_task_group() as group:
            group.start_soon(partial(running.client.call_tool, "list_roles", {}))
            assert await to_thread.run_sync(arrived.wait, 20)
            group.cancel_scope.cancel()
        assert await to_thread.run_sync(ended.wait, 20)
        assert await running.call("list_roles") == {"id": "x"}
    server.end()


async def test_a_cancelled_change_that_was_sent_is_recorded_as_unknown_and_lets_its_lock_go(
    recorder: Recorder, tmp_path: Path
) -> None:
    arrived, release = threading.Event(), threading.Event()
    users = [{"id": "user_1", "role": "owner"}, {"id": "user_2", "role": "owner"}]

    def reply(request: Recorded) -> Canned:
        if request.changes and not arrived.is_set():
            arrived.set()
            release.wait(20)
        last = request.path.rpartition("/")[2]
        return Canned(body={"data": users, "has_more": False} if last == "users" else {"id": last, "role": "owner"})

    recorder.reply = reply
    kept = open_storage(Settings(state_dir=tmp_path / "state"))
    async with session(LEGACY, "--approval", "none", env=api(recorder)) as running:
        async with anyio.create_task_group() as group:
            group.start_soon(partial(running.client.call_tool, "delete_user", {"user_id": "user_1"}))
            assert await to_thread.run_sync(arrived.wait, 20)
            group.cancel_scope.cancel()
        assert await to_thread.run_sync(until, lambda: outcomes(kept) == ["outcome_unknown"])
        release.set()
        with anyio.fail_after(60):  # the owners' lock is free again, or this call could not get it
            await running.call("delete_user", user_id="user_2")
    assert outcomes(kept) == ["outcome_unknown", "done"]


def test_a_client_that_vanishes_while_a_change_is_sent_loses_no_record(recorder: Recorder, tmp_path: Path) -> None:
    arrived, release = recorder.hold_changes()
    raw = Raw(api(recorder), "--approval", "none")
    raw.call(1, "update_role", UPDATE)
    assert arrived.wait(20)
    assert raw.end() == 0
    release.set()
    kept = open_storage(Settings(state_dir=tmp_path / "state"))
    kept.settle()
    sent, outcome = kept.journal.records()
    assert (sent.kind, outcome.kind, outcome.fields["outcome"]) == ("sending", "outcome", "outcome_unknown")
    assert list((tmp_path / "state" / "run").glob("*.lock")) == []


@needs_proc
def test_a_client_that_does_not_read_makes_the_server_wait_and_not_grow(recorder: Recorder) -> None:
    """200 lists are 35 MB of answers, which must not pile up in the server."""
    raw = Raw(api(recorder))
    raw.send({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    raw.stdout.readline()
    before = memory(raw.process.pid)
    count = 200
    for number in range(count):
        raw.send({"jsonrpc": "2.0", "id": number + 2, "method": "tools/list"})
    settled, last = 0, -1.0
    deadline = time.monotonic() + 20
    while settled < 10 and time.monotonic() < deadline:
        now = memory(raw.process.pid)
        settled = settled + 1 if now == last else 0
        last = now
        time.sleep(0.05)
    grown = memory(raw.process.pid) - before
    ids = [json.loads(raw.stdout.readline())["id"] for _ in range(count)]
    assert sorted(ids) == [number + 2 for number in range(count)]
    assert grown < 15, f"{grown:.0f} MiB"
    assert raw.end() == 0


def outcomes(kept: GateStorage) -> list[str]:
    return [str(record.fields["outcome"]) for record in kept.journal.records() if record.kind == "outcome"]


def until(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait for something another process does."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def memory(pid: int) -> float:
    """Return resident memory in MiB."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
