"""The floor: a bare SDK server over stdio that lists no tools."""

from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server


async def list_tools(
    ctx: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
) -> types.ListToolsResult:
    """Answer with nothing."""
    del ctx, params
    return types.ListToolsResult(tools=[])


async def main() -> None:
    """Serve."""
    server: Server[dict[str, Any]] = Server("floor", version="0", on_list_tools=list_tools)
    async with stdio_server() as (read_stream, write_stream):
        await server.run(read_stream, write_stream, server.create_initialization_options())


anyio.run(main)
