"""Putting the server into a host: snippets that start it, and a configuration merged without harm."""

import ast
import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from admin_mcp.cli.claude_desktop import claude_desktop_file
from admin_mcp.cli.host_table import HOSTS, asked_where
from admin_mcp.cli.main import main
from admin_mcp.installation import command
from admin_mcp.settings import PLACEHOLDER_KEY, ApprovalMode
from tests.cli.test_main import run

OTHER = {"command": "/bin/other", "args": ["--token", "other-secret"], "env": {"TOKEN": "other-secret"}}
json_hosts = pytest.mark.parametrize("host", ["claude-desktop", "claude-code", "cursor", "vscode"])
code_hosts = pytest.mark.parametrize("host", ["openai-agents", "langchain", "pydantic-ai"])


def server(host: str, *flags: str) -> dict[str, Any]:
    code, out, _ = run("config", host, *flags)
    assert code == 0
    parsed = json.loads(out)
    entry: dict[str, Any] = (parsed.get("mcpServers") or parsed["servers"])["openai-admin"]
    return entry


@json_hosts
def test_a_snippet_starts_this_installation_by_its_absolute_path_with_the_flags_given(host: str) -> None:
    entry = server(host, "--toolsets", "people,spend", "--read-only")
    assert [entry["command"], *entry["args"]] == [*command(), "--read-only", "--toolsets", "people,spend"]
    assert Path(entry["command"]).is_absolute()


