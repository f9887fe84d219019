"""A process whose first messages the front answers behaves as one in which the server answers all of them."""

import json
import os
import select
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from admin_mcp.server import front
from tests.platforms import needs_posix_processes
from tests.server.front_messages import CALL, CLIENT, HELLO, INITIALIZED, LIST, LISTS, message
from tests.sessions import KEY, environment


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


@pytest.mark.parametrize(
    "pieces", [[HELLO + INITIALIZED + LIST + CALL], [HELLO, INITIALIZED + LIST, CALL[:30], CALL[30:]]]
)
def test_a_call_goes_to_the_server_however_the_bytes_arrive(pieces: list[bytes]) -> None:
    heard = []
    for chosen in ("0", "1"):
        started = Started("--sandbox", ADMIN_MCP_FRONT=chosen)
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
    for chosen in ("0", "1"):
        started = Started(ADMIN_MCP_FRONT=chosen, **env)
        _, stderr = started.process.communicate(timeout=30)
        ends.append((stderr, started.process.returncode))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("rest", [b"", CALL[:30]])
def test_what_has_no_end_when_the_client_ends_is_answered_the_same(rest: bytes) -> None:
    ends = []
    for chosen in ("0", "1"):
        started = Started("--sandbox", ADMIN_MCP_FRONT=chosen)
        stdout, stderr = started.process.communicate(HELLO + INITIALIZED + rest, timeout=30)
        ends.append((sorted(stdout.splitlines()), stderr, started.process.returncode))
    assert ends[0] == ends[1]


@needs_posix_processes
def test_a_client_that_reads_no_longer_ends_it_as_it_ends_the_server() -> None:
    ends = []
    for chosen in ("0", "1"):
        started = Started("--sandbox", ADMIN_MCP_FRONT=chosen)
        with started.process as process:
            started.say(HELLO)
            started.heard(1)
            assert process.stdout
            assert process.stderr
            process.stdout.close()
            started.say(INITIALIZED + LIST)
            ends.append((process.stderr.read(), process.wait(30)))
    assert ends[0] == ends[1]


@needs_posix_processes
def test_where_nobody_reads_what_it_says_it_goes_on() -> None:
    for chosen in ("0", "1"):
        started = Started("--sandbox", ADMIN_MCP_FRONT=chosen)
        with started.process as process:
            assert process.stderr
            process.stderr.close()
            started.say(HELLO + INITIALIZED + LIST)
            assert started.heard(2).keys() == {0, 1}
        assert process.returncode == 0


@needs_posix_processes
@pytest.mark.parametrize("text", [None, "{"])
def test_without_its_answers_the_front_says_nothing_and_leaves_all_to_the_server(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (tmp_path / "front.json").write_text(text)
    monkeypatch.setattr(front, "ANSWERS_JSON", str(tmp_path / "front.json"))
    monkeypatch.setattr(front, "has_usual_streams", lambda: True)
    assert front.serve_front(["--sandbox"], "1") is None
    assert capfd.readouterr().err == ""


@needs_posix_processes
@pytest.mark.parametrize(("arguments", "usual"), [(["doctor"], True), (["--sandbox"], False)])
def test_a_start_that_is_not_usual_is_left_to_the_server(
    arguments: list[str], usual: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(front, "has_usual_streams", lambda: usual)
    monkeypatch.setattr(front, "_serve", lambda _: front.Handed([], [], b""))
    assert front.serve_front(arguments, "1") is None
    assert capfd.readouterr().err == ""


@needs_posix_processes
@pytest.mark.parametrize("number", [2, 15])
def test_a_signal_ends_it_as_it_ends_the_server(number: int) -> None:
    for chosen in ("0", "1"):
        started = Started("--sandbox", ADMIN_MCP_FRONT=chosen)
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
