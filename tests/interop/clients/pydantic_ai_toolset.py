"""Pydantic AI's MCPToolset over FastMCP's client, with an elicitation handler."""

import asyncio

from fastmcp.client import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport
from pydantic_ai.mcp import MCPToolset
from talk import ANSWER, ARGUMENTS, COMMAND, change, tell


async def main():
    asked = []

    async def answer(message, response_type, params, context):
        asked.append(message)
        return ElicitResult(action="accept", content=ANSWER)

    toolset = MCPToolset(Client(StdioTransport(command=COMMAND, args=ARGUMENTS), elicitation_handler=answer))
    async with toolset:
        tools = [tool.name for tool in await toolset.list_tools()]
        roles = await toolset.direct_call_tool("list_roles", {})
        changed = await toolset.direct_call_tool("update_role", change(roles, "pydantic-ai"))
        tell(tools=tools, rows=len(roles["data"]), asked=asked, changed=changed)


asyncio.run(main())
