"""Installing and uninstalling change one entry of a host's file, after a yes, and nothing else."""

import json
import stat
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from admin_mcp.cli.host_table import HOSTS, WRITTEN
from admin_mcp.cli.main import main
from admin_mcp.cli.snippets import WAIT
from admin_mcp.settings import PLACEHOLDER_KEY
from tests.cli.entries import OTHER, server
from tests.cli.test_main import run

written = pytest.mark.parametrize("host", WRITTEN)


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


@pytest.mark.parametrize("host", [name for name in HOSTS if name not in WRITTEN])
def test_install_for_a_host_that_is_only_printed_says_which_command_prints_it(host: str) -> None:
    code, out, err = run("install", host)
    assert (code, out) == (2, "")
    assert f"use config {host}, which prints it" in err
    assert "No such command 'emacs'" in run("install", "emacs")[2]


SAMPLES = {
    "codex": """\
# mine
model = "gpt-5"

[mcp_servers.other] # keep
command = "/bin/other"
env = { TOKEN = "other-secret" }

# about the profile
[profiles.fast]
model = "small"
""",
    "vscode": json.dumps({"inputs": [{"id": "mine", "type": "promptString"}], "servers": {"other": OTHER}}, indent=4),
}


def sample(host: str, directory: Path) -> Path:
    path = directory / "config"
    text = SAMPLES.get(host) or json.dumps({"theme": "dark", HOSTS[host].shape().section: {"other": OTHER}})
    path.write_text(text, "utf-8")
    return path


def read(host: str, path: Path) -> dict[str, Any]:
    text = path.read_text("utf-8")
    return tomllib.loads(text) if host == "codex" else json.loads(text)


def change(command: str, host: str, path: Path, *flags: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, [command, host, "--file", str(path), *flags])
    return result.exit_code, result.output


@written
def test_what_install_writes_is_what_config_prints(host: str, tmp_path: Path) -> None:
    path = sample(host, tmp_path)
    code, out = change("install", host, path, "--yes", "--read-only")
    section = HOSTS[host].shape().section
    after = read(host, path)
    assert code == 0, out
    assert after[section]["openai-admin"] == server(host, "--read-only")
    assert after[section]["other"]["command"] == OTHER["command"]
    assert "other-secret" not in out
    assert f"Restart {HOSTS[host].title}" in out


@written
def test_uninstalling_brings_back_what_was_there_before_and_keeps_a_backup(host: str, tmp_path: Path) -> None:
    path = sample(host, tmp_path)
    before = read(host, path)
    change("install", host, path, "--yes")
    installed = path.read_bytes()
    code, out = change("uninstall", host, path, "--yes")
    assert code == 0, out
    assert read(host, path) == before
    assert backups(path)[-1].read_bytes() == installed
    assert "Nothing to do" in change("uninstall", host, path, "--yes")[1]


@written
def test_a_dry_run_of_either_writes_nothing(host: str, tmp_path: Path) -> None:
    path = sample(host, tmp_path)
    change("install", host, path, "--yes")
    before = path.read_bytes()
    assert "nothing was written" in change("uninstall", host, path, "--dry-run")[1]
    assert "nothing was written" in change("install", host, path, "--dry-run", "--search")[1]
    assert path.read_bytes() == before


@written
def test_a_key_of_ones_own_is_kept_and_never_shown(host: str, tmp_path: Path) -> None:
    path = sample(host, tmp_path)
    shape = HOSTS[host].shape()
    entry = {"command": "/old", shape.environment: {"OPENAI_ADMIN_KEY": "sk-admin-mine"}}
    path.write_text(shape.write({shape.section: {"openai-admin": entry}}), "utf-8")
    code, out = change("install", host, path, "--yes")
    assert code == 0, out
    assert read(host, path)[shape.section]["openai-admin"]["env"]["OPENAI_ADMIN_KEY"] == "sk-admin-mine"
    assert "sk-admin-mine" not in out + change("uninstall", host, path, "--yes")[1]


@written
def test_the_file_is_looked_for_where_the_host_has_it(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    code, out, _ = run("install", host, "--dry-run")
    assert code == 0
    assert out.startswith(str(tmp_path.resolve()))


def test_codexs_comments_and_order_stay_to_the_letter(tmp_path: Path) -> None:
    path = sample("codex", tmp_path)
    change("install", "codex", path, "--yes")
    assert path.read_text("utf-8").startswith(SAMPLES["codex"])


@pytest.mark.parametrize("line", ["// a comment", '{"servers": {}, /* and one more */ "inputs": []}'])
def test_a_file_with_comments_is_left_alone_with_the_way_out(line: str, tmp_path: Path) -> None:
    path = tmp_path / "mcp.json"
    path.write_text(line, "utf-8")
    code, out = change("install", "vscode", path, "--yes")
    assert code == 1
    assert "paste what config vscode prints" in out
    assert path.read_text("utf-8") == line


def test_where_the_key_comes_from_is_said_for_each_host(tmp_path: Path) -> None:
    assert "Codex passes on OPENAI_ADMIN_KEY" in change("install", "codex", sample("codex", tmp_path), "--yes")[1]
    assert "VS Code asks for your admin key" in change("install", "vscode", sample("vscode", tmp_path), "--yes")[1]
    assert "OPENAI_ADMIN_KEY" not in change("install", "gemini", sample("gemini", tmp_path), "--yes", "--sandbox")[1]


def test_the_wait_is_shown_when_it_is_installed_and_ones_own_stays(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"mcpServers": {"openai-admin": {"env": {WAIT: "30"}}}}), "utf-8")
    code, out = change("install", "gemini", path, "--yes")
    assert code == 0
    assert f'"{WAIT}": "30"' in out
    assert read("gemini", path)["mcpServers"]["openai-admin"]["env"][WAIT] == "30"
