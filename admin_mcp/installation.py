"""This installation's own command, and the one way to start a child process."""

import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path


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
