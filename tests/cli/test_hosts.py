"""Putting the server into a host: snippets that start it, and a configuration merged without harm."""

import ast
import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

from admin_mcp.cli.host_table import HOSTS, WRITTEN, asked_where
from admin_mcp.cli.hosts import host_file
from admin_mcp.cli.snippets import SECONDS, WAIT, Shape, words_of
from admin_mcp.installation import command
from admin_mcp.settings import ApprovalMode
from tests.cli.entries import server
from tests.cli.test_main import run

configured = pytest.mark.parametrize("host", [name for name, host in HOSTS.items() if isinstance(host.snippet, Shape)])
code_hosts = pytest.mark.parametrize(
    "host", [name for name, host in HOSTS.items() if not isinstance(host.snippet, Shape)]
)
written = pytest.mark.parametrize("host", WRITTEN)


@configured
def test_a_snippet_starts_this_installation_by_its_absolute_path_with_the_flags_given(host: str) -> None:
    words = words_of(server(host, "--read-only", "--toolsets", "people,spend"))
    assert words == [*command(), "--read-only", "--toolsets", "people,spend"]
    assert Path(words[0]).is_absolute()


def test_gooses_yaml_has_every_string_in_quotes_and_two_spaces_for_each_level() -> None:
    _, out, _ = run("config", "goose", "--toolsets", "people: # no comment")
    assert out.startswith('extensions:\n  openai-admin:\n    enabled: true\n    type: "stdio"\n')
    assert '\n      - "people: # no comment"\n' in out
    assert '\n    env_keys:\n      - "OPENAI_ADMIN_KEY"\n' in out


@configured
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


@code_hosts
def test_a_program_waits_for_a_person_as_long_as_the_server_does(host: str) -> None:
    out = run("config", host)[1]
    assert f'"{WAIT}": "{SECONDS}"' in out
    assert WAIT not in run("config", host, "--read-only")[1]
    numbers = [node.value for node in ast.walk(ast.parse(out)) if isinstance(node, ast.Constant)]
    assert all(value > int(SECONDS) for value in numbers if type(value) is int)


LIMITS = {
    "codex": ("tool_timeout_sec", 1),
    "gemini": ("timeout", 1000),
    "goose": ("timeout", 1),
    "cline": ("timeout", 1),
    "claude-code": (None, 1),
    "opencode": (None, 1),
}
"""The hosts that were seen to keep to it, with the name of their limit, if they need one, and its parts of a second."""


@configured
def test_the_server_waits_for_a_person_as_long_as_a_host_was_measured_to_let_it(host: str) -> None:
    def variables(*flags: str) -> dict[str, Any]:
        given: dict[str, Any] = server(host, *flags).get(HOSTS[host].shape().environment, {})
        return given

    if host not in LIMITS:
        assert WAIT not in variables()
        return
    wait = int(variables()[WAIT])
    assert 45 < wait < 600
    name, parts = LIMITS[host]
    if name is not None:
        assert server(host)[name] > (wait + 30) * parts
    assert variables("--sandbox", "--approval", "local")[WAIT] == str(wait)
    for flags in (("--read-only",), ("--approval", "elicit"), ("--approval", "none"), ("--approval", "two-step")):
        assert WAIT not in variables(*flags)


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


# Every host whose configuration is written


@pytest.mark.parametrize(("words", "meant"), [(("config", "cursr"), "cursor"), (("doctor", "vscod"), "vscode")])
def test_a_misspelt_host_is_answered_with_the_one_that_was_meant(words: tuple[str, ...], meant: str) -> None:
    code, _, err = run(*words)
    assert code == 2
    assert f"Did you mean {meant}" in err
    assert "claude-desktop, claude-code" in run(words[0], "zzzzzz")[2]


@pytest.mark.parametrize("host", ["cursor", "vscode"])
def test_an_install_link_holds_what_config_prints_and_no_key(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-real")
    code, link, _ = run("config", host, "--link", "--read-only")
    assert code == 0
    _, _, query = link.strip().partition("?")
    if host == "cursor":
        fields = parse_qs(query, strict_parsing=True)
        assert fields["name"] == ["openai-admin"]
        entry = json.loads(base64.b64decode(fields["config"][0], validate=True))
    else:
        entry = json.loads(unquote(query))
        assert entry.pop("name") == "openai-admin"
        assert entry.pop("inputs")[0]["password"] is True
    assert entry == server(host, "--read-only")
    assert "sk-admin-real" not in json.dumps(entry)


def test_a_host_that_takes_no_link_is_told_of_those_that_do() -> None:
    code, _, err = run("config", "zed", "--link")
    assert code == 2
    assert "cursor and vscode" in err


@pytest.mark.parametrize("host", [host.name for host in HOSTS.values() if host.file is not None])
def test_config_names_the_folder_of_the_file(host: str) -> None:
    said = run("config", host)[2]
    assert "~/" in said or str(host_file(HOSTS[host])) in said
