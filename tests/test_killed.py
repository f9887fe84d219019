"""Killed with -9 at any point: nothing is ever sent twice, and no record is lost."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from admin_mcp.gate.storage import GateStorage, open_storage
from admin_mcp.settings import Settings
from tests.platforms import needs_posix_processes
from tests.recorder import Canned, Recorded, Recorder
from tests.sessions import KEY, LEGACY, environment, session

UPDATE = {"role_id": "role_1", "description": "new"}

pytestmark = [
    pytest.mark.anyio,
    needs_posix_processes,
]


class Killer:
    """A server whose process is killed when the recorder gets its n-th request, or right after it has answered."""

    def __init__(self, recorder: Recorder, directory: Path) -> None:
        self.recorder = recorder
        self.env = {
            "ADMIN_MCP_STATE_DIR": str(directory),
            "OPENAI_ADMIN_KEY": KEY,
            "OPENAI_BASE_URL": recorder.base_url,
        }

    def run(self, arguments: dict[str, Any], *, kill_at: int, approval: str = "none") -> None:
        """Make one call in a process of its own that dies at its n-th request."""
        seen = 0
        process: list[subprocess.Popen[bytes]] = []
        started = threading.Event()

        def reply(request: Recorded) -> Canned:
            nonlocal seen
            seen += 1
            if seen == kill_at:
                started.wait(20)
                process[0].send_signal(signal.SIGKILL)
                process[0].wait()
            del request
            return Canned()

        self.recorder.reply = reply
        call = (
            '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},'
            '"clientInfo":{"name":"t","version":"0"}}}\n{"jsonrpc":"2.0","method":"notifications/initialized"}\n'
        )
        params = {"name": "update_role", "arguments": arguments}
        call += json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}) + "\n"
        running = subprocess.Popen(
            [sys.executable, "-m", "admin_mcp", "--approval", approval],
            env={**os.environ, **environment(**self.env)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        process.append(running)
        started.set()
        assert running.stdin
        assert running.stdout
        running.stdin.write(call.encode())
        running.stdin.flush()
        while line := running.stdout.readline():
            if b'"id":1' in line:
                running.kill()
        running.wait()
        running.stdin.close()
        running.stdout.close()
        self.recorder.reply = lambda _: Canned()


def start(env: dict[str, str]) -> bytes:
    """Start a server whose input ends at once, and return what it says on stderr."""
    started = subprocess.run(
        [sys.executable, "-m", "admin_mcp"],
        env={**os.environ, **environment(**env)},
        input=b"",
        capture_output=True,
        check=True,
    )
    return started.stderr


def outcomes(kept: GateStorage) -> list[str]:
    return [str(record.fields["outcome"]) for record in kept.journal.records() if record.kind == "outcome"]


def test_killed_while_sending_the_next_start_reports_it_as_unknown(recorder: Recorder, tmp_path: Path) -> None:
    killer = Killer(recorder, tmp_path / "state")
    killer.run(UPDATE, kill_at=2)  # the first request reads what the change replaces
    kept = open_storage(Settings(state_dir=tmp_path / "state"))
    assert [record.kind for record in kept.journal.records()] == ["sending"]
    assert b"outcome_unknown: update_role, POST /organization/roles/role_1" in start(killer.env)
    assert outcomes(kept) == ["outcome_unknown"]
    assert kept.journal.verify() == (2, None)
    assert b"outcome_unknown" not in start(killer.env)
    assert len(recorder.changes) == 1


async def test_killed_at_each_request_of_an_approved_change_it_is_sent_at_most_once(
    recorder: Recorder, tmp_path: Path
) -> None:
    """The requests are: the preview's read, the re-check's, then the change."""
    for kill_at in (1, 2, 3):
        directory = tmp_path / f"state-{kill_at}"
        killer = Killer(recorder, directory)
        env = {**killer.env, "ADMIN_MCP_STATE_DIR": str(directory)}
        kept = open_storage(Settings(state_dir=directory))
        recorder.requests.clear()
        async with session(LEGACY, env=env, answers=None) as running:
            await running.error("update_role", **UPDATE)
        (approval,) = kept.approvals.all()
        kept.approvals.apply(approval.id, "approve")
        killer.run(UPDATE, kill_at=kill_at, approval="local")
        sent_before = len(recorder.changes)
        assert sent_before == (1 if kill_at == 3 else 0)
        async with session(LEGACY, env=env, answers=None) as running:
            if kill_at < 3:
                # It died before the approval was used, so the approval still serves, once.
                await running.call("update_role", **UPDATE)
            assert (await running.error("update_role", **UPDATE))["kind"] == "approval_pending"
        assert len(recorder.changes) == 1
        assert outcomes(kept) == (["done"] if kill_at < 3 else ["outcome_unknown"])
        assert kept.journal.verify()[1] is None


async def test_a_change_that_a_living_process_is_sending_is_not_settled_by_another(
    recorder: Recorder, tmp_path: Path
) -> None:
    kept = open_storage(Settings(state_dir=tmp_path / "state"))
    others: list[bytes] = []

    def reply(request: Recorded) -> Canned:
        if request.changes:
            others.append(start({"ADMIN_MCP_STATE_DIR": str(tmp_path / "state")}))
        return Canned()

    recorder.reply = reply
    env = {
        "ADMIN_MCP_STATE_DIR": str(tmp_path / "state"),
        "OPENAI_ADMIN_KEY": KEY,
        "OPENAI_BASE_URL": recorder.base_url,
    }
    async with session(LEGACY, "--approval", "none", env=env) as running:
        await running.call("update_role", **UPDATE)
    assert len(others) == 1
    assert b"outcome_unknown" not in others[0]
    assert outcomes(kept) == ["done"]
