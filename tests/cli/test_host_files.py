"""Where hosts keep their configuration, and what is changed in it."""

from pathlib import Path

import pytest

from admin_mcp.cli.host_files import (
    Place,
    UnfitFileError,
    claude_code_file,
    claude_desktop_file,
    codex_file,
    gemini_file,
    merged,
    parsed,
    shown,
    vscode_file,
    without,
)
from admin_mcp.cli.snippets import Launch, codex, cursor, vscode

HOME = Path("/home/ana")
LAUNCH = Launch("/python", ("-m", "admin_mcp"), key=True)
MAC = "/home/ana/Library/Application Support"


def place(platform: str, **environment: str) -> Place:
    return Place(platform, HOME, environment)


@pytest.mark.parametrize(
    ("at", "desktop", "code"),
    [
        (place("darwin"), f"{MAC}/Claude", f"{MAC}/Code/User"),
        (place("linux"), "/home/ana/.config/Claude", "/home/ana/.config/Code/User"),
        (place("win32", APPDATA="/data/Roaming"), "/data/Roaming/Claude", "/data/Roaming/Code/User"),
        (place("win32"), "/home/ana/AppData/Roaming/Claude", "/home/ana/AppData/Roaming/Code/User"),
    ],
)
def test_programs_with_windows_keep_their_files_where_the_platform_has_them(at: Place, desktop: str, code: str) -> None:
    assert claude_desktop_file(at).as_posix() == f"{desktop}/claude_desktop_config.json"
    assert vscode_file(at).as_posix() == f"{code}/mcp.json"


def test_command_line_hosts_follow_the_variable_that_moves_them() -> None:
    assert claude_code_file(place("linux")).as_posix() == "/home/ana/.claude.json"
    assert claude_code_file(place("linux", CLAUDE_CONFIG_DIR="/c")).as_posix() == "/c/.claude.json"
    assert codex_file(place("darwin")).as_posix() == "/home/ana/.codex/config.toml"
    assert codex_file(place("darwin", CODEX_HOME="/x")).as_posix() == "/x/config.toml"
    assert gemini_file(place("linux", GEMINI_CLI_HOME="/g")).as_posix() == "/g/.gemini/settings.json"


def test_an_input_that_another_server_uses_stays_when_this_one_goes() -> None:
    config = merged(vscode, {"servers": {}}, LAUNCH)
    shared = {**config, "servers": {**config["servers"], "mine": {"env": {"K": "${input:openai-admin-key}"}}}}
    assert without(vscode, config) == {"inputs": [], "servers": {}}
    assert without(vscode, shared)["inputs"] == config["inputs"]


def test_an_input_of_the_same_id_is_not_asked_for_twice() -> None:
    once = merged(vscode, {}, LAUNCH)
    assert merged(vscode, once, LAUNCH) == once


def test_what_is_shown_has_references_and_hides_values() -> None:
    values = {"A": "secret", "OPENAI_ADMIN_KEY": "${env:OPENAI_ADMIN_KEY}"}
    visible = shown(cursor, {"x": "private", "mcpServers": {"o": {"k": "private"}, "openai-admin": {"env": values}}})
    assert visible["mcpServers"]["openai-admin"]["env"] == {**values, "A": "(hidden)"}
    assert "private" not in str(visible)


@pytest.mark.parametrize("text", ["[" * 100_000, "nul", "[]", "1", '"x"'])
def test_what_is_no_object_is_named_and_no_crash(text: str) -> None:
    with pytest.raises(UnfitFileError):
        parsed(cursor, text)


@pytest.mark.parametrize(
    "config", [{"inputs": {}}, {"inputs": None}, {"servers": None}, {"servers": {"openai-admin": []}}]
)
def test_a_section_of_another_kind_is_left_as_it_is(config: dict[str, object]) -> None:
    with pytest.raises(UnfitFileError):
        merged(vscode, config, LAUNCH)


def test_codexs_file_is_read_as_toml() -> None:
    assert parsed(codex, "a = 1") == {"a": 1}
    with pytest.raises(UnfitFileError, match="is not TOML"):
        parsed(codex, "{}")
