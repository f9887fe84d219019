"""What a release needs beside its packages: ``make dist`` and ``make release``.

    .venv/bin/python scripts/release.py version      # prints it
    .venv/bin/python scripts/release.py check        # says what keeps this commit from being one; exits with 1
    .venv/bin/python scripts/release.py registry dist https://github.com/OWNER/NAME    # writes server.json there
    .venv/bin/python scripts/release.py sums dist    # writes SHA256SUMS there

``server.json`` is what the MCP registry is given about the bundle in that directory, once it is a file of the release
at that address; nothing is sent. ``sha256sum --check SHA256SUMS`` reads what the last one writes.
"""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

from admin_mcp import __version__
from admin_mcp.endpoints.schema import Json

ROOT = Path(__file__).parents[1]
SUMS = "SHA256SUMS"
SERVER_SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
"""The form of ``server.json``. The one after it is still a draft."""


def bundle_name(version: str) -> str:
    """Return the name of a release's bundle."""
    return f"openai-admin-mcp-{version}.mcpb"


def registry_entry(repository: str, version: str, bundle: bytes) -> Json:
    """Return what the MCP registry is given, for a bundle among the files of a release at GitHub.

    Hosts compare the bundle they download with the sum. What they ask the user for is in the bundle's own manifest.

    Raises:
        ValueError: the repository is no GitHub address; the registry knows the owner of a name by it.

    """
    address = re.fullmatch(r"https://github\.com/([A-Za-z0-9-]+)/[A-Za-z0-9._-]+", repository)
    if address is None or repository.endswith(".git"):
        raise ValueError(f"{repository} is not of the form https://github.com/OWNER/NAME")
    return {
        "$schema": SERVER_SCHEMA,
        "name": f"io.github.{address[1]}/openai-admin-mcp",
        "title": "OpenAI Admin",
        "description": "Administer an OpenAI organization. Every change waits for a person's approval.",
        "version": version,
        "repository": {"url": repository, "source": "github"},
        "packages": [
            {
                "registryType": "mcpb",
                "identifier": f"{repository}/releases/download/v{version}/{bundle_name(version)}",
                "version": version,
                "fileSha256": hashlib.sha256(bundle).hexdigest(),
                "transport": {"type": "stdio"},
            }
        ],
    }


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


def write_registry_entry(directory: Path, repository: str) -> None:
    """Write ``server.json`` beside the bundle it tells of."""
    try:
        entry = registry_entry(repository, __version__, (directory / bundle_name(__version__)).read_bytes())
    except (ValueError, OSError) as error:
        sys.exit(f"server.json can't be made: {error}")
    (directory / "server.json").write_text(json.dumps(entry, indent=2) + "\n", "utf-8", newline="\n")


def main(*words: str) -> None:
    """Do what the first word says."""
    match words:
        case ["version"]:
            print(__version__)
        case ["check"]:
            check()
        case ["registry", directory, repository]:
            write_registry_entry(Path(directory), repository)
        case ["sums", directory]:
            (Path(directory) / SUMS).write_text(sums(Path(directory)), "utf-8", newline="\n")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
