"""The four tools of ``--search``, for hosts with room for few: find a tool, look at it, and call it by name.

They are another way to the same tools, so policy, preview and approval concern the tool inside.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from admin_mcp.endpoints.arguments import explained, without_nulls
from admin_mcp.endpoints.fields import INTEGRAL
from admin_mcp.endpoints.schema import META_EFFECT, META_RESOURCE, Json
from admin_mcp.errors import InvalidInput
from admin_mcp.suggestions import nearest
from admin_mcp.tools.list_entry import list_entry
from admin_mcp.tools.protocol import CallContext, Defined, Tool
from admin_mcp.tools.search_index import SearchIndex

SEARCH_TOOLS, DESCRIBE_TOOLS, CALL_READ, CALL_CHANGE = "search_tools", "describe_tools", "call_read", "call_change"
_MOST_FOUND = 20


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


_T = TypeVar("_T", bound=_Arguments)


class Query(_Arguments):
    """The arguments of ``search_tools``."""

    query: str = Field(min_length=1, max_length=200)
    limit: Annotated[int, Field(ge=1, le=_MOST_FOUND), INTEGRAL] = 8


class Names(_Arguments):
    """The arguments of ``describe_tools``."""

    names: list[str] = Field(min_length=1, max_length=10)


class Inner(_Arguments):
    """The arguments of ``call_read`` and ``call_change``."""

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchTool(Defined):
    """Finds tools by what they are for."""

    index: SearchIndex

    async def run(self, arguments: Mapping[str, object], context: CallContext) -> Json:
        """Return the best, in short."""
        del context
        return find(self.index, parse(Query, self.name, arguments))


@dataclass(frozen=True, slots=True)
class DescribeTool(Defined):
    """Shows the whole definitions of tools."""

    offered: Sequence[Json]

    async def run(self, arguments: Mapping[str, object], context: CallContext) -> Json:
        """Return the definitions."""
        del context
        return describe(self.offered, parse(Names, self.name, arguments))


@dataclass(frozen=True, slots=True)
class CallTool(Defined):
    """Calls another tool by its name, which meets the gate as if it had been called directly."""

    tools: Mapping[str, Tool]

    async def run(self, arguments: Mapping[str, object], context: CallContext) -> Json:
        """Return what the other tool answers."""
        given = parse(Inner, self.name, arguments)
        return await inner_tool(self.tools, self.name, given.name).run(given.arguments, context)


def searching(offered: Sequence[Json], tools: Mapping[str, Tool]) -> list[Tool]:
    """Return the four: over the ``offered`` definitions, and all ``tools`` by name."""
    search, describing, read, change = search_tools()
    return [
        SearchTool(search, SearchIndex(offered)),
        DescribeTool(describing, offered),
        CallTool(read, tools),
        CallTool(change, tools),
    ]


def search_tools() -> list[Json]:
    """Return the four, as ``tools/list`` entries."""
    inner = {
        "name": {"type": "string"},
        "arguments": {"type": "object", "description": "As its inputSchema says."},
    }
    found = {"type": "object", "properties": {"tools": {"type": "array"}}}
    return [
        list_entry(
            SEARCH_TOOLS,
            "Find the tools that administer an OpenAI organization: users, invites, groups, roles and who has them, "
            "projects and their members, service accounts, API keys, rate limits, model permissions, certificates, "
            "data retention, spend alerts and limits, costs, usage, audit logs, external keys and storage, workload "
            "identity. Begin here. Answers with names, effects, descriptions and argument names, best first.",
            {
                "query": {"type": "string", "description": "Verb and thing, such as 'create project role'."},
                "limit": {"type": "integer", "minimum": 1, "maximum": _MOST_FOUND, "default": 8},
            },
            ["query"],
            output=found,
            open_world=False,
        ),
        list_entry(
            DESCRIBE_TOOLS,
            "Show whole definitions, with inputSchema, of tools that search_tools found. Do it before a first call.",
            {"names": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 10}},
            ["names"],
            output=found,
            open_world=False,
        ),
        list_entry(CALL_READ, "Call a tool whose effect is read.", inner, ["name"], output={"type": "object"}),
        list_entry(
            CALL_CHANGE,
            "Call a tool whose effect is not read: it changes the organization. A person is asked first and sees the "
            "exact request. After approval_pending repeat the very same call once they have decided.",
            inner,
            ["name"],
            output={"type": "object"},
            effect="destroy",
            idempotent=False,
        ),
    ]


def find(index: SearchIndex, given: Query) -> Json:
    """Return the tools that fit a query best."""
    best = index.ranked(given.query)[: given.limit]
    if best:
        return {"tools": [_brief(tool) for tool in best]}
    resources = dict.fromkeys(tool["_meta"][META_RESOURCE] for tool in index.tools)
    hint = f"Nothing fits. The search knows English words only; ask for a verb and one of: {', '.join(resources)}."
    return {"tools": [], "hint": hint}


def describe(tools: Sequence[Json], given: Names) -> Json:
    """Return the definitions of tools.

    Raises:
        InvalidInput: one of them doesn't exist.

    """
    by_name = {tool["name"]: tool for tool in tools}
    for name in given.names:
        if name not in by_name:
            raise unknown(name, by_name)
    shown = (by_name[name] for name in given.names)
    keys = ("name", "title", "description", "inputSchema", "annotations")
    return {"tools": [{**{key: tool[key] for key in keys}, "effect": tool["_meta"][META_EFFECT]} for tool in shown]}


def inner_tool(tools: Mapping[str, Tool], outer: str, name: str) -> Tool:
    """Return the tool that is to be called.

    Raises:
        InvalidInput: there is no such tool, or it is not of the kind this way is for.

    """
    tool = tools.get(name)
    if tool is None:
        raise unknown(name, tools)
    right = _caller_of(tool)
    if outer != right:
        raise InvalidInput(
            f"{name} has the effect {tool.effect}, which {outer} is not for; nothing was sent.",
            param="name",
            hint=f"Call it through {right} with the same arguments.",
        )
    return tool


def _caller_of(tool: Tool) -> str:
    """Return which of the four calls a tool."""
    return CALL_READ if tool.effect == "read" else CALL_CHANGE


def parse(kind: type[_T], name: str, arguments: Mapping[str, object]) -> _T:
    """Validate the arguments of one of the four.

    Raises:
        InvalidInput: names each field that is wrong.

    """
    try:
        return kind.model_validate(without_nulls(kind, arguments))
    except ValidationError as error:
        failure = explained(kind, name, error)
        if kind is Inner:
            failure.hint += " What the tool inside takes stands in its arguments."
        raise failure from None


def way_to(name: str, tools: Mapping[str, Tool]) -> str:
    """Say how a tool is called that is not listed itself, or how its name is found."""
    if (tool := tools.get(name)) is None:
        return f" Find the right name with {SEARCH_TOOLS}."
    return f' Call it through {_caller_of(tool)}: {{"name": "{name}", "arguments": {{...}}}}.'


def unknown(name: str, known: Iterable[str]) -> InvalidInput:
    """Return the error for a tool that doesn't exist here."""
    return InvalidInput(
        f"There is no tool {name!r} here; nothing was sent.{nearest(name, known)}",
        param="name",
        hint=f"Find the right name with {SEARCH_TOOLS}.",
    )


def _brief(tool: Json) -> Json:
    schema = tool["inputSchema"]
    required = schema.get("required", [])
    return {
        "name": tool["name"],
        "effect": tool["_meta"][META_EFFECT],
        "description": tool["description"],
        "required": required,
        "optional": [name for name in schema["properties"] if name not in required],
    }
