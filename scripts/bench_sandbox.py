"""What the sandbox costs: its start beside the same server without it, and its slowest calls in process.

.venv/bin/python scripts/bench_sandbox.py        (needs the test extra)
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.contract.cases import CASES
from tests.sandbox.walk import accepted, organization, send

STARTS = 15
REPEATS = 5
HELLO = [
    {
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "bench", "version": "0"},
        },
    },
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
]


def start(arguments: list[str], directory: str) -> float:
    """Return the seconds from starting the process to its whole tool list."""
    environment = {**os.environ, "ADMIN_MCP_STATE_DIR": directory}
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "admin_mcp", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        assert process.stdin  # noqa: S101 - it was asked for
        assert process.stdout  # noqa: S101
        process.stdin.write("".join(json.dumps(message) + "\n" for message in HELLO).encode())
        process.stdin.flush()
        while b'"id":1' not in process.stdout.readline():
            pass
        took = time.perf_counter() - began
        process.kill()
    return took


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as directory:
        plain, sandbox = [], []
        for _ in range(STARTS):
            plain.append(start([], directory))
            sandbox.append(start(["--sandbox"], directory))
    added = statistics.median(sandbox) - statistics.median(plain)
    print(f"start to tools/list: {statistics.median(plain):.3f} s, with --sandbox {added:+.3f} s (median of {STARTS})")

    began = time.perf_counter()
    organization()
    print(f"seeding, at the first call: {(time.perf_counter() - began) * 1000:.0f} ms")

    times: dict[str, float] = {}
    for case in CASES:
        runs = []
        for _ in range(REPEATS):
            org = organization()
            call, _ = accepted(org, case)
            org.reset()
            before = time.perf_counter()
            reply = send(org, call)
            runs.append(time.perf_counter() - before)
            assert reply.status == 200, case.name  # noqa: S101, PLR2004 - it was accepted a moment ago
        times[case.name] = statistics.median(runs) * 1000
    slowest = sorted(times.items(), key=lambda item: -item[1])
    print(f"{len(times)} calls, median {statistics.median(times.values()):.2f} ms; the slowest:")
    for name, took in slowest[:5]:
        print(f"  {took:6.2f} ms  {name}")


if __name__ == "__main__":
    main()
