"""The front answers where arguments, environment and state are surely right, and nowhere else."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from admin_mcp.cli.snippets import SECONDS, WAIT
from admin_mcp.gate.storage import open_storage
from admin_mcp.server.front_start import label_of
from admin_mcp.settings import Settings, load_settings
from tests.platforms import needs_posix_processes
from tests.sessions import KEY


def holding(name: str, data: bytes = b"short", mode: int = 0o600) -> Callable[[Path], None]:
    def made(path: Path) -> None:
        path.mkdir(0o700, parents=True)
        (path / name).write_bytes(data)
        (path / name).chmod(mode)

    return made


def directory(mode: int) -> Callable[[Path], None]:
    def made(path: Path) -> None:
        path.mkdir()
        path.chmod(mode)

    return made


def begun(path: Path) -> None:
    with open_storage(Settings(state_dir=path)).database.transaction():
        pass


def linked_seal(path: Path) -> None:
    holding("elsewhere", b"x" * 32)(path)
    (path / "request-state.key").symlink_to(path / "elsewhere")


SEAL = "request-state.key"
USUAL_STATES: dict[str, Callable[[Path], object]] = {
    "none yet": lambda _: None,
    "only the way to it": lambda path: path.parent.mkdir(exist_ok=True),
    "nothing in it": directory(0o700),
    "readable by all": directory(0o755),
    "a key": holding(SEAL, b"x" * 32),
    "a journal in which nothing happened": begun,
}
STATES: dict[str, Callable[[Path], object]] = {
    "a file": Path.touch,
    "below a file": lambda path: path.parent.touch(0o700),
    "writable by the group": directory(0o720),
    "writable by all": directory(0o702),
    "a link to nowhere": lambda path: path.symlink_to(path.with_name("nowhere")),
    "a short key": holding(SEAL, b"x" * 31),
    "a long key": holding(SEAL, b"x" * 33),
    "a key others read": holding(SEAL, b"x" * 32, 0o640),
    "a key that lies elsewhere": linked_seal,
    "a journal": holding("gate.sqlite3"),
    "a journal that is gone": holding("gate.sqlite3.mark"),
}


def served(directory: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setenv("ADMIN_MCP_STATE_DIR", str(directory))
    return label_of(["--sandbox"]) == "the sandbox (a pretend organization)"


@needs_posix_processes
@pytest.mark.parametrize("state", USUAL_STATES)
def test_a_usual_state_is_told_of_before_the_server_is_loaded(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    USUAL_STATES[state](tmp_path / "a" / "state")
    assert served(tmp_path / "a" / "state", monkeypatch)


@needs_posix_processes
@pytest.mark.parametrize("state", STATES)
def test_a_state_there_is_something_to_say_of_is_the_servers(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = tmp_path / "a"
    if state != "below a file":
        parent.mkdir()
    assert served(parent / "state", monkeypatch)
    STATES[state](parent / "state")
    assert not served(parent / "state", monkeypatch)
    assert label_of(["--sandbox"]) is None


@needs_posix_processes
@pytest.mark.parametrize("state", ["nothing in it", "a key"])
def test_a_state_of_another_user_is_the_servers(state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    USUAL_STATES[state](tmp_path / "state")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert not served(tmp_path / "state", monkeypatch)


@needs_posix_processes
@pytest.mark.parametrize("state", ["none yet", "nothing in it"])
@pytest.mark.parametrize("denied", [os.W_OK, os.X_OK])
def test_a_state_that_takes_no_files_is_the_servers(
    denied: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    USUAL_STATES[state](tmp_path / "state")
    monkeypatch.setattr(os, "access", lambda _, mode: not mode & denied)  # to root all is allowed
    assert not served(tmp_path / "state", monkeypatch)


@needs_posix_processes
def test_a_state_right_below_the_root_is_looked_for_in_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    assert served(Path("/no-such-directory/state"), monkeypatch) is os.access("/", os.W_OK)


@needs_posix_processes
@pytest.mark.parametrize("given", [None, ""])
def test_without_a_state_directory_the_usual_one_is_looked_at(
    given: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    if given is None:
        monkeypatch.delenv("ADMIN_MCP_STATE_DIR")
    else:
        monkeypatch.setenv("ADMIN_MCP_STATE_DIR", given)
    assert label_of(["--sandbox"]) is not None
    found = load_settings().state_dir
    assert found.is_relative_to(tmp_path)
    holding("gate.sqlite3")(found)
    assert label_of(["--sandbox"]) is None


@needs_posix_processes
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADMIN_MCP_FRONT", "0"),
        ("ADMIN_MCP_READ_ONLY", "1"),
        ("admin_mcp_approval", "none"),
        ("ADMIN_MCP_OPEN_BROWSER", "maybe"),
        ("ADMIN_MCP_DESKTOP_NOTIFICATIONS", "maybe"),
        ("ADMIN_MCP_APPROVAL_WAIT", "-1"),
        ("ADMIN_MCP_APPROVAL_WAIT", ""),
        ("ADMIN_MCP_APPROVAL_WAIT", "9999"),
        ("ADMIN_MCP_APPROVAL_WAIT", "soon"),
        ("ADMIN_MCP_APPROVAL_WAIT", "\u0663"),
        ("ADMIN_MCP_STATE_DIR", "here"),
        ("OPENAI_BASE_URL", "http://127.0.0.1"),
        ("OPENAI_BASE_URL", "http://example.com/v1"),
        ("OPENAI_BASE_URL", "http://example.com:80/v1"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:\u0661/v1"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:1@example.com/v1"),
        ("OPENAI_BASE_URL", "https://user@example.com/v1"),
        ("OPENAI_BASE_URL", "https://example.com/v1/"),
        ("OPENAI_BASE_URL", "https://example.com/v1?x=1"),
        ("OPENAI_BASE_URL", "https:///v1"),
        ("OPENAI_BASE_URL", " https://example.com/v1"),
        ("OPENAI_BASE_URL", "HTTPS://example.com/v1"),
        ("OPENAI_BASE_URL", "ftp://example.com"),
        ("openai_base_url", "https://example.com/v1"),
        ("Openai_Admin_Key", KEY),
        ("OPENAI_ADMIN_KEY", f"{KEY}\u201d"),
        ("OPENAI_ADMIN_KEY", " "),
        ("OPENAI_ADMIN_KEY", f" {KEY}"),
        ("OPENAI_ADMIN_KEY", "REPLACE-WITH-YOUR-ADMIN-KEY"),
    ],
)
def test_any_other_setting_is_the_servers(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert label_of([]) is not None
    monkeypatch.setenv(name, value)
    assert label_of([]) is None


@needs_posix_processes
def test_the_wait_that_config_sets_is_usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_MCP_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv(WAIT, SECONDS)
    assert label_of(["--sandbox"]) is not None


@needs_posix_processes
@pytest.mark.parametrize(
    "address",
    ["", "https://example.com", "https://api.example.com/v1", "http://127.0.0.1:8080/v1", "https://a..b/x//y"],
)
def test_what_is_served_is_called_what_the_server_calls_it(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
    assert label_of([]) == load_settings().target.label


@needs_posix_processes
@pytest.mark.parametrize("opens", ["0", "1"])
def test_all_usual_settings_at_once_are_usual(opens: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_MCP_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("ADMIN_MCP_FRONT", "1")
    monkeypatch.setenv("ADMIN_MCP_OPEN_BROWSER", opens)
    monkeypatch.setenv("ADMIN_MCP_DESKTOP_NOTIFICATIONS", opens)
    monkeypatch.setenv("ADMIN_MCP_APPROVAL_WAIT", "0")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.example.com/v1")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
    assert label_of(["serve"]) == load_settings().target.label


@needs_posix_processes
@pytest.mark.parametrize("arguments", [[], ["serve"]])
@pytest.mark.parametrize("key", [None, ""])
def test_a_missing_key_is_told_of(arguments: list[str], key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADMIN_MCP_OPEN_BROWSER")
    monkeypatch.delenv("ADMIN_MCP_DESKTOP_NOTIFICATIONS")
    if key is not None:
        monkeypatch.setenv("OPENAI_ADMIN_KEY", key)
    assert label_of(arguments) == "no admin key is set (OPENAI_ADMIN_KEY)"


@pytest.mark.parametrize("arguments", [["--read-only"], ["doctor"], ["serve", "--sandbox"], ["--sandbox", "--sandbox"]])
def test_any_other_argument_is_the_servers(arguments: list[str]) -> None:
    assert label_of(arguments) is None


ASKED = "import sys; from admin_mcp.server.front_start import has_usual_streams as usual; sys.exit(3 if usual() else 4)"


def has_usual(shut: str = "", stdin: int = subprocess.PIPE, stdout: int = subprocess.PIPE) -> bool:
    shell = ["sh", "-c", f'exec "$0" "$@" {shut}']
    process = subprocess.Popen(
        [*shell, sys.executable, "-I", "-c", ASKED], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE
    )
    process.communicate(timeout=30)
    return {3: True, 4: False}[process.returncode]


@contextmanager
def a_pipe(*, waits: bool = True) -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    try:
        for end in ends:
            os.set_blocking(end, waits)
        yield ends
    finally:
        for end in ends:
            os.close(end)


@needs_posix_processes
def test_pipes_are_usual_streams() -> None:
    assert has_usual()


@needs_posix_processes
@pytest.mark.parametrize("shut", ["<&-", ">&-", "2>&-"])
def test_a_stream_that_is_closed_is_the_servers(shut: str) -> None:
    assert not has_usual(shut)


@needs_posix_processes
def test_a_stream_that_does_not_wait_is_the_servers() -> None:
    with a_pipe(waits=False) as (readable, writable):
        assert not has_usual(stdin=readable)
        assert not has_usual(stdout=writable)


@needs_posix_processes
def test_a_terminal_is_the_servers() -> None:
    ends = os.openpty()
    try:
        assert not has_usual(stdin=ends[1])
    finally:
        for end in ends:
            os.close(end)


@needs_posix_processes
def test_what_would_wait_to_say_a_line_is_the_servers() -> None:
    with a_pipe(waits=False) as (_, writable):
        with suppress(BlockingIOError):
            while os.write(writable, b"x" * 65536):
                pass
        os.set_blocking(writable, True)
        asked = [sys.executable, "-I", "-c", ASKED]
        process = subprocess.run(
            asked, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=writable, timeout=30, check=False
        )
        assert process.returncode == 4
