"""Neither the admin key nor a new one is in anything the process wrote, but for the file that is meant for it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest

from admin_mcp.gate.storage import open_storage
from admin_mcp.settings import Settings
from tests.platforms import needs_proc
from tests.recorder import Canned, Recorded, Recorder
from tests.sessions import APPROVE, ERAS, KEY, environment, session

NEW_KEY = "sk-svcacct-brand-new-0123456789"
PROJECT = {"project_id": "proj_1"}
CREATED = {
    "id": "svc_1",
    "name": "robot",
    "api_key": {"id": "key_1", "value": NEW_KEY, "name": "robot key"},
    "object": "organization.project.service_account",
}


def calls(*given: tuple[str, dict[str, Any]]) -> bytes:
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}
    lines: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
    ]
    for number, (name, arguments) in enumerate(given):
        params = {"name": name, "arguments": arguments, "_meta": {"progressToken": number + 1}}
        lines.append({"jsonrpc": "2.0", "id": number + 1, "method": "tools/call", "params": params})
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


class Server:
    """One process whose stdout and stderr are kept, and which starts a program that writes down what it was given."""

    def __init__(self, recorder: Recorder, tmp_path: Path, *arguments: str) -> None:
        self.spied = tmp_path / "spied"
        spy = tmp_path / "spy.py"
        spy.write_text(
            f"import os, sys\nopen({str(self.spied)!r}, 'a').write(repr((sys.argv, dict(os.environ))) + '\\n')\n",
            "utf-8",
        )
        env = environment(
            OPENAI_ADMIN_KEY=KEY,
            OPENAI_BASE_URL=recorder.base_url,
            ADMIN_MCP_STATE_DIR=str(tmp_path / "state"),
            BROWSER=f"{sys.executable} {spy} %s",
            ADMIN_MCP_OPEN_BROWSER="1",
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "admin_mcp", *arguments],
            env={**os.environ, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def talk(self, *given: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """Make the calls, one after the other, and return their results."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(calls(*given))
        self.process.stdin.flush()
        self.out = b""
        results: dict[int, Any] = {}
        while len(results) < len(given):
            line = self.process.stdout.readline()
            self.out += line
            message = json.loads(line)
            if message.get("id"):
                results[message["id"]] = message["result"]["structuredContent"]
        return [results[number + 1] for number in range(len(given))]

    def end(self) -> bytes:
        """End the process, and return all it wrote to stdout and stderr."""
        out, err = self.process.communicate(timeout=20)
        return self.out + out + err


