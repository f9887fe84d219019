"""This installation's own command, and the one way to start a child process.

Both are this very Python by its full path, isolated (``-I``): no working directory, no PYTHONPATH and nothing else of
the environment puts code in front of this project's. A child moreover works in the state directory, so that a path
that is relative, wherever it is written, leads to no place that others fill.
"""

import os
import shlex
import site
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PROGRAM = "openai-admin-mcp"
"""The script that a person types."""

_KEY = "openai_admin_key"
_APART_ON_WINDOWS = 0x08000000 | 0x00000200
"""CREATE_NO_WINDOW and CREATE_NEW_PROCESS_GROUP, which ``subprocess`` knows on Windows only."""


def python() -> list[str]:
    """Return the words that start this Python without what the environment and the working directory add to it.

    Raises:
        OSError: it is part of another program, so that nobody knows what would start it.

    """
    if not sys.executable:
        raise FileNotFoundError("this Python does not know its own program, so it can start no other")
    return [str(Path(sys.executable).absolute()), "-I"]


def program() -> list[str]:
    """Return what to give to that Python to have it run this installation.

    The name of the package is enough where it looks for packages by itself, and holds when Python's version changes.
    Elsewhere (a user's own packages, ``pip --target``, a checkout) it is the path.
    """
    package = Path(__file__).parent
    known = {os.path.realpath(directory) for directory in site.getsitepackages()}
    return ["-m", "admin_mcp"] if os.path.realpath(package.parent) in known else [str(package / "__main__.py")]


def command() -> list[str]:
    """Return the command that starts this installation's server, in any directory and environment.

    It is not the script that a person types: Python reads PYTHONPATH before such a script has its say.
    """
    return [*python(), *program()]


def command_line(*arguments: str) -> str:
    """Return what a person types into a terminal to run this installation with these arguments."""
    return typed(*command(), *arguments)


def line_on(state: Path, *words: str) -> str:
    """Return what a person types to run a command on a state directory, whatever their own settings are."""
    return typed(PROGRAM, "--state-dir", str(state), *words)


def typed(*words: str) -> str:
    """Return a command as a person types it into a terminal of this platform."""
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def child_environment() -> dict[str, str]:
    """Return this process's environment without the admin key, what steers Python, and programs on relative paths."""
    return {
        name: _absolute(value) if name.upper() == "PATH" else value
        for name, value in os.environ.items()
        # `lower` is how the settings find the key.
        if name.lower() != _KEY and not name.upper().startswith("PYTHON")
    }


def start_child(
    words: Sequence[str], directory: Path, *, errors: int = subprocess.DEVNULL, apart: bool = False
) -> "subprocess.Popen[bytes]":
    """Start this Python with these words, in a directory of ours; ``apart`` lets it outlive this process's session.

    Raises:
        OSError: it could not be started.

    """
    return subprocess.Popen(  # noqa: S603 - this Python, with words of ours
        [*python(), *words],
        cwd=directory,
        env=child_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        start_new_session=apart,
        # Sessions are POSIX's. On Windows a child in the host's console would end when that is closed.
        creationflags=_APART_ON_WINDOWS if apart and sys.platform == "win32" else 0,
    )


def _absolute(path: str) -> str:
    return os.pathsep.join(entry for entry in path.split(os.pathsep) if Path(entry).is_absolute())
