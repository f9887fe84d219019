"""Many mixed calls in one process: memory, files and threads stay as they were, and the slowest calls get no slower.

``make soak`` runs the long form; the number of calls is in SOAK_CALLS.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from admin_mcp.tools.definitions import every_definition
from tests.platforms import needs_proc
from tests.sandbox.serving import served
from tests.sessions import environment

CALLS = int(os.environ.get("SOAK_CALLS", "2000"))
QUARTER = CALLS // 4
MOST_GROWTH_MIB = 3.0
IDLE_THREADS = 2
"""How many threads may wait for work, or have stopped waiting, when one happens to look."""

P99_FACTOR = 3.0
P99_SLACK_SECONDS = 0.02

pytestmark = needs_proc


@dataclass(frozen=True)
class Holding:
    """What a process holds: MiB of resident memory, open files, threads."""

    memory: float
    files: int
    threads: int


class Server:
    """The real server over stdio, against a sandbox in another process, so that only its own state is measured."""

    def __init__(self, url: str) -> None:
        env = environment(OPENAI_BASE_URL=url, OPENAI_ADMIN_KEY="sk-admin-soak")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "admin_mcp", "--approval", "none"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **env},
        )
        self._stdin = cast("IO[bytes]", self.process.stdin)
        self._stdout = cast("IO[bytes]", self.process.stdout)
        self._id = 0
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "soak", "version": "1"}}
        self.ask("initialize", hello)
        self._stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')

    def ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        self._id += 1
        message = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params or {}}
        self._stdin.write(json.dumps(message).encode() + b"\n")
        self._stdin.flush()
        answer: dict[str, Any] = json.loads(self._stdout.readline())
        assert answer["id"] == self._id
        return answer

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.ask("tools/call", {"name": name, "arguments": arguments})["result"]
        return cast("dict[str, Any]", result["structuredContent"])

    def holding(self) -> Holding:
        status = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        found = {line.partition(":")[0]: line.partition(":")[2].split() for line in status.splitlines()}
        files = len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))
        return Holding(int(found["VmRSS"][0]) / 1024, files, int(found["Threads"][0]))

    def end(self) -> int:
        self._stdin.close()
        code = self.process.wait(timeout=30)
        self._stdout.close()
        return code


def one(server: Server, number: int) -> None:
    """Make the call of this number: mostly reads, some changes, some mistakes."""
    match number % 10:
        case 0:
            made = server.call("create_role", role_name=f"Soak {number}", permissions=[])
            assert server.call("delete_role", role_id=made["id"])["deleted"]
        case 1:
            assert server.call("get_role", role_id="role_nothing")["error"]["kind"] == "not_found"
        case 2:
            assert server.call("get_role", role="x")["error"]["kind"] == "invalid_input"
        case 3:
            assert len(server.ask("tools/list")["result"]["tools"]) == len(every_definition())
        case 4:
            assert server.call("list_users", limit=2)["data"]
        case _:
            assert server.call("list_roles", limit=number % 7 + 1)["data"]


def test_a_long_session_grows_neither_in_what_it_holds_nor_in_its_slowest_calls() -> None:
    with served() as url:
        server = Server(url)
        took: list[float] = []
        held: list[Holding] = []
        for number in range(CALLS):
            began = time.perf_counter()
            one(server, number)
            took.append(time.perf_counter() - began)
            if (number + 1) % QUARTER == 0:
                held.append(server.holding())
        assert server.end() == 0
    second, last = held[1], held[-1]
    assert last.memory <= second.memory + MOST_GROWTH_MIB, held
    assert last.files <= second.files, held
    threads = [each.threads for each in held]
    assert max(threads) - min(threads) <= IDLE_THREADS, held
    p99 = [statistics.quantiles(took[part * QUARTER : (part + 1) * QUARTER], n=100)[98] for part in range(4)]
    assert p99[3] <= P99_FACTOR * p99[1] + P99_SLACK_SECONDS, p99
