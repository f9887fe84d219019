"""What differs between Linux, macOS and Windows, once through: a few tests that are run on each of them.

No terminal, no modes of files and no signals, which one of them has not: those are tested where they are.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import pytest
from anyio import to_thread

from admin_mcp import __version__
from admin_mcp.channels.page_server import PageServer
from admin_mcp.gate.storage import GateStorage, open_storage
from admin_mcp.installation import command, command_line, start_child
from admin_mcp.private_files import FileLock, LockBusyError, private_directory, write_private
from admin_mcp.settings import Settings
from admin_mcp.tools.definitions import every_definition
from tests.sandbox.serving import served
from tests.sessions import APPROVE, ERAS, LEGACY, session

pytestmark = pytest.mark.anyio


def here() -> Path:
    """The state directory that the sessions of this test use."""
    return Path(os.environ["ADMIN_MCP_STATE_DIR"])


def records() -> GateStorage:
    return open_storage(Settings(state_dir=here()))


def program(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*command(), *arguments], capture_output=True, check=False, encoding="utf-8", timeout=60)


@pytest.mark.parametrize("era", ERAS)
async def test_it_starts_over_stdio_lists_all_tools_and_reads(era: str) -> None:
    async with session(era, "--sandbox") as running:
        listed = await running.client.list_tools()
        assert [tool.name for tool in listed.tools] == [tool["name"] for tool in every_definition()]
        assert (await running.call("list_users"))["data"]


async def test_text_in_any_script_goes_there_and_back() -> None:
    async with session(LEGACY, "--sandbox", "--approval", "none") as running:
        made = await running.call("create_group", name="Отдел 研究 ü")
        assert made["name"] == "Отдел 研究 ü"


async def test_a_form_lets_a_change_through() -> None:
    async with session(LEGACY, "--sandbox", answers=[APPROVE]) as running:
        assert (await running.call("create_group", name="Research"))["name"] == "Research"


async def approve_on_the_page(approval_id: str) -> None:
    """Be the person in front of a browser."""
    page = PageServer(records().approvals, records().plans, here(), time.time)
    page.start()
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as browser:
            address = page.address(approval_id)
            entered = await browser.get(address)
            forward = re.search(r'content="0; ?url=([^"]+)"', entered.text)
            assert forward, entered.text
            parts = urlsplit(address)
            origin = f"{parts.scheme}://{parts.netloc}"
            shown = await browser.get(f"{origin}{forward[1]}")
            fields = dict(re.findall(r'name="(csrf|shown)" value="([^"]+)"', shown.text))
            assert len(fields) == 2
            answer = await browser.post(
                f"{origin}{forward[1]}", data={**fields, "decision": "approve"}, headers={"origin": origin}
            )
            assert answer.status_code == 303
    finally:
        await to_thread.run_sync(page.stop)


async def test_a_page_on_this_machine_lets_a_change_through_once_and_it_is_recorded() -> None:
    async with session(LEGACY, "--sandbox", "--approval", "local") as running:
        error = await running.error("create_group", name="Research")
        assert error["kind"] == "approval_pending"
        (waiting,) = records().approvals.all()
        assert command_line("--state-dir", str(here()), "approvals", "approve", waiting.id) in error["hint"]
        await approve_on_the_page(waiting.id)
        assert (await running.call("create_group", name="Research"))["name"] == "Research"
        assert (await running.error("create_group", name="Research"))["kind"] == "approval_pending"
    listed = program("journal", "list")
    assert (listed.returncode, "create_group" in listed.stdout) == (0, True), listed.stderr
    assert program("journal", "verify").returncode == 0


async def test_two_servers_on_one_state_directory_make_their_changes_at_once() -> None:
    async with (
        session(LEGACY, "--sandbox", "--approval", "none") as first,
        session(LEGACY, "--sandbox", "--approval", "none") as second,
        anyio.create_task_group() as group,
    ):
        made: list[Any] = []

        async def change(which: Any, name: str) -> None:
            made.append(await which.call("create_group", name=name))

        for number in range(5):
            group.start_soon(change, first, f"a{number}")
            group.start_soon(change, second, f"b{number}")
    assert sorted(group["name"] for group in made) == sorted(
        f"{which}{number}" for which in "ab" for number in range(5)
    )
    assert records().journal.verify()[1] is None


async def test_a_new_keys_value_goes_to_a_file_byte_for_byte() -> None:
    async with session(LEGACY, "--sandbox", "--approval", "none") as running:
        made = await running.call("create_admin_api_key", name="robot")
    (path,) = [value for name, value in made.items() if name.endswith("_saved_to")]
    content = await anyio.Path(path).read_bytes()
    assert content.startswith(b"sk-admin-")
    assert content.count(b"\n") == 1
    assert b"\r" not in content


def test_a_private_file_is_written_as_it_is_and_never_over_another(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b c"
    private_directory(directory)
    write_private(directory / "file", b"a\nb\r\n\x1a")
    assert (directory / "file").read_bytes() == b"a\nb\r\n\x1a"
    with pytest.raises(FileExistsError):
        write_private(directory / "file", b"")


HOLDER = """
import sys
from pathlib import Path
from admin_mcp.private_files import FileLock
FileLock(Path(sys.argv[1])).acquire(20)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_holds_between_processes_and_ends_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "one.lock"
    holder = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline().strip() == b"held"
        lock = FileLock(path)
        with pytest.raises(LockBusyError):
            lock.acquire()
        process.kill()
        process.wait(20)
        lock.acquire(20)
        lock.release()


