"""The front answers where arguments, environment and state are surely right, and nowhere else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from admin_mcp.cli.snippets import SECONDS, WAIT
from admin_mcp.server.front_start import label_of
from admin_mcp.settings import load_settings
from tests.platforms import needs_posix_processes
from tests.sessions import KEY


def holding(name: str) -> Callable[[Path], None]:
    def made(path: Path) -> None:
        path.mkdir(0o700)
        (path / name).write_bytes(b"short")

    return made


def writable_by_all(path: Path) -> None:
    path.mkdir()
    path.chmod(0o777)


STATES: dict[str, Callable[[Path], object]] = {
    "a file": Path.touch,
    "writable by all": writable_by_all,
    "a link to nowhere": lambda path: path.symlink_to(path.with_name("nowhere")),
    "another key": holding("request-state.key"),
    "a journal": holding("gate.sqlite3"),
    "a journal that is gone": holding("gate.sqlite3.mark"),
}


@needs_posix_processes
@pytest.mark.parametrize("state", STATES)
def test_a_state_there_is_something_to_say_of_is_the_servers(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADMIN_MCP_STATE_DIR", str(tmp_path / "state"))
    assert label_of(["--sandbox"]) == "the sandbox (a pretend organization)"
    STATES[state](tmp_path / "state")
    assert label_of(["--sandbox"]) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADMIN_MCP_FRONT", "0"),
        ("ADMIN_MCP_READ_ONLY", "1"),
        ("admin_mcp_approval", "none"),
        ("ADMIN_MCP_OPEN_BROWSER", "maybe"),
        ("ADMIN_MCP_APPROVAL_WAIT", "-1"),
        ("ADMIN_MCP_APPROVAL_WAIT", ""),
        ("ADMIN_MCP_APPROVAL_WAIT", "9999"),
        ("ADMIN_MCP_APPROVAL_WAIT", "soon"),
        ("ADMIN_MCP_STATE_DIR", "here"),
        ("OPENAI_BASE_URL", "http://127.0.0.1"),
        ("OPENAI_BASE_URL", "http://example.com/v1"),
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
        ("OPENAI_ADMIN_KEY", "REPLACE-WITH-YOUR-ADMIN-KEY"),
    ],
)
def test_any_other_setting_is_the_servers(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.parametrize("arguments", [["--read-only"], ["doctor"], ["serve", "--sandbox"], ["--sandbox", "--sandbox"]])
def test_any_other_argument_is_the_servers(arguments: list[str]) -> None:
    assert label_of(arguments) is None
