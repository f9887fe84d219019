"""Which tools' input the OpenAI Agents SDK can turn into a strict schema. No model, no call."""

import asyncio

from agents.mcp import MCPServerStdio, MCPUtil
from talk import ARGUMENTS, COMMAND, tell


async def main():
    async with MCPServerStdio(params={"command": COMMAND, "args": ARGUMENTS}) as server:
        listed = await server.list_tools()
        functions = [MCPUtil.to_function_tool(tool, server, convert_schemas_to_strict=True) for tool in listed]
    tell(
        strict=[function.name for function in functions if function.strict_json_schema],
        loose=[function.name for function in functions if not function.strict_json_schema],
    )


asyncio.run(main())
