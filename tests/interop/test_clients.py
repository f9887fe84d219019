"""The server over real stdio, driven by clients other people wrote: each lists, reads, and meets the gate in its way.

``make interop`` installs the clients, from PyPI and npm, and runs this; ``make test`` leaves it out.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from admin_mcp.installation import command
from admin_mcp.tools.definitions import every_definition
from admin_mcp.tools.search import search_tools
from tests.sessions import APPROVE, ERAS, session
from tests.terminal import needs_terminal, terminal

HERE = Path(__file__).parent
CLIENTS = HERE / "clients"
BIN = HERE / "node_modules" / ".bin"
NODE = str(BIN / "node")
FRAMEWORKS = str(HERE / ".venv-frameworks" / "bin" / "python")
FRAMEWORKS_2 = str(HERE / ".venv-frameworks-2" / "bin" / "python")
CREWAI = str(HERE / ".venv-crewai" / "bin" / "python")
FASTMCP = str(HERE / ".venv-fastmcp" / "bin" / "python")
NAMES = [tool["name"] for tool in every_definition()]

WITH_FORMS: dict[str, Sequence[str]] = {
    "official Python SDK 1.x": (FRAMEWORKS, "official.py"),
    "langchain-mcp-adapters": (FRAMEWORKS, "langchain.py"),
    "Pydantic AI": (FRAMEWORKS, "pydantic_ai_toolset.py"),
    "FastMCP 3": (FRAMEWORKS, "fastmcp_client.py"),
    "FastMCP 4": (FASTMCP, "fastmcp_client.py"),
    "@modelcontextprotocol/sdk": (NODE, "typescript.mjs", "sdk"),
    "@modelcontextprotocol/client": (NODE, "typescript.mjs", "client"),
}


def server(*flags: str) -> list[str]:
    """The command that starts the server: the state directory is a flag, since some clients pass on no environment."""
    return [*command(), "--sandbox", "--state-dir", os.environ["ADMIN_MCP_STATE_DIR"], *flags]


@contextmanager
def running(client: Sequence[str], *flags: str) -> Iterator["subprocess.Popen[str]"]:
    program, script, *rest = client
    words = [program, str(CLIENTS / script), *rest, *server(*flags)]
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"it ended with {process.wait(20)} and told nothing"
    said: dict[str, Any] = json.loads(line)
    return said


def approve(error: dict[str, Any]) -> None:
    """Decide as a person does who was told the command."""
    found = re.search(r"approvals approve (\w+)", error["hint"])
    assert found
    with terminal("--state-dir", os.environ["ADMIN_MCP_STATE_DIR"], "approvals", "approve", found[1]) as at:
        at.wait_for("To approve, type ")
        at.type("approve")
        assert at.end() == 0


@pytest.mark.parametrize("client", WITH_FORMS)
def test_a_client_with_forms_lists_reads_and_changes_once_its_person_approved(client: str) -> None:
    with running(WITH_FORMS[client]) as process:
        said = told(process)
    assert said["tools"] == NAMES
    assert said["rows"] > 1
    (asked,) = said["asked"]
    assert "POST /organization/roles/" in asked
    assert said["changed"]["description"].startswith("changed by ")


@needs_terminal
def test_the_openai_agents_sdk_waits_for_a_person_at_a_terminal() -> None:
    with running((FRAMEWORKS, "openai_agents.py")) as process:
        said = told(process)
        pending = said["changed"]["error"]
        approve(pending)
        assert process.stdin is not None
        print(file=process.stdin, flush=True)
        changed = told(process)["changed"]
    assert said["tools"] == NAMES
    assert said["rows"] > 1
    assert pending["kind"] == "approval_pending"
    assert changed["description"] == "changed by openai-agents"


# A schema that takes any names can't be strict; the SDK passes these on as they are.
FREE_NAMES = {
    "create_federation_rule",
    "update_federation_rule",
    "create_workload_identity_provider",
    "update_workload_identity_provider",
    "plan_changes",
}


@pytest.mark.parametrize("flag", ["--sandbox", "--search"])
def test_openai_strict_mode_takes_every_input_but_those_with_names_of_the_callers(flag: str) -> None:
    with running((FRAMEWORKS, "openai_strict.py"), flag) as process:
        said = told(process)
    assert set(said["loose"]) == (FREE_NAMES if flag == "--sandbox" else {"call_read", "call_change"})
    assert len(said["strict"]) == (len(NAMES) - len(FREE_NAMES) if flag == "--sandbox" else 2)


def test_geminis_own_converter_takes_every_input() -> None:
    bad: dict[str, Any] = {"type": "object", "properties": {"x": {"oneOf": [{"type": "string"}]}}}
    tools = [*every_definition(), *search_tools(), {"name": "control", "inputSchema": bad}]
    words = [FRAMEWORKS, str(CLIENTS / "gemini.py")]
    done = subprocess.run(words, input=json.dumps({"tools": tools}), capture_output=True, check=True, text=True)
    assert set(json.loads(done.stdout)) == {"control"}


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_the_official_python_sdk_2x_asks_its_person(era: str) -> None:
    async with session(era, "--sandbox", answers=[APPROVE]) as client:
        tools = [tool.name for tool in (await client.client.list_tools()).tools]
        roles = await client.call("list_roles")
        role = next(each["id"] for each in roles["data"] if not each["predefined_role"])
        changed = await client.call("update_role", role_id=role, description="changed by mcp 2")
    assert tools == NAMES
    assert changed["description"] == "changed by mcp 2"
    assert len(client.asked) == 1


SNIPPETS: dict[str, tuple[str, str]] = {
    "openai-agents": (
        FRAMEWORKS,
        """
    async with openai_admin:
        names = [tool.name for tool in await openai_admin.list_tools()]
        return names, str(await openai_admin.call_tool("list_roles", {}))
