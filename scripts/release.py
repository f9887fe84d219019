"""What a release needs beside its packages: ``make dist`` and ``make release``.

    .venv/bin/python scripts/release.py version      # prints it
    .venv/bin/python scripts/release.py check        # says what keeps this commit from being one; exits with 1
    .venv/bin/python scripts/release.py sums dist    # writes SHA256SUMS there

``sha256sum --check SHA256SUMS`` reads what the last one writes.
"""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

from admin_mcp import __version__

ROOT = Path(__file__).parents[1]
SUMS = "SHA256SUMS"


def sums(directory: Path) -> str:
    """Return a line for each file in the directory: its SHA-256 in hexadecimal, two spaces, its name."""
    files = sorted(path for path in directory.iterdir() if path.is_file() and path.name != SUMS)
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


def missing(version: str, changelog: str, tags: str, changed: str) -> list[str]:
    """Return what keeps a commit from being this version's release.

    ``tags`` are the commit's, one a line; ``changed`` is what git says of files that are not committed.
    """
    dated = re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE)
    listed = re.search(r"^## \[Unreleased\]\s+(?!## |\s|\Z)", changelog, re.MULTILINE)
    wanted = {
        f"CHANGELOG.md has no dated section: ## [{version}] - YYYY-MM-DD": dated is None,
        "CHANGELOG.md still lists changes as unreleased": listed is not None,
        "there are changes that are not committed": bool(changed.strip()),
        f"the commit has no tag: git tag --sign v{version}": f"v{version}" not in tags.split(),
    }
    return [what for what, wanting in wanted.items() if wanting]


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def check() -> None:
    """End with what is missing, if anything is."""
    found = missing(
        __version__,
        (ROOT / "CHANGELOG.md").read_text("utf-8"),
        _git("tag", "--points-at", "HEAD"),
        _git("status", "--porcelain"),
    )
    if found:
        sys.exit("Not ready:\n" + "\n".join(f"- {what}" for what in found))


def main(*words: str) -> None:
    """Do what the first word says."""
    match words:
        case ["version"]:
            print(__version__)
        case ["check"]:
            check()
        case ["sums", directory]:
            (Path(directory) / SUMS).write_text(sums(Path(directory)), "utf-8", newline="\n")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
