"""Writes ``tools.json``, the tool list as clients get it: ``make catalog`` runs it as a module.

Compiling keeps start-up short, since the server then imports no catalog module, and shows every change of what a
client sees as a reviewable diff.
"""

import json
import sys
from pathlib import Path

from admin_mcp.catalog import all_endpoints
from admin_mcp.catalog.lookups import lookups
from admin_mcp.endpoints.schema import build_tool

TOOLS_JSON = Path(__file__).with_name("tools.json")


def compiled() -> str:
    """Return the text ``tools.json`` must have."""
    endpoints = all_endpoints()
    tools = [build_tool(endpoint, lookups(endpoint, endpoints)) for endpoint in endpoints]
    return json.dumps({"tools": tools}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    if sys.flags.optimize >= 2:  # noqa: PLR2004 - `-OO`
        sys.exit("Descriptions are docstrings, which -OO drops: compile without it.")
    TOOLS_JSON.write_text(compiled(), encoding="utf-8")