""",
    ),
    "langchain": (
        FRAMEWORKS,
        """
    tools = {tool.name: tool for tool in await client.get_tools()}
    return [*tools], str(await tools["list_roles"].ainvoke({}))
""",
    ),
    "pydantic-ai": (
        FRAMEWORKS,
        """
    async with openai_admin:
        names = [tool.name for tool in await openai_admin.list_tools()]
        return names, str(await openai_admin.direct_call_tool("list_roles", {}))
""",
    ),
    "autogen": (
        FRAMEWORKS,
        """
    async with openai_admin:
        names = [tool["name"] for tool in await openai_admin.list_tools()]
        return names, (await openai_admin.call_tool("list_roles", {})).to_text()
""",
    ),
    "llamaindex": (
        FRAMEWORKS_2,
        """
    tools = {tool.metadata.name: tool for tool in await openai_admin.to_tool_list_async()}
    return [*tools], (await tools["list_roles"].acall()).content
""",
    ),
    "google-adk": (
        FRAMEWORKS_2,
        """
    tools = {tool.name: tool for tool in await openai_admin.get_tools()}
    read = await tools["list_roles"].run_async(args={}, tool_context=None)
    await openai_admin.close()
    return [*tools], str(read)
""",
    ),
    "crewai": (
        CREWAI,
        """
    with MCPServerAdapter(openai_admin, connect_timeout=60) as offered:
        tools = {tool.name: tool for tool in offered}
        return [*tools], str(tools["list_roles"].run())
""",
    ),
}
OFFLINE = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "CREWAI_DISABLE_TELEMETRY": "true"}
TOLD = "import asyncio, json\nnames, read = asyncio.run(went())\nprint(json.dumps([names, read]))"


@pytest.mark.parametrize("host", SNIPPETS)
def test_a_frameworks_snippet_runs_as_printed_and_lists_and_reads(host: str, tmp_path: Path) -> None:
    flags = ["--sandbox", "--state-dir", os.environ["ADMIN_MCP_STATE_DIR"]]
    printed = subprocess.run([*command(), *flags, "config", host], capture_output=True, check=True, text=True).stdout
    python, body = SNIPPETS[host]
    program = tmp_path / "program.py"
    program.write_text(f"{printed}\n\nasync def went():{body}\n\n{TOLD}\n", "utf-8")
    environment = {**os.environ, **OFFLINE, "HOME": str(tmp_path)}
    done = subprocess.run([python, str(program)], capture_output=True, check=False, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    names, read = json.loads(done.stdout.splitlines()[-1])
    assert sorted(names) == sorted(NAMES)
    assert "Group manager" in read


def inspect(era: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    words = [NODE, str(BIN / "mcp-inspector"), "--cli", *server(), "--protocol-era", era, *arguments]
    return subprocess.run(words, capture_output=True, check=False, text=True, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_inspector_finds_no_schema_that_some_host_would_refuse(era: str) -> None:
    done = inspect(era, "--method", "tools/list", "--strict")
    assert done.returncode == 0, done.stderr
    assert [tool["name"] for tool in json.loads(done.stdout)["tools"]] == NAMES


@needs_terminal
@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_inspector_which_starts_a_process_for_each_call_waits_for_a_person_at_a_terminal(era: str) -> None:
    roles = json.loads(inspect(era, "--method", "tools/call", "--tool-name", "list_roles").stdout)
    role = next(each for each in roles["structuredContent"]["data"] if not each["predefined_role"])
    given = ("--tool-arg", f"role_id={role['id']}", "--tool-arg", "description=inspected")
    change = ("--method", "tools/call", "--tool-name", "update_role", *given)
    first = inspect(era, *change)
    approve(json.loads(first.stdout)["structuredContent"]["error"])
    second = inspect(era, *change)
    assert first.returncode == 5
    assert json.loads(second.stdout)["structuredContent"]["description"] == "inspected"


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_four_tools_of_the_search_mode_are_portable_too(era: str) -> None:
    words = [NODE, str(BIN / "mcp-inspector"), "--cli", *server("--search"), "--protocol-era", era]
    done = subprocess.run([*words, "--method", "tools/list", "--strict"], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr


def test_the_whole_list_and_the_search_mode_keep_to_their_budgets_of_tokens() -> None:
    script = HERE.parents[1] / "scripts" / "count_tokens.py"
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, str(script), str(HERE)], capture_output=True, check=False, text=True, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
