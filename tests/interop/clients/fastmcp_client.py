"""FastMCP's client, with an elicitation handler."""

import asyncio

from fastmcp.client import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport
from talk import ANSWER, ARGUMENTS, COMMAND, change, tell


async def main():
    asked = []

    async def answer(message, response_type, params, context):
        asked.append(message)
        return ElicitResult(action="accept", content=ANSWER)

    async with Client(StdioTransport(command=COMMAND, args=ARGUMENTS), elicitation_handler=answer) as client:
        tools = [tool.name for tool in await client.list_tools()]
        roles = await client.call_tool("list_roles", {})
        roles = getattr(roles, "structured_content", None) or roles.structuredContent
        changed = await client.call_tool("update_role", change(roles, "fastmcp"))
        changed = getattr(changed, "structured_content", None) or changed.structuredContent
        tell(tools=tools, rows=len(roles["data"]), asked=asked, changed=changed)


asyncio.run(main())
