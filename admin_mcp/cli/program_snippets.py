"""The lines that a program needs in order to start this installation with an agent framework. Pure."""

import json

from admin_mcp.cli.snippets import KEY, PATIENCE, SERVER, Launch


def _environment(launch: Launch) -> str:
    key = [f'"{KEY}": os.environ["{KEY}"]'] if launch.key else []
    wait = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in launch.waiting().items()]
    return f"{{{', '.join([*key, *wait])}}}"


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
    client_session_timeout_seconds={PATIENCE},  # with the default of 5 nobody could decide in time
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


def crewai(launch: Launch) -> str:
    """Return what goes into a program with CrewAI."""
    return f"""\
{_imports(launch)}from crewai_tools import MCPServerAdapter
from mcp import StdioServerParameters

openai_admin = StdioServerParameters(
    command={json.dumps(launch.program)},
    args={json.dumps(launch.arguments)},
    env={_environment(launch)},
)
# with MCPServerAdapter(openai_admin, connect_timeout=60) as tools: Agent(role="Admin", tools=tools, ...)"""


def autogen(launch: Launch) -> str:
    """Return what goes into a program with AutoGen."""
    return f"""\
{_imports(launch)}# needs autogen-ext[mcp] and, as of 0.7, mcp<2
from autogen_ext.tools.mcp import McpWorkbench, StdioServerParams

openai_admin = McpWorkbench(
    StdioServerParams(
        command={json.dumps(launch.program)},
        args={json.dumps(launch.arguments)},
        env={_environment(launch)},
        read_timeout_seconds={PATIENCE},  # with the default of 5 nobody could decide in time
    )
)
# async with openai_admin: AssistantAgent("admin", model_client=..., workbench=openai_admin)"""


def llamaindex(launch: Launch) -> str:
    """Return what goes into a program with LlamaIndex."""
    return f"""\
{_imports(launch)}from llama_index.tools.mcp import BasicMCPClient, McpToolSpec

openai_admin = McpToolSpec(
    BasicMCPClient(
        command_or_url={json.dumps(launch.program)},
        args={json.dumps(launch.arguments)},
        env={_environment(launch)},
        timeout={PATIENCE},  # with the default of 30 nobody could decide in time
    )
)
# FunctionAgent(tools=await openai_admin.to_tool_list_async(), ...)"""


def google_adk(launch: Launch) -> str:
    """Return what goes into a program with Google's Agent Development Kit."""
    return f"""\
{_imports(launch)}# needs google-adk[mcp]
from google.adk.tools.mcp_tool import McpToolset, StdioConnectionParams
from mcp import StdioServerParameters

openai_admin = McpToolset(
    connection_params=StdioConnectionParams(
        server_params=StdioServerParameters(
            command={json.dumps(launch.program)},
            args={json.dumps(launch.arguments)},
            env={_environment(launch)},
        ),
        timeout={PATIENCE},  # with the default of 5 nobody could decide in time
    )
)
# LlmAgent(name="admin", model="gemini-2.5-flash", tools=[openai_admin])"""
