"""langchain-mcp-adapters, which starts a process for each call, with an elicitation callback."""

import asyncio
import json

from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from mcp.types import ElicitResult
from talk import ANSWER, ARGUMENTS, COMMAND, change, tell


async def main():
    asked = []

    async def answer(context, params, callback_context):
        asked.append(params.message)
        return ElicitResult(action="accept", content=ANSWER)

    server = {"transport": "stdio", "command": COMMAND, "args": ARGUMENTS}
    client = MultiServerMCPClient({"admin": server}, callbacks=Callbacks(on_elicitation=answer))
    tools = {tool.name: tool for tool in await client.get_tools()}
    roles = content(await tools["list_roles"].ainvoke({}))
    changed = content(await tools["update_role"].ainvoke(change(roles, "langchain")))
    tell(tools=list(tools), rows=len(roles["data"]), asked=asked, changed=changed)


def content(blocks):
    """Return the JSON a tool answered with."""
    return json.loads(blocks if isinstance(blocks, str) else blocks[0]["text"])


asyncio.run(main())
