"""Many servers, as real processes, on one state directory or one key: all is recorded, and an owner stays.

``make soak`` runs the long form; MANY_SERVERS says how many there are.
"""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.storage import GateStorage, open_storage
from admin_mcp.settings import Settings
from tests.recorder import Canned, Recorded, Recorder
from tests.sessions import KEY, environment

SERVERS = int(os.environ.get("MANY_SERVERS", "8"))
CHANGES = 12
"""How many each server makes at once. Of those that ask, all of them together leave no more open than may wait."""

ROUNDS = 20
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "many", "version": "1"}}


class Server:
    """A server over stdio that is sent many calls without waiting for an answer."""

    def __init__(self, *arguments: str, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "admin_mcp", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **environment(**env)},
        )
        self._stdin = cast("IO[bytes]", self.process.stdin)
        self._stdout = cast("IO[bytes]", self.process.stdout)
        self._id = 0
        self._send("initialize", HELLO)

    def ready(self) -> None:
        self._stdout.readline()
        self._stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')

    def call(self, tool: str, **arguments: Any) -> None:
        self._send("tools/call", {"name": tool, "arguments": arguments})

    def answers(self, number: int) -> list[dict[str, Any]]:
        self._stdin.flush()
        return [json.loads(self._stdout.readline())["result"]["structuredContent"] for _ in range(number)]

    def end(self) -> None:
        self._stdin.close()
        assert self.process.wait(timeout=60) == 0
        self._stdout.close()

    def _send(self, method: str, params: dict[str, Any]) -> None:
        self._id += 1
        message = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}
        self._stdin.write(json.dumps(message).encode() + b"\n")
        self._stdin.flush()


@contextmanager
def running(recorder: Recorder, *each: tuple[str, Path]) -> Iterator[list[Server]]:
    """Start a server for each way of asking and state directory."""
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url, "ADMIN_MCP_APPROVAL_WAIT": "60"}
    with ExitStack() as stack:
        servers = []
        for approval, directory in each:
            server = Server("--approval", approval, "--state-dir", str(directory), env=env)
            stack.callback(server.process.kill)
            servers.append(server)
        for server in servers:
            server.ready()
        yield servers
        for server in servers:
            server.end()


def approve_all(kept: GateStorage, wanted: int) -> None:
    """Do what a person at this machine does, until so many questions are decided."""
    decided: set[str] = set()
    while len(decided) < wanted:
        for approval in kept.approvals.all():
            if approval.state == "pending":
                kept.approvals.apply(approval.id, "approve", via="terminal")
                decided.add(approval.id)


def test_every_change_of_many_servers_on_one_directory_is_recorded_with_its_outcome(
    recorder: Recorder, tmp_path: Path
) -> None:
    kept = open_storage(Settings(state_dir=tmp_path / "state"))
    kept.database._busy = 60
    asked = max(1, SERVERS // 8)
    ways = ["local"] * asked + ["none"] * (SERVERS - asked)
    each = {"local": traits("local").most_open // asked, "none": CHANGES}
    with running(recorder, *((way, tmp_path / "state") for way in ways)) as servers:
        for server_number, (server, way) in enumerate(zip(servers, ways, strict=True)):
            for number in range(each[way]):
                server.call("update_role", role_id="role_1", description=f"{server_number}-{number}")
        person = threading.Thread(target=approve_all, args=(kept, asked * each["local"]), daemon=True)
        person.start()
        answers = [answer for server, way in zip(servers, ways, strict=True) for answer in server.answers(each[way])]
    refused = [answer["error"] for answer in answers if "error" in answer]
    assert all("is busy" in error["message"] and error["retryable"] for error in refused), refused
    records = kept.journal.records()
    sending = [record.change for record in records if record.kind == "sending"]
    outcomes = [record for record in records if record.kind == "outcome"]
    assert len(recorder.changes) == len(sending) == len(answers) - len(refused)
    assert Counter(sending) == Counter(record.change for record in outcomes)
    assert {record.fields["outcome"] for record in outcomes} <= {"done"}
    assert len(sending) == len(set(sending))
    assert kept.journal.verify() == (len(records), None)


class Owners:
    """An API with two owners and a member, which takes a while to remove one."""

    def __init__(self) -> None:
        self.users: dict[str, str] = {}
        self.reset()

    def reset(self) -> None:
        self.users = {"user_1": "owner", "user_2": "owner", "user_3": "reader"}

    def __call__(self, request: Recorded) -> Canned:
        user = request.path.rpartition("/")[2]
        if user == "users":
            return Canned(body={"data": [self._shown(each) for each in self.users], "has_more": False})
        if user not in self.users:
            return Canned(status=404, body={"error": {"message": "no such user"}})
        if request.method == "DELETE":
            threading.Event().wait(0.03)  # the slowness of the API is what leaves room for the other server
            del self.users[user]
            return Canned(body={"id": user, "deleted": True})
        return Canned(body=self._shown(user))

    def _shown(self, user: str) -> dict[str, str]:
        return {"id": user, "role": self.users.get(user, "gone")}


def test_two_servers_with_directories_of_their_own_never_remove_both_owners(recorder: Recorder, tmp_path: Path) -> None:
    owners = Owners()
    recorder.reply = owners
    with running(recorder, ("none", tmp_path / "one"), ("none", tmp_path / "two")) as (first, second):
        for number in range(ROUNDS):
            owners.reset()
            first.call("delete_user", user_id="user_1")
            second.call("delete_user", user_id="user_2")
            # A third call in a process must not let go of the lock that another call there holds.
            (first, second)[number % 2].call("delete_user", user_id="user_3")
            answers = [
                *first.answers(2 if number % 2 == 0 else 1),
                *second.answers(1 if number % 2 == 0 else 2),
            ]
            left = [user for user, role in owners.users.items() if role == "owner"]
            assert len(left) == 1, (number, answers)
            assert sum("error" in answer for answer in answers) == 1, (number, answers)
