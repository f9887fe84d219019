"""Builds the MCP bundle, a .mcpb file that a host installs by itself: ``make bundle``.

    .venv/bin/python scripts/build_bundle.py build/bundle

writes what goes into it: the manifest, this project's wheel's sources and pyproject.toml. The host's own uv makes the
environment from that at the first start. Packing is left to the format's official tool.
"""

import json
import shutil
import sys
from pathlib import Path

from admin_mcp import __version__
from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.schema import Json

ROOT = Path(__file__).parents[1]
CONTENTS = ("admin_mcp", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")


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
        "tools": [{"name": tool["name"], "description": tool["description"]} for tool in compiled_catalog().tools],
        "compatibility": {"platforms": ["darwin", "win32", "linux"], "runtimes": {"python": ">=3.11"}},
    }


def main(directory: str) -> None:
    """Write the bundle's contents into an empty directory."""
    target = Path(directory)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in CONTENTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, target / name)
    (target / "manifest.json").write_text(json.dumps(manifest(), indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the script and the directory
        sys.exit(__doc__)
    main(sys.argv[1])
