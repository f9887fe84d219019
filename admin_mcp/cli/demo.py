"""A narrated session: the SDK's own client drives this server, in a process of its own over stdio, on the sandbox."""

import json
from collections.abc import Callable, Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import Any, cast

import mcp_types as types
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from admin_mcp.installation import child_environment, command

Say = Callable[[str], None]
_FEW = 3

_ANSWERS: tuple[types.ElicitResult, ...] = (
    types.ElicitResult(action="cancel"),
    types.ElicitResult(action="accept", content={"decision": "approve"}),
)


class _Person:
    """Stands in for the person at the client: closes the first form undecided, approves on the second."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.asked = 0

    async def answer(self, context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:  # noqa: ANN401
        """Show the form as a client would, and answer it."""
        del context
        answer = _ANSWERS[self.asked]
        self.asked += 1
        self._say("\n   The client shows a form:")
        for line in params.message.splitlines():
            self._say(f"   │ {line}")
        chosen = "closes it undecided" if answer.action == "cancel" else f"answers {json.dumps(answer.content)}"
        self._say(f"   The person {chosen}.\n")
        return answer


async def run_demo(say: Say) -> None:
    """Run the session and print it."""
    person = _Person(say)
    with TemporaryDirectory(prefix="openai-admin-mcp-") as directory:
        # What the demo approves is no part of the operator's own record.
        program, *words = command()
        words += ["--sandbox", "--approval", "elicit", "--state-dir", directory]
        server = StdioServerParameters(command=program, args=words, env=child_environment(), cwd=directory)
        await _session(say, person, server)


async def _session(say: Say, person: _Person, server: StdioServerParameters) -> None:
    say("Starting the server on the sandbox, in a process of its own, and connecting over stdio ...")
    async with Client(stdio_client(server), elicitation_callback=person.answer) as client:
        say(f"Connected, MCP {client.protocol_version}.\n")
        tools = (await client.list_tools()).tools
        changing = sum(not tool.annotations.read_only_hint for tool in tools if tool.annotations)
        say(f"1. The client lists the tools: {len(tools)}, of which {changing} change something.\n")

        say("2. The agent reads. list_roles:")
        roles = await _call(client, "list_roles", {})
        custom = [role for role in roles["data"] if not role["predefined_role"]]
        for role in roles["data"]:
            say(f"   {role['id']:<28} {role['name']:<24} {_few(role['permissions'])}")
        change = {"role_id": custom[0]["id"], "description": "Manages groups for the platform team"}

        say(f"\n3. The agent tries a change. update_role {json.dumps(change)}")
        _tell(say, await _call(client, "update_role", change))

        say("4. The person asks for it after all, and the agent tries again.")
        _tell(say, await _call(client, "update_role", change))

        say("5. The agent looks. get_role:")
        role = await _call(client, "get_role", {"role_id": change["role_id"]})
        say(f"   description is now: {role['description']!r}\n")
        say(f"The person was asked {person.asked} times; exactly one change was made. Nothing left this machine.")


def _few(names: Sequence[str]) -> str:
    rest = len(names) - _FEW
    return ", ".join(names[:_FEW]) + (f" and {rest} more" if rest > 0 else "")


async def _call(client: Client, tool: str, arguments: Mapping[str, object]) -> dict[str, Any]:
    result = await client.call_tool(tool, dict(arguments))
    return cast("dict[str, Any]", result.structured_content)


def _tell(say: Say, result: Mapping[str, Any]) -> None:
    if error := result.get("error"):
        say(f"   Refused ({error['kind']}): {error['message']}\n   Hint to the agent: {error['hint']}\n")
    else:
        fields = (f"   │ {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in result.items())
        say("\n".join(("   Done:", *fields, "")))