def test_the_command_that_is_printed_runs_in_this_platforms_shell(tmp_path: Path) -> None:
    line = command_line("--state-dir", str(tmp_path / "of mine"), "--version")
    done = subprocess.run(line, shell=True, capture_output=True, check=False, encoding="utf-8", timeout=60)  # noqa: S602 - what a person pastes
    assert done.stdout.strip() == f"openai-admin-mcp, version {__version__}", done.stderr


def test_a_child_works_where_it_is_told_to_without_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-secret")
    write = "import os; open('seen', 'w').write(os.environ.get('OPENAI_ADMIN_KEY', 'no key'))"
    assert start_child(["-c", write], tmp_path, apart=True).wait(60) == 0
    assert (tmp_path / "seen").read_text("utf-8") == "no key"


def test_doctor_finds_nothing_wrong() -> None:
    done = program("doctor", "--sandbox")
    assert (done.returncode, "FAIL" in done.stdout) == (0, False), done.stdout + done.stderr


def test_claude_desktops_configuration_is_written_where_it_is_asked_to_be(tmp_path: Path) -> None:
    file = tmp_path / "claude_desktop_config.json"
    done = program("install", "claude-desktop", "--sandbox", "--yes", "--file", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    entry = json.loads(file.read_text("utf-8"))["mcpServers"]["openai-admin"]
    started = subprocess.run(
        [entry["command"], *entry["args"], "--version"], capture_output=True, check=False, encoding="utf-8", timeout=60
    )
    assert started.stdout.startswith("openai-admin-mcp, version"), started.stderr


def test_a_policy_file_of_ones_own_is_read(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    assert program("policy", "init", str(file)).returncode == 0
    done = program("policy", "check", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_sandbox_is_served_over_http_and_two_never_share_a_port() -> None:
    with served() as url:
        answer = httpx.get(
            f"{url}/organization/users", headers={"Authorization": "Bearer sk-admin-x"}, trust_env=False, timeout=20
        )
        assert answer.json()["data"]
        taken = program("sandbox", "--port", str(urlsplit(url).port))
    assert taken.returncode == 1
    assert "can't listen on" in taken.stderr


def test_a_directory_for_state_is_found_without_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADMIN_MCP_STATE_DIR")
    assert Settings().state_dir.is_absolute()
