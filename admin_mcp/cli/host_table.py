"""MCP hosts: what each can do, how it asks a person, and where what it needs goes. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from admin_mcp.cli import snippets
from admin_mcp.cli.snippets import Launch
from admin_mcp.settings import ApprovalMode


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
        Host("claude-desktop", "Claude Desktop", "no", "claude_desktop_config.json", snippets.claude_desktop),
        Host("claude-code", "Claude Code", "yes", ".mcp.json of a project", snippets.claude_code),
        Host("cursor", "Cursor", "yes", "~/.cursor/mcp.json", snippets.cursor, most_tools=40),
        Host("vscode", "VS Code", "yes", "mcp.json (MCP: Open User Configuration)", snippets.vscode, most_tools=128),
        Host("openai-agents", "OpenAI Agents SDK", "no", "your program", snippets.openai_agents),
        Host("langchain", "LangChain", "callback", "your program", snippets.langchain),
        Host("pydantic-ai", "Pydantic AI", "callback", "your program", snippets.pydantic_ai),
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
