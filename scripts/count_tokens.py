"""Prints what the tool list costs a model: o200k tokens of name + description + inputSchema, summed over all tools.

The encoding is in the npm package gpt-tokenizer, in a directory given as argument. ``make interop`` installs it:

    .venv/bin/python scripts/count_tokens.py interop

Ends with 1 if the list is over its budget.
"""

import json
import subprocess
import sys
from pathlib import Path

BUDGET = 17_750
TOOLS_JSON = Path(__file__).parents[1] / "admin_mcp" / "tools.json"
COUNT = """
const {encode} = require('gpt-tokenizer/encoding/o200k_base');
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(texts.map((text) => encode(text).length)));
"""


def main(directory: str) -> int:
    """Count, print the total and the ten most expensive tools, and say by the exit code whether the budget holds."""
    tools = json.loads(TOOLS_JSON.read_text("utf-8"))["tools"]
    texts = [
        json.dumps({key: tool[key] for key in ("name", "description", "inputSchema")}, separators=(",", ":"))
        for tool in tools
    ]
    counted = subprocess.run(
        ["node", "-e", COUNT], input=json.dumps(texts), capture_output=True, check=True, text=True, cwd=directory
    )
    counts = dict(zip((tool["name"] for tool in tools), json.loads(counted.stdout), strict=True))
    total = sum(counts.values())
    print(f"{total} tokens for {len(tools)} tools; the budget is {BUDGET}")
    for name, count in sorted(counts.items(), key=lambda item: -item[1])[:10]:
        print(f"{count:6} {name}")
    return int(total > BUDGET)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
