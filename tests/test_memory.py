"""No answer of the API, however it is made, takes more than four times its limit of memory."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from admin_mcp.api.client import LONGEST_BODY
from tests.misbehaving import FAULTS, GOOD, Misbehaving, Step, answer, ok, say
from tests.platforms import needs_proc
from tests.sessions import KEY, environment

pytestmark = needs_proc

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}
SIZE = LONGEST_BODY - 100


def filled(head: bytes, part: bytes, tail: bytes) -> Callable[[], Step]:
    return lambda: ok(head + part * ((SIZE - len(head) - len(tail)) // len(part)) + tail)


def page() -> Step:
    row = b'{"object":"organization.user","id":"user_%07d","name":"Jane Doe %d","email":"jane%d@example.com"}'
    rows = b",".join(row % (number, number, number) for number in range(SIZE // 110))
    return ok(b'{"object":"list","has_more":false,"data":[' + rows + b"]}")


ANSWERS: dict[str, tuple[str, Callable[[], Step]]] = {
    "one long text": ("get_role", filled(b'{"id":"', b"a", b'"}')),
    "one long text with a wide letter": ("get_role", filled(b'{"id":"', b"a", '😀"}'.encode())),
    "a text of wide letters": ("get_role", filled(b'{"id":"', "😀".encode(), b'"}')),
    "escapes": ("get_role", filled(b'{"id":"', b"\\n", b'"}')),
    "empty arrays": ("get_role", filled(b'{"id":[', b"[],", b"1]}")),
    "small objects": ("get_role", filled(b'{"id":[', b'{"":0},', b"1]}")),
    "numbers": ("get_role", filled(b'{"id":[', b"1.5,", b"1]}")),
    "a megabyte of empty arrays": ("get_role", lambda: ok(b'{"id":[' + b"[]," * 340_000 + b"1]}")),
    "a list of ten megabytes": ("list_users", page),
    "a list of one long text": ("list_users", filled(b'{"has_more":false,"data":[{"id":"', b"a", b'"}]}')),
    "a long error": ("get_role", lambda: answer("404 No", b'{"error":{"message":"' + b"a" * (SIZE - 30) + b'"}}')),
    "a long page": ("get_role", lambda: answer("200 OK", b"<p>" * (SIZE // 3))),
    **{
        name: ("get_role", lambda name=name: FAULTS[name].step)  # type: ignore[misc]  # binds the name
        for name in ("11 MB", "30 MB in chunks", "a gzip bomb", "gzip twice", "nested 100,000 deep")
    },
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_takes_at_most_four_times_its_limit(name: str) -> None:
    tool, step = ANSWERS[name]
    server = Misbehaving(say(GOOD), step())
    env = environment(OPENAI_ADMIN_KEY=KEY, OPENAI_BASE_URL=f"http://127.0.0.1:{server.port}/v1")
    process = subprocess.Popen(
        [sys.executable, "-m", "admin_mcp"],
        env={**os.environ, **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin
    assert process.stdout

    def ask(number: int, method: str, params: object) -> bytes:
        assert process.stdin
        assert process.stdout
        line = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        process.stdin.write(json.dumps(line).encode() + b"\n")
        process.stdin.flush()
        return process.stdout.readline()

    ask(1, "initialize", HELLO)
    process.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
    call = {"name": tool, "arguments": {"role_id": "role_1"} if tool == "get_role" else {}}
    ask(2, "tools/call", call)
    before = most_memory(process.pid)
    assert "result" in json.loads(ask(3, "tools/call", call))
    grown = most_memory(process.pid) - before
    process.communicate(timeout=20)
    server.end()
    assert grown <= 4 * LONGEST_BODY, f"{grown / 1024**2:.0f} MiB"


def most_memory(pid: int) -> int:
    """Return the most resident memory the process had so far, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
