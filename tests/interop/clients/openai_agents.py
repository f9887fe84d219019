"""The OpenAI Agents SDK: static listing and calls. It shows no forms, so a change waits for a person elsewhere."""

import asyncio

from agents.mcp import MCPServerStdio
from talk import ARGUMENTS, COMMAND, change, tell, wait


async def main():
    server = MCPServerStdio(
        params={"command": COMMAND, "args": ARGUMENTS}, cache_tools_list=True, client_session_timeout_seconds=60
    )
    async with server:
        listed = await server.list_tools()
        tools = [tool.name for tool in listed]
        roles = (await server.call_tool("list_roles", {})).structuredContent
        given = change(roles, "openai-agents")
        pending = await server.call_tool("update_role", given)
        tell(tools=tools, rows=len(roles["data"]), changed=pending.structuredContent)
        wait()
        changed = await server.call_tool("update_role", given)
        tell(changed=changed.structuredContent)


asyncio.run(main())