@json_hosts
def test_no_snippet_holds_a_key_and_a_sandboxs_asks_for_none(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-real")
    assert "sk-admin-real" not in run("config", host)[1]
    assert "OPENAI_ADMIN_KEY" in run("config", host)[1]
    assert "OPENAI_ADMIN_KEY" not in run("config", host, "--sandbox")[1]


def test_vscode_asks_for_the_key_without_showing_it() -> None:
    (asked,) = json.loads(run("config", "vscode")[1])["inputs"]
    assert asked["password"] is True
    assert server("vscode")["env"] == {"OPENAI_ADMIN_KEY": "${input:" + asked["id"] + "}"}


@code_hosts
@pytest.mark.parametrize("flags", [(), ("--sandbox",)])
def test_a_frameworks_snippet_is_python_with_the_absolute_command(host: str, flags: tuple[str, ...]) -> None:
    code, out, err = run("config", host, *flags)
    tree = ast.parse(out)
    assert code == 0
    assert command()[0] in [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert ("OPENAI_ADMIN_KEY" in out) is not bool(flags)
    assert HOSTS[host].title in err


def test_a_wrong_flag_is_refused_before_it_is_written_anywhere() -> None:
    code, out, err = run("config", "cursor", "--approval", "elicit", ADMIN_MCP_APPROVAL_WAIT="soon")
    assert (code, out) == (2, "")
    assert "ADMIN_MCP_APPROVAL_WAIT" in err


@pytest.mark.parametrize(
    ("host", "mode", "said"),
    [
        ("claude-desktop", "auto", "a page or a terminal on this machine"),
        ("claude-desktop", "elicit", "nobody can be asked: changes are refused"),
        ("claude-code", "auto", "the host's own form"),
        ("claude-code", "local", "a page or a terminal on this machine"),
        ("langchain", "auto", "your elicitation callback; without one a page or a terminal on this machine"),
        ("langchain", "elicit", "your elicitation callback; without one refused"),
        ("cursor", "none", "NOBODY is asked"),
        ("cursor", "two-step", "whoever calls confirm_change"),
    ],
)
def test_who_is_asked_depends_on_the_host_and_the_mode(host: str, mode: ApprovalMode, said: str) -> None:
    assert asked_where(HOSTS[host], mode) == said


@pytest.mark.parametrize(
    ("platform", "app_data", "tail"),
    [
        ("darwin", None, "/home/ana/Library/Application Support/Claude/claude_desktop_config.json"),
        ("linux", None, "/home/ana/.config/Claude/claude_desktop_config.json"),
        ("win32", "/data/Roaming", "/data/Roaming/Claude/claude_desktop_config.json"),
        ("win32", None, "/home/ana/AppData/Roaming/Claude/claude_desktop_config.json"),
    ],
)
def test_claude_desktops_file_is_where_the_platform_has_it(platform: str, app_data: str | None, tail: str) -> None:
    assert claude_desktop_file(platform, Path("/home/ana"), app_data).as_posix() == tail


def install(path: Path, *flags: str, answer: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["install", "claude-desktop", "--file", str(path), *flags], input=answer)
    return result.exit_code, result.output


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "Claude" / "claude_desktop_config.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"theme": "dark", "mcpServers": {"other": OTHER}}), "utf-8")
    return path


def backups(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.backup-*"))


def test_a_dry_run_shows_the_change_and_writes_nothing(config: Path) -> None:
    before = config.read_bytes()
    code, out = install(config, "--dry-run")
    assert code == 0
    assert '+    "openai-admin": {' in out
    assert "nothing was written" in out
    assert config.read_bytes() == before
    assert backups(config) == []


def test_installing_keeps_a_backup_and_leaves_all_else_alone(config: Path) -> None:
    before = config.read_bytes()
    code, out = install(config, "--read-only", answer="y\n")
    after = json.loads(config.read_text("utf-8"))
    assert code == 0
    assert after["theme"] == "dark"
    assert after["mcpServers"]["other"] == OTHER
    assert after["mcpServers"]["openai-admin"]["args"][-1] == "--read-only"
    assert PLACEHOLDER_KEY in out
    (backup,) = backups(config)
    assert backup.read_bytes() == before
    assert sorted(path.name for path in config.parent.iterdir()) == sorted([config.name, backup.name])


def test_nothing_of_other_servers_and_no_key_is_shown(config: Path) -> None:
    _, first = install(config, "--yes")
    text = config.read_text("utf-8").replace(PLACEHOLDER_KEY, "sk-admin-mine")
    config.write_text(text, "utf-8")
    _, out = install(config, "--search", "--dry-run")
    assert "sk-admin-mine" not in out
    assert "other-secret" not in first + out
    assert "(left alone)" in first


def test_a_key_that_is_there_is_kept_when_flags_change(config: Path) -> None:
    install(config, "--yes")
    config.write_text(config.read_text("utf-8").replace(PLACEHOLDER_KEY, "sk-admin-mine"), "utf-8")
    code, out = install(config, "--yes", "--read-only")
    assert code == 0
    assert json.loads(config.read_text("utf-8"))["mcpServers"]["openai-admin"]["env"] == {
        "OPENAI_ADMIN_KEY": "sk-admin-mine"
    }
    assert PLACEHOLDER_KEY not in out


def test_a_second_time_there_is_nothing_to_do(config: Path) -> None:
    install(config, "--yes")
    before = config.read_bytes()
    code, out = install(config, "--yes")
    assert code == 0
    assert "Nothing to do" in out
    assert config.read_bytes() == before
    assert len(backups(config)) == 1


def test_a_file_changed_while_the_person_was_asked_is_left_as_it_is(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def confirm(text: str) -> bool:
        config.write_text('{"theme": "light"}', "utf-8")
        return bool(text)

    monkeypatch.setattr("click.confirm", confirm)
    code, out = install(config)
    assert code == 1
    assert "changed by something else" in out
    assert config.read_text("utf-8") == '{"theme": "light"}'
    assert backups(config) == []


@pytest.mark.parametrize("answer", ["n\n", "\n"])
def test_without_a_clear_yes_nothing_is_written(config: Path, answer: str) -> None:
    before = config.read_bytes()
    code, out = install(config, answer=answer)
    assert code == 0
    assert "Nothing was written" in out
    assert config.read_bytes() == before


def test_without_anybody_to_ask_nothing_is_written(config: Path) -> None:
    before = config.read_bytes()
    code, _ = install(config, answer="")
    assert code == 1
    assert config.read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"mcpServers": []}',
        '{"mcpServers": {"openai-admin": 1}}',
        '{"mcpServers": {"openai-admin": {"env": 1}}}',
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_left_as_it_is(config: Path, text: str) -> None:
    config.write_text(text, "utf-8")
    code, out = install(config, "--yes")
    assert code == 1
    assert "nothing was written" in out
    assert config.read_text("utf-8") == text
    assert backups(config) == []


def test_a_missing_file_is_made_for_this_user_alone(config: Path) -> None:
    config.unlink()
    assert install(config, "--yes")[0] == 0
    assert "openai-admin" in json.loads(config.read_text("utf-8"))["mcpServers"]
    if sys.platform != "win32":
        assert stat.S_IMODE(config.stat().st_mode) == 0o600


def test_where_claude_desktop_is_not_there_a_dry_run_still_shows_and_a_real_one_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "claude_desktop_config.json"
    assert install(path, "--dry-run")[0] == 0
    code, out = install(path, "--yes")
    assert code == 1
    assert "install Claude Desktop" in out
    assert not path.parent.exists()


def test_a_link_stays_a_link(config: Path) -> None:
    link = config.parent / "link.json"
    link.symlink_to(config)
    assert install(link, "--yes")[0] == 0
    assert link.is_symlink()
    assert "openai-admin" in json.loads(config.read_text("utf-8"))["mcpServers"]


@pytest.mark.parametrize("host", [host for host in HOSTS if host != "claude-desktop"])
def test_install_for_a_host_that_is_only_printed_says_which_command_prints_it(host: str) -> None:
    code, out, err = run("install", host)
    assert (code, out) == (2, "")
    assert f"use config {host}, which prints it" in err
    assert "No such command 'emacs'" in run("install", "emacs")[2]
