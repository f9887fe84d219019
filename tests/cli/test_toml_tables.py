"""A server's tables exchanged in a TOML file, and everything else left to the letter."""

import tomllib
from typing import Any

import pytest

from admin_mcp.cli.toml_tables import rewritten

AROUND = """\
model = "x" # why

[mcp_servers.openai-admin]
command = "/old"
args = [
  "a", # one
]

# this is about the next one
[mcp_servers."other one"]
command = "/other"

[mcp_servers.openai-admin.env]
K = "v"

[[things]]
n = 1
"""


def changed(text: str, entry: dict[str, Any] | None) -> dict[str, Any]:
    after = tomllib.loads(text)
    servers = after.setdefault("mcp_servers", {})
    servers.pop("openai-admin", None)
    if entry is not None:
        servers["openai-admin"] = entry
    return after


@pytest.mark.parametrize("entry", [None, {"command": "/new", "args": ['\x7f é " \\'], "env": {"A.b": "c"}, "on": True}])
@pytest.mark.parametrize("text", ["", "a = 1", AROUND, AROUND.replace("\n", "\r\n"), "[mcp_servers]\n"])
def test_the_result_says_what_is_wanted(text: str, entry: dict[str, Any] | None) -> None:
    wanted = changed(text, entry)
    assert {"mcp_servers": {}, **tomllib.loads(rewritten(text, "mcp_servers", wanted))} == wanted


def test_comments_of_others_stay_where_they_are() -> None:
    result = rewritten(AROUND, "mcp_servers", changed(AROUND, {"command": "/new"}))
    assert 'model = "x" # why\n' in result
    assert '# this is about the next one\n[mcp_servers."other one"]\ncommand = "/other"\n' in result
    assert "/old" not in result
    assert result.endswith('[mcp_servers.openai-admin]\ncommand = "/new"\n')


@pytest.mark.parametrize(
    "text",
    [
        '[mcp_servers]\nopenai-admin = { command = "/old" }\n',
        'mcp_servers.openai-admin.command = "/old"\n',
        'mcp_servers = { openai-admin = { command = "/old" } }\n',
        'text = """\n[mcp_servers.openai-admin]\n"""\n[mcp_servers.openai-admin]\ncommand = "/old"\n',
    ],
)
def test_a_form_that_lines_cant_be_exchanged_in_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="can't be exchanged safely"):
        rewritten(text, "mcp_servers", changed(text, {"command": "/new"}))


def test_what_cant_be_written_is_refused() -> None:
    with pytest.raises(ValueError, match="a date in this server's table can't be written"):
        rewritten("", "mcp_servers", changed("", {"since": tomllib.loads("a = 2026-01-01")["a"]}))
