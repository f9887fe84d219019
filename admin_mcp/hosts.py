"""MCP hosts: how each asks a person, and its configuration with this installation's absolute command. Pure.

GUI hosts have no PATH, so a bare command name would not be found.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from admin_mcp.endpoints.schema import Json
from admin_mcp.installation import command
from admin_mcp.settings import PLACEHOLDER_KEY, ApprovalMode

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


def _claude_desktop(launch: Launch) -> str:
    return _json({"mcpServers": {SERVER: launch.entry(PLACEHOLDER_KEY)}})


def _claude_code(launch: Launch) -> str:
    return _json({"mcpServers": {SERVER: {"type": "stdio", **launch.entry("${OPENAI_ADMIN_KEY}")}}})


def _cursor(launch: Launch) -> str:
    return _json({"mcpServers": {SERVER: {"type": "stdio", **launch.entry("${env:OPENAI_ADMIN_KEY}")}}})


def _vscode(launch: Launch) -> str:
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


def _openai_agents(launch: Launch) -> str:
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


def _langchain(launch: Launch) -> str:
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


def _pydantic_ai(launch: Launch) -> str:
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


@dataclass(frozen=True, slots=True)
class Host:
    """One host: whether it shows forms to a person, where its snippet goes, and the snippet.

    ``most_tools`` is how many tools it takes at once, where it has such a limit.
    """

    name: str
    title: str
    forms: Literal["yes", "no", "callback"]
    where: str
    snippet: Callable[[Launch], str]
    most_tools: int | None = None


HOSTS = {
    host.name: host
    for host in (
        Host("claude-desktop", "Claude Desktop", "no", "claude_desktop_config.json", _claude_desktop),
        Host("claude-code", "Claude Code", "yes", ".mcp.json of a project", _claude_code),
        Host("cursor", "Cursor", "yes", "~/.cursor/mcp.json", _cursor, most_tools=40),
        Host("vscode", "VS Code", "yes", "mcp.json (MCP: Open User Configuration)", _vscode, most_tools=128),
        Host("openai-agents", "OpenAI Agents SDK", "no", "your program", _openai_agents),
        Host("langchain", "LangChain", "callback", "your program", _langchain),
        Host("pydantic-ai", "Pydantic AI", "callback", "your program", _pydantic_ai),
    )
}


def asked_where(host: Host, mode: ApprovalMode) -> str:
    """Say in words who is asked about a change when this host calls."""
    shows = {"yes": True, "no": False, "callback": None}[host.forms]
    here = "a page or a terminal on this machine"
    match mode:
        case "none":
            return "NOBODY is asked"
        case "two-step":
            return "whoever calls confirm_change"
        case "local":
            return here
    form = "the host's own form"
    if shows is None:
        return f"your elicitation callback; without one {'refused' if mode == 'elicit' else here}"
    if mode == "elicit":
        return form if shows else "nobody can be asked: changes are refused"
    return form if shows else here


def claude_desktop_file(platform: str, home: Path, app_data: str | None) -> Path:
    """Return where Claude Desktop keeps its configuration."""
    if platform == "darwin":
        directory = home / "Library" / "Application Support" / "Claude"
    elif platform == "win32":
        directory = Path(app_data) / "Claude" if app_data else home / "AppData" / "Roaming" / "Claude"
    else:
        directory = home / ".config" / "Claude"
    return directory / "claude_desktop_config.json"


def merged(config: Json, launch: Launch) -> Json:
    """Return a host's configuration with this server in it. Other servers, and a key that is there, are left alone.

    Raises:
        TypeError: ``mcpServers``, or this server in it, is not an object.

    """
    servers = config.get("mcpServers", {})
    present = servers.get(SERVER, {}) if isinstance(servers, dict) else None
    if not isinstance(present, dict) or not isinstance(environment := present.get("env", {}), dict):
        raise TypeError('"mcpServers" and the servers in it must be objects')
    entry = {**present, **launch.entry(PLACEHOLDER_KEY)}
    if environment or "env" in entry:
        entry["env"] = {**entry.get("env", {}), **environment}
    return {**config, "mcpServers": {**servers, SERVER: entry}}


def shown(config: Json) -> Json:
    """Return a configuration fit to be shown: this server without its secrets, and nothing of what is not ours."""
    servers = config.get("mcpServers", {})
    if not isinstance(servers, dict):
        return {}
    ours = servers.get(SERVER)
    if isinstance(ours, dict) and isinstance(environment := ours.get("env"), dict):
        hidden = {name: value if value == PLACEHOLDER_KEY else "(hidden)" for name, value in environment.items()}
        ours = {**ours, "env": hidden}
    return {
        **{name: "(left alone)" for name in config if name != "mcpServers"},
        "mcpServers": {name: ours if name == SERVER else "(left alone)" for name in servers},
    }


def _json(value: Json) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
