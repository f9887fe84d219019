"""What each MCP host has to be told to start this installation: its configuration, or lines of a program. Pure.

GUI hosts have no PATH, so a bare command name would not be found.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from admin_mcp.endpoints.schema import Json
from admin_mcp.installation import command
from admin_mcp.settings import PLACEHOLDER_KEY

SERVER = "openai-admin"


@dataclass(frozen=True, slots=True)
class Launch:
    """How the server is to be started: its command, arguments, and whether it needs a key."""

    program: str
    arguments: tuple[str, ...]
    key: bool

    @classmethod
    def of(cls, flags: Sequence[str]) -> "Launch":
        """Return the launch of this installation with these flags."""
        program, *before = command()
        return cls(program, (*before, *flags), key="--sandbox" not in flags)

    def entry(self, key: str) -> Json:
        """Return the entry that most hosts' configuration has for a server; ``key`` stands for the admin key."""
        entry: Json = {"command": self.program, "args": list(self.arguments)}
        return {**entry, "env": {"OPENAI_ADMIN_KEY": key}} if self.key else entry


def claude_desktop(launch: Launch) -> str:
    """Return what goes into Claude Desktop."""
    return _json({"mcpServers": {SERVER: launch.entry(PLACEHOLDER_KEY)}})


def claude_code(launch: Launch) -> str:
    """Return what goes into Claude Code."""
    return _json({"mcpServers": {SERVER: {"type": "stdio", **launch.entry("${OPENAI_ADMIN_KEY}")}}})


def cursor(launch: Launch) -> str:
    """Return what goes into Cursor."""
    return _json({"mcpServers": {SERVER: {"type": "stdio", **launch.entry("${env:OPENAI_ADMIN_KEY}")}}})


def vscode(launch: Launch) -> str:
    """Return what goes into VS Code."""
    server = {"type": "stdio", **launch.entry("${input:openai-admin-key}")}
    key = {
        "type": "promptString",
        "id": "openai-admin-key",
        "description": "OpenAI admin key (sk-admin-...)",
        "password": True,
    }
    return _json({**({"inputs": [key]} if launch.key else {}), "servers": {SERVER: server}})


def _environment(launch: Launch) -> str:
    return '{"OPENAI_ADMIN_KEY": os.environ["OPENAI_ADMIN_KEY"]}' if launch.key else "{}"


def _imports(launch: Launch) -> str:
    return "import os\n\n" if launch.key else ""


def openai_agents(launch: Launch) -> str:
    """Return what goes into a program with the OpenAI Agents SDK."""
    return f"""\
{_imports(launch)}from agents.mcp import MCPServerStdio

openai_admin = MCPServerStdio(
    name={json.dumps(SERVER)},
    params={{
        "command": {json.dumps(launch.program)},
        "args": {json.dumps(launch.arguments)},
        "env": {_environment(launch)},
    }},
    client_session_timeout_seconds=60,  # the default of 5 is too short for long lists
    cache_tools_list=True,
)
# async with openai_admin: Agent(name="Admin", mcp_servers=[openai_admin])"""


def langchain(launch: Launch) -> str:
    """Return what goes into a program with LangChain."""
    return f"""\
{_imports(launch)}from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from mcp.types import ElicitResult


async def ask_a_person(context, params, callback_context):
    print(params.message)  # show all of it, and fill in params.requestedSchema with what the person answers
    return ElicitResult(action="cancel")


client = MultiServerMCPClient(
    {{
        {json.dumps(SERVER)}: {{
            "transport": "stdio",
            "command": {json.dumps(launch.program)},
            "args": {json.dumps(launch.arguments)},
            "env": {_environment(launch)},
        }}
    }},
    callbacks=Callbacks(on_elicitation=ask_a_person),  # without it, changes are asked about on this machine
)
# tools = await client.get_tools()"""


def pydantic_ai(launch: Launch) -> str:
    """Return what goes into a program with Pydantic AI."""
    return f"""\
{_imports(launch)}from fastmcp.client import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport
from pydantic_ai.mcp import MCPToolset


async def ask_a_person(message, response_type, params, context):
    print(message)  # show all of it, and fill in params.requestedSchema with what the person answers
    return ElicitResult(action="cancel")


openai_admin = MCPToolset(
    Client(
        StdioTransport(
            command={json.dumps(launch.program)},
            args={json.dumps(launch.arguments)},
            env={_environment(launch)},
        ),
        elicitation_handler=ask_a_person,  # without it, changes are asked about on this machine
    )
)
# Agent("openai:gpt-5", toolsets=[openai_admin])"""


def _json(value: Json) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
