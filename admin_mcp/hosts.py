"""Configuration snippets for MCP hosts, with this installation's absolute command: GUI hosts have no PATH. Pure."""

import json
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

from admin_mcp.settings import PLACEHOLDER_KEY
from admin_mcp.tool import Json


def command() -> list[str]:
    """Return the absolute command that starts this installation's server."""
    script = Path(sysconfig.get_path("scripts")) / (
        "openai-admin-mcp.exe" if sys.platform == "win32" else "openai-admin-mcp"
    )
    return [str(script)] if script.exists() else [str(Path(sys.executable)), "-m", "admin_mcp"]


def command_line(*arguments: str) -> str:
    """Return what a person types into a terminal to run this installation with these arguments."""
    words = [*command(), *arguments]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def snippet(host: str, *, sandbox: bool) -> str:
    """Return a host's configuration as text. Claude Desktop is the one host so far."""
    del host
    program, *arguments = command()
    entry: Json = {"command": program, "args": [*arguments, *(["--sandbox"] if sandbox else [])]}
    if not sandbox:
        entry["env"] = {"OPENAI_ADMIN_KEY": PLACEHOLDER_KEY}
    return json.dumps({"mcpServers": {"openai-admin": entry}}, indent=2)
