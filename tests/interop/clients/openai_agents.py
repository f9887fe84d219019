"""The OpenAI Agents SDK: static listing and calls. It shows no forms, so a change waits for a person elsewhere."""

import asyncio

from agents.mcp import MCPServerStdio, MCPUtil
from talk import ARGUMENTS, COMMAND, change, tell, wait


async def main():
    server = MCPServerStdio(
        params={"command": COMMAND, "args": ARGUMENTS}, cache_tools_list=True, client_session_timeout_seconds=60
    )
    async with server:
        listed = await server.list_tools()
        tools = [tool.name for tool in listed]
        functions = [MCPUtil.to_function_tool(tool, server, convert_schemas_to_strict=True) for tool in listed]
        loose = [function.name for function in functions if not function.strict_json_schema]
        roles = (await server.call_tool("list_roles", {})).structuredContent
        given = change(roles, "openai-agents")
        pending = await server.call_tool("update_role", given)
        tell(tools=tools, loose=loose, rows=len(roles["data"]), changed=pending.structuredContent)
        wait()
        changed = await server.call_tool("update_role", given)
        tell(changed=changed.structuredContent)


asyncio.run(main())
