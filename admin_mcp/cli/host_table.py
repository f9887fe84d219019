"""MCP hosts: what each can do, how it asks a person, and where what it needs goes. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, assert_never

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
    here = "a page or a terminal on this machine"
    match mode:
        case "none":
            return "NOBODY is asked"
        case "two-step":
            return "whoever calls confirm_change"
        case "local":
            return here
        case "elicit":
            return _by_form(host, without="refused", otherwise="nobody can be asked: changes are refused")
        case "auto":
            return _by_form(host, without=here, otherwise=here)
    assert_never(mode)


def _by_form(host: Host, *, without: str, otherwise: str) -> str:
    """Say who is asked if the host can; ``without`` a callback of the program's own, and ``otherwise``."""
    match host.forms:
        case "yes":
            return "the host's own form"
        case "no":
            return otherwise
        case "callback":
            return f"your elicitation callback; without one {without}"
    assert_never(host.forms)
