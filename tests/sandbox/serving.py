"""The pretend organization over real HTTP, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def served(*arguments: str) -> Iterator[str]:
    """Start it on a free port, yield its URL, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "admin_mcp", "sandbox", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        env=dict(os.environ),
    )
    with process:
        assert process.stdout
        url = process.stdout.readline().strip()
        try:
            yield url
        finally:
            process.terminate()
