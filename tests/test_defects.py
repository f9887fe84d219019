"""A defect of this server's own is told for what it is: before a change was sent, or after."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from admin_mcp.gate.storage import open_storage
from admin_mcp.settings import Settings
from tests.recorder import Canned, Recorder
from tests.sessions import KEY, environment

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}
UPDATE = {"role_id": "role_1", "description": "new"}

BROKEN = """
import {module}, sys
whole, left = getattr({module}, "{name}", None) if "." not in "{name}" else {module}.{name}, [{skip}]
def broken(*given, **named):
    if left[0]:
        left[0] -= 1
        return whole(*given, **named)
    raise {error}
{module}.{name} = broken
from admin_mcp.cli.main import main
main()
"""


def results(
    recorder: Recorder,
    module: str,
    name: str,
    *calls: tuple[str, Mapping[str, object]],
    error: str = "KeyError(7)",
    skip: int = 0,
) -> tuple[list[dict[str, Any]], bytes]:
    """Make calls to a server in which one function is broken; return the answers, and what was logged.

    ``skip`` is how often it works before it breaks.
    """
    env = environment(OPENAI_ADMIN_KEY=KEY, OPENAI_BASE_URL=recorder.base_url, ADMIN_MCP_APPROVAL="none")
    process = subprocess.Popen(
        [sys.executable, "-c", BROKEN.format(module=module, name=name, error=error, skip=skip)],
        env={**os.environ, **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    lines: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
    ]
    for number, (tool, arguments) in enumerate(calls, 1):
        params = {"name": tool, "arguments": arguments}
        lines.append({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})
    lines.append({"jsonrpc": "2.0", "id": 99, "method": "ping"})
    process.stdin.write("".join(json.dumps(line) + "\n" for line in lines).encode())
    process.stdin.flush()
    answers: dict[int, dict[str, Any]] = {}
    while len(answers) < len(calls) + 2:
        answer = json.loads(process.stdout.readline())
        answers[answer["id"]] = answer
    _, logged = process.communicate(timeout=20)
    assert process.returncode == 0
    assert answers[99]["result"] == {}
    return [answers[number]["result"]["structuredContent"] for number, _ in enumerate(calls, 1)], logged


AFTER = [
    ("admin_mcp.server.app", "tool_result", "KeyError(7)"),
    ("admin_mcp.server.results", "without_halves", "RecursionError()"),
    ("admin_mcp.api.connection", "read_answer", "ValueError('x')"),
    ("admin_mcp.api.client", "take_in", "MemoryError()"),
    ("admin_mcp.api.client", "Body", "TypeError()"),
]


@pytest.mark.parametrize(("module", "name", "error"), AFTER, ids=[f"{module}.{name}" for module, name, _ in AFTER])
def test_a_defect_after_a_change_was_sent_leaves_its_outcome_unknown(
    module: str, name: str, error: str, recorder: Recorder
) -> None:
    # What the change replaces is read first.
    skip = int(module.startswith("admin_mcp.api"))
    (changed,), logged = results(recorder, module, name, ("update_role", UPDATE), error=error, skip=skip)
    (read,), _ = results(recorder, module, name, ("get_role", {"role_id": "role_1"}), error=error)
    assert changed["error"]["kind"] == "outcome_unknown"
    assert "may have been made" in changed["error"]["message"]
    assert changed["error"]["hint"]
    assert read["error"]["kind"] == "internal"
    assert len(recorder.changes) == 1
    assert b"Traceback" in logged


BEFORE = [
    ("admin_mcp.tools.endpoint_tool", "parse_arguments"),
    ("admin_mcp.api.connection", "build_request"),
    ("admin_mcp.server.app", "form_of"),
    ("admin_mcp.api.connection", "key_in_use"),
    ("admin_mcp.api.permits.Permits", "redeem"),
]


@pytest.mark.parametrize(("module", "name"), BEFORE, ids=[f"{module}.{name}" for module, name in BEFORE])
def test_a_defect_before_anything_was_sent_is_internal(module: str, name: str, recorder: Recorder) -> None:
    error = "KeyError(7)"
    if name == "redeem":
        module, name = "admin_mcp.api.permits", "Permits.redeem"
        error = "admin_mcp.api.permits.PermitError('no')"
    (changed,), logged = results(recorder, module, name, ("update_role", UPDATE), error=error)
    assert changed["error"]["kind"] == "internal"
    assert "Nothing was changed" in changed["error"]["message"]
    assert recorder.changes == []
    assert b"Traceback" in logged


def test_what_a_defect_quotes_shows_no_key_in_the_log(recorder: Recorder) -> None:
    (read,), logged = results(
        recorder,
        "admin_mcp.api.connection",
        "read_answer",
        ("get_role", {"role_id": "role_1"}),
        error=f"ValueError('{KEY}')",
    )
    assert read["error"]["kind"] == "internal"
    assert KEY.encode() not in logged
    assert b"[redacted]" in logged


def test_an_object_too_long_to_be_passed_on_is_said_so(recorder: Recorder, tmp_path: Path) -> None:
    recorder.reply = lambda _: Canned(body={"id": "x" * 5_000_000})
    (changed, read), logged = results(
        recorder, "admin_mcp.server.list_cache", "unused", ("update_role", UPDATE), ("get_role", {"role_id": "role_1"})
    )
    assert (changed["error"]["kind"], read["error"]["kind"]) == ("outcome_unknown", "api_error")
    assert "too long" in changed["error"]["message"]
    assert b"Traceback" not in logged
    kept = open_storage(Settings(state_dir=tmp_path / "state"))
    assert [record.fields["outcome"] for record in kept.journal.records() if record.kind == "outcome"] == ["done"]


def test_a_path_that_is_no_utf8_does_not_spoil_the_answer_to_a_change(recorder: Recorder, tmp_path: Path) -> None:
    """Where a new key was saved is part of the answer, and file names may hold any bytes."""
    created = {"id": "svc_1", "api_key": {"id": "key_1", "value": "sk-svcacct-0123456789"}}
    recorder.reply = lambda _: Canned(body=created)
    env = environment(OPENAI_ADMIN_KEY=KEY, OPENAI_BASE_URL=recorder.base_url, ADMIN_MCP_APPROVAL="none")
    where = os.fsencode(tmp_path) + b"/\xff"
    try:
        os.mkdir(where, 0o700)  # noqa: PTH102 - a Path holds no bytes
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    call = {"name": "create_project_service_account", "arguments": {"project_id": "proj_1", "name": "robot"}}
    lines = [
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "admin_mcp"],
        env={
            **os.environb,
            **{name.encode(): value.encode() for name, value in env.items()},
            b"ADMIN_MCP_STATE_DIR": where,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write("".join(json.dumps(line) + "\n" for line in lines).encode())
    process.stdin.flush()
    process.stdout.readline()
    result = json.loads(process.stdout.readline())["result"]
    process.communicate(timeout=20)
    assert result["isError"] is False
    assert result["structuredContent"]["api_key"]["value_saved_to"].startswith(f"{tmp_path}/?/secrets/")
