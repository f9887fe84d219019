"""The official Python SDK, 1.x: its session over stdio, with an elicitation callback."""

import asyncio

from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from talk import ANSWER, ARGUMENTS, COMMAND, change, tell


async def main():
    asked = []

    async def answer(context, params):
        asked.append(params.message)
        return types.ElicitResult(action="accept", content=ANSWER)

    server = StdioServerParameters(command=COMMAND, args=ARGUMENTS)
    async with stdio_client(server) as streams, ClientSession(*streams, elicitation_callback=answer) as session:
        await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        roles = (await session.call_tool("list_roles", {})).structuredContent
        changed = await session.call_tool("update_role", change(roles, "mcp"))
        tell(tools=tools, rows=len(roles["data"]), asked=asked, changed=changed.structuredContent)


asyncio.run(main())
