"""The peer: FastMCP's bridge from an OpenAPI document. Runs in a virtual environment of its own, from ``make bench``.

Arguments: the document's path, and the base URL of the API.
"""

import json
import sys
from pathlib import Path

import httpx2
from fastmcp import FastMCP

client = httpx2.AsyncClient(base_url=sys.argv[2], headers={"authorization": "Bearer sk-admin-bench"}, trust_env=False)
document = json.loads(Path(sys.argv[1]).read_text("utf-8"))
FastMCP.from_openapi(openapi_spec=document, client=client, name="peer").run(transport="stdio", show_banner=False)
