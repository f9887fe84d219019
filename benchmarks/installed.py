"""Measures what an installation takes, and puts the table into the page on performance.

make bench      (after run.py, which writes the page; packages come from PyPI once, and are installed from this machine)
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.run import HELLO, PAGE, placed  # noqa: E402 - the repository has to be on the path first

HEADING = "## Installed\n"
LOCK = HERE.parent / "requirements" / "runtime.txt"
CALL = {"name": "list_roles", "arguments": {}}


def pip(*arguments: str) -> None:
    """Run pip quietly."""
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], check=True)


def size(paths: Sequence[Path]) -> float:
    """Return the size of files, in MB."""
    return sum(path.stat().st_size for path in paths) / 1e6


def modules(*requests: tuple[str, object]) -> int:
    """Return how many modules the server has imported once it has answered these requests."""
    asked = [("initialize", HELLO), *requests]
    lines = [{"jsonrpc": "2.0", "id": n, "method": name, "params": params} for n, (name, params) in enumerate(asked)]
    lines.insert(1, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    with tempfile.TemporaryDirectory() as directory:
        process = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-m", "admin_mcp", "--sandbox"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "ADMIN_MCP_STATE_DIR": directory},
        )
        _, said = process.communicate("".join(json.dumps(line) + "\n" for line in lines).encode())
    return said.count(b"import time:") - 1  # the first line is a heading


def main() -> None:
    """Measure, print the section and put it into the page."""
    with tempfile.TemporaryDirectory() as directory:
        there = Path(directory)
        pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(there / "own"), str(HERE.parent))
        pip("download", "--require-hashes", "--requirement", str(LOCK), "--dest", str(there / "others"))
        subprocess.run([sys.executable, "-m", "venv", str(there / "venv")], check=True)
        own, others = list((there / "own").iterdir()), list((there / "others").iterdir())
        bare = size([path for path in (there / "venv").rglob("*") if path.is_file()])
        began = time.perf_counter()
        where = ["--no-index", "--find-links", str(there / "own"), "--find-links", str(there / "others")]
        pip("--python", str(there / "venv" / "bin" / "python"), "install", *where, *map(str, own))
        took = time.perf_counter() - began
        whole = size([path for path in (there / "venv").rglob("*") if path.is_file()]) - bare
        wheel, downloads = size(own), size(others)
    text = "\n".join(
        [
            HEADING,
            "| | |",
            "|---|---|",
            f"| the wheel | {wheel:.1f} MB |",
            f"| the {len(others)} packages it needs, as they are downloaded | {downloads:.1f} MB |",
            f"| all of it, installed and compiled | {whole:.0f} MB |",
            f"| installing from files that are there | {took:.0f} s |",
            f"| modules imported before the first list is answered | {modules(('tools/list', {}))} |",
            f"| modules imported before the first call is answered | {modules(('tools/call', CALL))} |",
            "",
        ]
    )
    print(text)
    PAGE.write_text(placed(PAGE.read_text("utf-8"), HEADING, text), "utf-8")


if __name__ == "__main__":
    main()