def everything_written(tmp_path: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_a_new_key_goes_to_its_file_and_nowhere_else(recorder: Recorder, tmp_path: Path) -> None:
    recorder.reply = lambda _: Canned(body=CREATED)
    server = Server(recorder, tmp_path, "--approval", "none")
    (result,) = server.talk(("create_project_service_account", {**PROJECT, "name": "robot"}))
    written = server.end()
    assert result["api_key"]["value_last4"] == NEW_KEY[-4:]
    saved = result["api_key"]["value_saved_to"]
    files = everything_written(tmp_path)
    assert NEW_KEY.encode() in files.pop(saved)
    for name, content in {"stdout and stderr": written, **files}.items():
        assert NEW_KEY.encode() not in content, name
        assert KEY.encode() not in content, name


def test_an_api_that_echoes_the_admin_key_gets_it_nowhere(recorder: Recorder, tmp_path: Path) -> None:
    def echo(request: Recorded) -> Canned:
        wrong = {"error": {"message": f"Incorrect API key provided: {KEY}", "param": KEY, "code": KEY}}
        return Canned(401 if request.changes else 403, wrong)

    recorder.reply = echo
    server = Server(recorder, tmp_path, "--approval", "none")
    results = server.talk(
        ("get_role", {"role_id": "role_1"}),
        ("update_role", {"role_id": "role_1", "description": "new"}),
        ("update_role", {"role_id": "role_1", "description": f"mine is {KEY}"}),
    )
    written = server.end()
    assert [result["error"]["kind"] for result in results] == ["permission", "authentication", "invalid_input"]
    assert len(recorder.changes) == 1
    for name, content in {"stdout and stderr": written, **everything_written(tmp_path)}.items():
        assert KEY.encode() not in content, name


def echoing(request: Recorded) -> Canned:
    """Answer with the request's own Authorization header in every place an answer has."""
    given = request.headers["authorization"]
    headers = {"x-request-id": f"req_{given}", "content-type": f"application/json; echo={given}"}
    parts = request.path.split("/")
    thing = {
        "id": "role_1",
        "object": "thing",
        "name": f"Role of {given}",
        "email": f"{KEY}@example.com",
        "description": given,
        given: {given: [given, {KEY: f"<{given}>"}]},
        "redacted_value": "sk-admin-...6789",
    }
    escaped = json.dumps(thing).replace("sk-admin", "\\u0073k\\u002dadmin")
    if "fails" in parts:
        wrong = {"error": {"message": f"No: {given}", "type": given, "param": given, "code": given}, given: given}
        return Canned(400, wrong, headers)
    if "breaks" in parts:
        return Canned(200, raw=f"<p>{given}</p>".encode(), headers=headers)
    if "users" in parts and not request.changes:
        return Canned(
            200, {"object": "list", "data": [{**thing, "role": "owner", "id": given}], "has_more": False}, headers
        )
    return Canned(200, raw=escaped.encode(), headers=headers)


ECHO_CALLS: list[tuple[str, dict[str, object]]] = [
    ("get_role", {"role_id": "role_1"}),
    ("get_role", {"role_id": "fails"}),
    ("get_role", {"role_id": "breaks"}),
    ("list_users", {}),
    ("list_users", {"fetch_all": True}),
    ("update_role", {"role_id": "role_1", "description": "new"}),
    ("update_role", {"role_id": "fails", "description": "new"}),
    ("update_role", {"role_id": "breaks", "description": "new"}),
    ("create_role", {"role_name": "x", "permissions": ["api.groups.read"]}),
    ("delete_role", {"role_id": "role_1"}),
    ("get_role", {"role_id": "role_1", KEY: "x"}),
    ("get_role", {"role_id": [KEY]}),
    ("create_role", {"role_name": KEY, "permissions": []}),
]


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("approval", ["elicit", "local", "two-step", "none"])
async def test_an_api_that_echoes_the_key_everywhere_gets_it_nowhere(
    approval: str, era: str, recorder: Recorder, tmp_path: Path
) -> None:
    recorder.reply = echoing
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url}
    told: list[str] = []
    log = tmp_path / "stderr"

    def answer(form: types.ElicitRequestFormParams) -> types.ElicitResult:
        told.append(form.model_dump_json())
        return APPROVE

    async with session(era, "--approval", approval, env=env, answers=answer, log=log) as running:
        for name, arguments in ECHO_CALLS:
            result = await running.client.call_tool(name, arguments)
            told.append(result.model_dump_json())
    seen = {"results and forms": "\n".join(told).encode(), **everything_written(tmp_path)}
    assert any(name.endswith("gate.sqlite3") for name in seen) or approval == "none"
    for name, content in seen.items():
        assert KEY.encode() not in content, name
    assert b"[redacted]" in seen["results and forms"]
    if approval == "elicit":
        assert any('"message"' in text and "[redacted]" in text for text in told)
    if approval == "none":
        assert len(recorder.changes) == 5


def test_a_new_key_still_reaches_its_file_when_the_api_echoes_the_admin_key_beside_it(
    recorder: Recorder, tmp_path: Path
) -> None:
    recorder.reply = lambda _: Canned(body={**CREATED, "name": KEY, KEY: KEY}, headers={"x-request-id": KEY})
    server = Server(recorder, tmp_path, "--approval", "none")
    (result,) = server.talk(("create_project_service_account", {**PROJECT, "name": "robot"}))
    written = server.end()
    files = everything_written(tmp_path)
    assert files.pop(result["api_key"]["value_saved_to"]) == f"{NEW_KEY}\n".encode()
    for name, content in {"stdout and stderr": written, **files}.items():
        assert NEW_KEY.encode() not in content, name
        assert KEY.encode() not in content, name


@needs_proc
def test_what_is_started_for_the_screen_gets_neither_the_key_nor_an_address(recorder: Recorder, tmp_path: Path) -> None:
    server = Server(recorder, tmp_path, "--approval", "local")
    waiting = ("update_role", {"role_id": "role_1", "description": "new"})
    (result,) = server.talk(waiting)
    assert result["error"]["kind"] == "approval_pending"
    kept = open_storage(Settings(state_dir=tmp_path / "state"))
    deadline = time.monotonic() + 20
    while not server.spied.exists():
        assert time.monotonic() < deadline, "no browser was started"
        time.sleep(0.05)
    spied = server.spied.read_text("utf-8")
    commands = [path.read_bytes().decode(errors="replace") for path in Path("/proc").glob("[0-9]*/cmdline")]
    desk = [command for command in commands if str(tmp_path) in command and "approvals\0desk" in command]
    assert len(desk) == 1
    written = server.end()
    address = (tmp_path / "state").glob("open-*.html")
    link = next(address).read_text("utf-8").partition("url=")[2].partition('"')[0]
    for text in (spied, *desk, written.decode(), str([record.fields for record in kept.journal.records()])):
        assert KEY not in text
        assert link.rpartition("/")[2] not in text
        assert "http://127.0.0.1" not in text.replace(recorder.base_url, "")
    for path in (tmp_path / "state").glob("gate.sqlite3*"):
        path.unlink()
