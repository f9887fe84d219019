"""What is printed for hosts, parsed, and an entry of another server beside it."""

import json
import tomllib
from typing import Any

from admin_mcp.cli.host_table import HOSTS
from admin_mcp.cli.snippets import Launch, as_toml, as_yaml
from tests.cli.test_main import run

OTHER = {"command": "/bin/other", "args": ["--token", "other-secret"], "env": {"TOKEN": "other-secret"}}


def server(host: str, *flags: str) -> dict[str, Any]:
    """The entry that a host finds in what is printed for it; only YAML, which no library here reads, is not parsed."""
    code, out, _ = run("config", host, *flags)
    assert code == 0
    shape = HOSTS[host].shape()
    if shape.write is as_yaml:
        return shape.entry(Launch.of(flags))
    parsed = tomllib.loads(out) if shape.write is as_toml else json.loads(out)
    entry: dict[str, Any] = parsed[shape.section]["openai-admin"]
    return entry
