"""The lines that only another platform runs, run here: the platform is put in, so that their logic is tested anywhere.

That they do what that platform needs is what `test_platform` shows, there.
"""

import ast
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from click.testing import CliRunner

import admin_mcp
from admin_mcp.cli.checks import _browser
from admin_mcp.cli.main import main
from admin_mcp.gate.marker import Mark, Marker
from admin_mcp.gate.policy_file import read_policy_file
from admin_mcp.installation import command, command_line, start_child
from admin_mcp.private_files import (
    FileLock,
    lock_of_system,
    open_to_others,
    private_directory,
    require_private,
    write_private,
)
from admin_mcp.sandbox.http import listen
from admin_mcp.settings import Settings
from tests.platforms import needs_posix_processes
from tests.sessions import environment

PACKAGE = Path(admin_mcp.__file__).parent


@pytest.fixture
def without_posix(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform without modes and user ids. It is not called `nt`: the library's own paths would follow."""
    monkeypatch.setattr(os, "name", "other")
    for name in ("geteuid", "getuid"):
        monkeypatch.delattr(os, name, raising=False)


@pytest.mark.usefixtures("without_posix")
def test_without_modes_a_directory_or_file_is_private_as_it_is(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    directory.mkdir()
    directory.chmod(0o777)
    private_directory(directory)
    write_private(directory / "file", b"")
    (directory / "file").chmod(0o666)
    require_private(directory / "file")
    assert open_to_others(directory) is None


@pytest.mark.usefixtures("without_posix")
def test_without_user_ids_and_a_home_the_lock_of_a_system_is_among_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "user_state_path", lambda _: Path("relative"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = lock_of_system("a system")
    assert path.parent == tmp_path / "openai-admin-mcp-user"
    lock = FileLock(path)
    lock.acquire()
    lock.release()


@pytest.mark.usefixtures("without_posix")
def test_without_modes_a_policy_file_is_read_whoever_may_write_it(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("", "utf-8")
    path.chmod(0o666)
    assert list(read_policy_file(path, {}).rules) == []


@needs_posix_processes
def test_a_port_that_was_just_closed_is_taken_again_on_posix_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere the option lets two programs listen on one port."""

    def reused() -> bool:
        with listen("127.0.0.1", 0) as listening:
            return bool(listening.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR))

    assert reused()
    monkeypatch.setattr(os, "name", "other")
    assert not reused()


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux", "--state-dir '/of mine' x"),
        ("darwin", "--state-dir '/of mine' x"),
        ("win32", '--state-dir "/of mine" x'),
    ],
)
def test_a_command_line_is_quoted_as_the_platforms_shell_reads_it(
    platform: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert command_line("--state-dir", "/of mine", "x").endswith(expected)


class Started:
    """What a process would have been started with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given: dict[str, Any] = {}
        monkeypatch.setattr(subprocess, "Popen", self._start)

    def _start(self, words: list[str], **given: Any) -> None:
        del words
        self.given = given


@pytest.mark.parametrize(
    ("platform", "apart", "flags"),
    [("win32", True, 0x08000200), ("win32", False, 0), ("linux", True, 0), ("darwin", True, 0)],
)
def test_a_child_apart_has_on_windows_a_console_and_a_group_of_its_own(
    platform: str, apart: bool, flags: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, `start_new_session` does nothing: closing the console of the host would end the approval page."""
    started = Started(monkeypatch)
    monkeypatch.setattr(sys, "platform", platform)
    start_child([], tmp_path, apart=apart)
    assert (started.given["creationflags"], started.given["start_new_session"]) == (flags, apart)


def busy(self: Path, target: Path) -> Path:
    del target
    raise PermissionError(13, "Access is denied", str(self))


def test_a_mark_that_somebody_reads_stays_as_it_is_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows replaces no open file; refusing the change for that would be wrong, as an older mark is as true."""
    marker, first = Marker(tmp_path / "marker"), Mark(1, 1, "a")
    marker.write(first)
    monkeypatch.setattr(Path, "replace", busy)
    monkeypatch.setattr(sys, "platform", "win32")
    marker.write(Mark(1, 2, "b"))
    assert marker.read() == first
    with pytest.raises(PermissionError):  # what can't be made is no file that somebody reads
        Marker(tmp_path / "another").write(first)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(PermissionError):
        marker.write(Mark(1, 2, "b"))


@pytest.mark.parametrize(("platform", "screen"), [("darwin", True), ("win32", True), ("linux", False)])
def test_only_where_windows_come_from_elsewhere_is_a_display_looked_for(
    platform: str, screen: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BROWSER", "/some/browser %s")
    monkeypatch.setattr(sys, "platform", platform)
    found = _browser(Settings(state_dir=tmp_path, open_browser=True))
    assert ("there is no screen" in str(found)) is not screen


@pytest.mark.parametrize(("platform", "where"), [("win32", "roaming/Claude"), ("linux", "home/.config/Claude")])
def test_the_hosts_file_is_looked_for_where_this_platform_has_it(
    platform: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    homes = {name: str(tmp_path / "home") for name in ("HOME", "USERPROFILE")}
    given = environment(APPDATA=str(tmp_path / "roaming"), **homes)
    result = CliRunner().invoke(main, ["install", "claude-desktop", "--dry-run"], env=given)
    assert result.exit_code == 0, result.output
    assert str(tmp_path / where) in result.stdout
    assert command()[0] in result.stdout


ELSEWHERE_MISSING = {
    "chown",
    "fchown",
    "fork",
    "getegid",
    "geteuid",
    "getgid",
    "getpgid",
    "getuid",
    "killpg",
    "mkfifo",
    "setsid",
    "umask",
}
MODULES_MISSING = {"curses", "fcntl", "grp", "msvcrt", "pty", "pwd", "readline", "resource", "termios", "tty", "winreg"}


def unguarded(source: str) -> list[str]:
    """Name what not every platform has and is used in a function that does not ask for the platform first."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    asking = {inner for function in functions if "os.name" in ast.unparse(function) for inner in ast.walk(function)}
    found = []
    for node in ast.walk(tree):
        if node in asking:
            continue
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os" and node.attr in ELSEWHERE_MISSING:
            found.append(node.attr)
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name in MODULES_MISSING]
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES_MISSING:
            found.append(node.module)
    return found


def test_what_not_every_platform_has_is_used_only_behind_a_question_for_the_platform() -> None:
    assert unguarded("import os\ndef f():\n    os.geteuid()\nimport pty") == ["pty", "geteuid"]
    found = {path.name: names for path in PACKAGE.rglob("*.py") if (names := unguarded(path.read_text("utf-8")))}
    assert found == {}
