"""Builds the MCP bundle, a .mcpb file that a host installs by itself: ``make bundle``.

    .venv/bin/python scripts/build_bundle.py build/bundle .venv-tools/bin/uv

writes what goes into it: the manifest, this project's sources and pyproject.toml, and ``uv.lock``. The host's own uv
makes the environment from that at the first start. Without the second argument all but the lock is written, which
needs a package index. Packing is left to the format's official tool.

The lock has what ``requirements/dev.txt`` has, the same versions and no other file. The versions stand in the bundle's
pyproject.toml as well: they hold where a host's uv uses another package index, for which it makes the lock anew.
"""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from admin_mcp import __version__
from admin_mcp.endpoints.schema import Json
from admin_mcp.tools.definitions import every_definition

ROOT = Path(__file__).parents[1]
CONTENTS = ("admin_mcp", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")
REQUIREMENTS = ROOT / "requirements" / "dev.txt"


def pinned(requirements: str) -> dict[str, set[str]]:
    """Return a requirements file's lines without their hashes, such as ``a==1 ; os_name == 'nt'``, each with those."""
    pins: dict[str, set[str]] = {}
    pin = ""
    for line in requirements.splitlines():
        words = line.removesuffix("\\").strip()
        if words.startswith("--hash="):
            pins[pin].add(words.removeprefix("--hash="))
        elif words and not words.startswith("#"):
            pin = words
            pins[pin] = set()
    return pins


def constrained(project: str, pins: dict[str, set[str]]) -> str:
    """Return pyproject.toml with the versions to keep to."""
    lines = "".join(f"    {json.dumps(pin)},\n" for pin in pins)
    return f"{project}\n[tool.uv]\nconstraint-dependencies = [\n{lines}]\n"


def strangers(lock: str, pins: dict[str, set[str]]) -> list[str]:
    """Return what a uv.lock has that the pins don't: packages by name and version, or files by their hash."""
    known = {pin.partition(" ;")[0]: hashes for pin, hashes in pins.items()}
    found = []
    for package in tomllib.loads(lock)["package"]:
        if "registry" not in package["source"]:
            continue  # the project itself
        pin = f"{package['name']}=={package['version']}"
        files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())]
        found += [f"{pin} {file['hash']}" for file in files if file["hash"] not in known.get(pin, ())]
    return found


def write_lock(directory: Path, uv: str) -> None:
    """Have uv lock the bundle; end with a message if it takes anything else than the project's own lock."""
    done = subprocess.run([uv, "lock", "--quiet", "--directory", directory], check=False)
    if done.returncode:
        sys.exit("uv could not lock the bundle")
    if found := strangers((directory / "uv.lock").read_text("utf-8"), pinned(REQUIREMENTS.read_text("utf-8"))):
        sys.exit("uv.lock has what requirements/dev.txt has not; run `make lock`.\n" + "\n".join(found))


def manifest() -> Json:
    """Return the manifest, in version 0.4 of the format."""
    return {
        "manifest_version": "0.4",
        "name": "openai-admin-mcp",
        "display_name": "OpenAI Admin",
        "version": __version__,
        "description": "Administer an OpenAI organization. Every change waits for your approval.",
        "long_description": "All 143 documented Admin API endpoints as tools. Reading is free; whatever changes "
        "something is shown to you first, in a page on this machine or your host's own form, and sent once, if you "
        "approve. Needs an admin key, or none to try it in a pretend organization.",
        "author": {"name": "The openai-admin-mcp contributors"},
        "license": "MIT",
        "keywords": ["openai", "admin", "mcp"],
        "server": {
            "type": "uv",
            "entry_point": "admin_mcp/__main__.py",
            "mcp_config": {
                "command": "uv",
                # uv goes to the bundle's directory first; the isolated Python takes nothing of the environment's paths.
                "args": [
                    "run",
                    "--quiet",
                    "--no-dev",
                    "--directory",
                    "${__dirname}",
                    "python",
                    "-I",
                    "-m",
                    "admin_mcp",
                ],
                "env": {
                    "OPENAI_ADMIN_KEY": "${user_config.admin_key}",
                    "ADMIN_MCP_SANDBOX": "${user_config.sandbox}",
                    "ADMIN_MCP_READ_ONLY": "${user_config.read_only}",
                    "ADMIN_MCP_TOOLSETS": "${user_config.toolsets}",
                },
            },
        },
        "user_config": {
            "admin_key": {
                "type": "string",
                "title": "OpenAI admin key",
                "description": "Begins with sk-admin-. Without one the server lists its tools and can do nothing.",
                "sensitive": True,
                "required": False,
                "default": "",
            },
            "sandbox": {
                "type": "boolean",
                "title": "Pretend organization",
                "description": "Try everything without a key: nothing leaves this machine.",
                "default": False,
            },
            "read_only": {
                "type": "boolean",
                "title": "Read only",
                "description": "Tools that change something are not offered.",
                "default": False,
            },
            "toolsets": {
                "type": "string",
                "title": "Toolsets",
                "description": "people, projects, spend, security, read, separated by commas; all offers every tool.",
                "default": "all",
            },
        },
        "tools": [{"name": tool["name"], "description": tool["description"]} for tool in every_definition()],
        "compatibility": {"platforms": ["darwin", "win32", "linux"], "runtimes": {"python": ">=3.11"}},
    }


def main(directory: str, uv: str | None = None) -> None:
    """Write the bundle's contents into an empty directory; with uv, its lock as well."""
    target = Path(directory)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in CONTENTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, target / name)
    project = constrained((ROOT / "pyproject.toml").read_text("utf-8"), pinned(REQUIREMENTS.read_text("utf-8")))
    (target / "pyproject.toml").write_text(project, "utf-8")
    (target / "manifest.json").write_text(json.dumps(manifest(), indent=2, ensure_ascii=False) + "\n", "utf-8")
    if uv is not None:
        write_lock(target, uv)


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit(__doc__)
    main(*sys.argv[1:])
