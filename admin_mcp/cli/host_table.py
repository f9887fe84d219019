"""MCP hosts: what each can do, how it asks a person, and where what it needs goes. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, assert_never

from admin_mcp.cli import host_files, program_snippets, snippets
from admin_mcp.cli.host_files import Logs, Place, Where
from admin_mcp.cli.snippets import Launch, Shape
from admin_mcp.settings import ApprovalMode


@dataclass(frozen=True, slots=True)
class Host:
    """One host: whether it shows forms to a person, where its snippet goes, and the snippet.

    ``most_tools`` is how many tools it takes at once, and ``starts_within`` how many seconds it gives a server to
    start, where it has such limits. ``file`` is where its configuration is, if this installation can read it, and
    ``written`` whether it can write it as well. ``logs`` is where it has been seen to write logs.
    """

    name: str
    title: str
    forms: Literal["yes", "no", "callback"]
    where: str
    snippet: Callable[[Launch], str]
    most_tools: int | None = None
    starts_within: float = 30.0
    file: Where | None = None
    written: bool = True
    logs: Callable[[Place], Logs] | None = None

    def shape(self) -> Shape:
        """Return the form of its configuration; only hosts with a ``file`` are known to have one."""
        if not isinstance(self.snippet, Shape):
            raise TypeError(f"{self.title} has a program, and no configuration")
        return self.snippet


_PROGRAM = "your program"

HOSTS = {
    host.name: host
    for host in (
        Host(
            "claude-desktop",
            "Claude Desktop",
            "no",
            "claude_desktop_config.json",
            snippets.claude_desktop,
            file=host_files.claude_desktop_file,
        ),
        Host(
            "claude-code",
            "Claude Code",
            "yes",
            "~/.claude.json, or .mcp.json of a project",
            snippets.claude_code,
            file=host_files.claude_code_file,
            logs=host_files.claude_code_logs,
        ),
        Host(
            "cursor",
            "Cursor",
            "yes",
            "~/.cursor/mcp.json",
            snippets.cursor,
            most_tools=40,
            file=host_files.cursor_file,
        ),
        Host(
            "vscode",
            "VS Code",
            "yes",
            "mcp.json (MCP: Open User Configuration)",
            snippets.vscode,
            most_tools=128,
            file=host_files.vscode_file,
        ),
        Host(
            "codex",
            "Codex",
            "yes",
            "~/.codex/config.toml",
            snippets.codex,
            starts_within=10.0,
            file=host_files.codex_file,
            logs=host_files.codex_logs,
        ),
        Host("gemini", "Gemini CLI", "no", "~/.gemini/settings.json", snippets.gemini, file=host_files.gemini_file),
        Host(
            "opencode",
            "opencode",
            "no",
            "~/.config/opencode/opencode.json",
            snippets.opencode,
            file=host_files.opencode_file,
            written=False,
            logs=host_files.opencode_logs,
        ),
        Host(
            "goose",
            "Goose",
            "yes",
            "~/.config/goose/config.yaml",
            snippets.goose,
            file=host_files.goose_file,
            written=False,
        ),
        Host(
            "cline",
            "Cline",
            "no",
            "cline_mcp_settings.json (MCP Servers: Configure)",
            snippets.cline,
            file=host_files.cline_file,
            written=False,
            logs=host_files.cline_logs,
        ),
        Host(
            "windsurf",
            "Windsurf",
            "no",
            "~/.codeium/windsurf/mcp_config.json",
            snippets.windsurf,
            most_tools=100,
            file=host_files.windsurf_file,
            written=False,
        ),
        Host(
            "zed",
            "Zed",
            "no",
            "settings.json (zed: open settings)",
            snippets.zed,
            file=host_files.zed_file,
            written=False,
        ),
        Host("openai-agents", "OpenAI Agents SDK", "no", _PROGRAM, program_snippets.openai_agents),
        Host("langchain", "LangChain", "callback", _PROGRAM, program_snippets.langchain),
        Host("pydantic-ai", "Pydantic AI", "callback", _PROGRAM, program_snippets.pydantic_ai),
        Host("crewai", "CrewAI", "no", _PROGRAM, program_snippets.crewai),
        Host("autogen", "AutoGen", "no", _PROGRAM, program_snippets.autogen),
        Host("llamaindex", "LlamaIndex", "no", _PROGRAM, program_snippets.llamaindex),
        Host("google-adk", "Google ADK", "no", _PROGRAM, program_snippets.google_adk),
    )
}

READ = {host.name: host for host in HOSTS.values() if host.file is not None}
"""The hosts whose configuration can be read."""

WRITTEN = {host.name: host for host in READ.values() if host.written}
"""Those among them whose configuration can be written."""


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
