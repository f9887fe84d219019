"""The four tools of ``--search``, for hosts with room for few: find a tool, look at it, and call it by name.

They are another way to the same tools, so policy, preview and approval concern the tool inside. Pure: the server calls.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from admin_mcp.endpoints.arguments import without_nulls
from admin_mcp.endpoints.fields import INTEGRAL
from admin_mcp.endpoints.schema import META_EFFECT, META_ENDPOINT, META_RESOURCE, Json
from admin_mcp.errors import InvalidInput
from admin_mcp.suggestions import nearest

SEARCH_TOOLS, DESCRIBE_TOOLS, CALL_READ, CALL_CHANGE = "search_tools", "describe_tools", "call_read", "call_change"
_MOST_FOUND = 20
_WEIGHTS = {"name": 3.0, "resource": 1.0, "description": 1.0, "arguments": 0.5}
_SAME: dict[str, tuple[str, ...]] = {
    "member": ("user",),
    "person": ("user",),
    "people": ("user",),
    "team": ("group",),
    "permission": ("role",),
    "token": ("key",),
    "money": ("cost",),
    "spent": ("cost",),
    "spend": ("cost",),
    "pay": ("cost",),
    "invoice": ("cost",),
    "price": ("cost",),
    "budget": ("spend", "limit"),
    "cap": ("limit",),
    "quota": ("limit",),
    "rotate": ("create", "delete"),
    "revoke": ("delete", "remove"),
    "delete": ("remove", "archive"),
    "remove": ("delete",),
    "owner": ("user", "role"),
    "grant": ("assign", "add"),
    "log": ("audit",),
    "event": ("audit",),
    "history": ("audit",),
    "bot": ("service", "account"),
    "cert": ("certificate",),
    "make": ("create",),
    "new": ("create",),
    "rename": ("update",),
    "set": ("update",),
    "edit": ("update",),
    "change": ("update",),
    "show": ("get", "list"),
    "see": ("get", "list"),
    "find": ("list",),
    "disable": ("archive", "deactivate"),
}
"""What people say, and what the tools call it."""
_NOISE = frozenset(
    """
    a all an and any are by can do does for from give her him his how i in is it last me my of on our she he so
    that the their them they this to us was we what when which who with
    """.split()  # noqa: SIM905 - a list of them would fill a page
)

_Text = dict[str, float]
"""A tool's words, each with the weight of the most telling place it stands in."""


_Terms = list[list[tuple[str, float]]]
"""The words asked for, each with what else may be meant by it and how surely."""


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


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


def search_tools() -> list[Json]:
    """Return the four, as ``tools/list`` entries."""
    inner = {
        "name": {"type": "string"},
        "arguments": {"type": "object", "description": "As its inputSchema says."},
    }
    found = {"type": "object", "properties": {"tools": {"type": "array"}}}
    return [
        _tool(
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
            found,
        ),
        _tool(
            DESCRIBE_TOOLS,
            "Show whole definitions, with inputSchema, of tools that search_tools found. Do it before a first call.",
            {"names": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 10}},
            ["names"],
            found,
        ),
        _tool(CALL_READ, "Call a tool whose effect is read.", inner, ["name"], {"type": "object"}, local=False),
        _tool(
            CALL_CHANGE,
            "Call a tool whose effect is not read: it changes the organization. A person is asked first and sees the "
            "exact request. After approval_pending repeat the very same call once they have decided.",
            inner,
            ["name"],
            {"type": "object"},
            local=False,
            changes=True,
        ),
    ]


def find(tools: Sequence[Json], given: Query) -> Json:
    """Return the tools that fit a query best."""
    texts = [_words(tool) for tool in tools]
    spread = Counter(word for text in texts for word in text)
    rarity = {word: math.log(1 + len(tools) / count) for word, count in spread.items()}
    terms = _known(_terms(given.query), rarity)
    scores = [_score(tool, text, terms, rarity) for tool, text in zip(tools, texts, strict=True)]
    ranks = [(tool["name"] not in given.query.lower(), -score) for tool, score in zip(tools, scores, strict=True)]
    ranked = sorted(range(len(tools)), key=ranks.__getitem__)
    best = [tools[number] for number in ranked[: given.limit] if scores[number] > 0]
    if best:
        return {"tools": [_brief(tool) for tool in best]}
    resources = dict.fromkeys(tool["_meta"][META_RESOURCE] for tool in tools)
    return {"tools": [], "hint": f"Nothing fits. Search for one of: {', '.join(resources)}."}


def _score(tool: Json, text: "_Text", terms: "_Terms", rarity: Mapping[str, float]) -> float:
    """Add up how well each word asked for fits, and prefer the tool whose name says the least besides."""
    fits = ((share * text[word] * rarity[word] for word, share in term if word in text) for term in terms)
    asked = {word for term in terms for word, _ in term}
    things = _split(tool["name"])[1:]
    return sum(max(fit, default=0.0) for fit in fits) * (1 + sum(word in asked for word in things) / len(things))


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


def inner_call(catalog: Mapping[str, Json], outer: str, given: Inner) -> tuple[str, Mapping[str, object]]:
    """Return the tool to call, and its arguments.

    Raises:
        InvalidInput: there is no such tool, or it is not of the kind this way is for.

    """
    tool = catalog.get(given.name)
    if tool is None:
        raise unknown(given.name, catalog)
    right = CALL_READ if tool["_meta"][META_EFFECT] == "read" else CALL_CHANGE
    if outer != right:
        raise InvalidInput(
            f"{given.name} has the effect {tool['_meta'][META_EFFECT]}, which {outer} is not for; nothing was sent.",
            param="name",
            hint=f"Call it through {right} with the same arguments.",
        )
    return given.name, given.arguments


def parse(name: str, arguments: Mapping[str, object]) -> Query | Names | Inner:
    """Validate the arguments of one of the four.

    Raises:
        InvalidInput: names each field that is wrong.

    """
    kinds: dict[str, type[Query | Names | Inner]] = {SEARCH_TOOLS: Query, DESCRIBE_TOOLS: Names}
    kind = kinds.get(name, Inner)
    try:
        return kind.model_validate(without_nulls(kind, arguments))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        said = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in details)
        raise InvalidInput(
            f"{name}: {said}",
            param=str(details[0]["loc"][0]) if details[0]["loc"] else None,
            hint=f"Nothing was sent. Arguments of {name}: {', '.join(kind.model_fields)}.",
        ) from None


def unknown(name: str, known: Mapping[str, Json]) -> InvalidInput:
    """Return the error for a tool that doesn't exist here."""
    return InvalidInput(
        f"There is no tool {name!r} here; nothing was sent.{nearest(name, known)}",
        param="name",
        hint=f"Find the right name with {SEARCH_TOOLS}.",
    )


def _tool(
    name: str,
    description: str,
    properties: Json,
    required: list[str],
    output: Json,
    *,
    local: bool = True,
    changes: bool = False,
) -> Json:
    title = name.replace("_", " ").capitalize()
    effect: Literal["read", "destroy"] = "destroy" if changes else "read"
    return {
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
        "outputSchema": output,
        "annotations": {
            "title": title,
            "readOnlyHint": not changes,
            "destructiveHint": changes,
            "idempotentHint": not changes,
            "openWorldHint": not local,
        },
        "_meta": {META_EFFECT: effect},
    }


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


def _words(tool: Json) -> _Text:
    places = {
        "name": tool["name"],
        "resource": f"{tool['_meta'][META_RESOURCE]} {tool['_meta'][META_ENDPOINT]}",
        "description": tool["description"],
        "arguments": " ".join(tool["inputSchema"]["properties"]),
    }
    found: _Text = {}
    for place, text in places.items():
        for word in _split(text):
            found[word] = max(found.get(word, 0.0), _WEIGHTS[place])
    return found


def _terms(query: str) -> _Terms:
    words = [word for word in _split(query) if word not in _NOISE] or _split(query)
    return [[(word, 1.0), *((other, 0.9) for other in _SAME.get(word, ()))] for word in words]


def _known(terms: _Terms, known: Mapping[str, float]) -> _Terms:
    """Replace a word no tool has by the words that begin like it."""
    return [
        [
            (match, share * (1.0 if match == word else 0.8))
            for word, share in term
            for match in ([word] if word in known else [each for each in known if _alike(each, word)])
        ]
        for term in terms
    ]


def _alike(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    return shorter >= 4 and one[:shorter] == other[:shorter]  # noqa: PLR2004 - shorter beginnings mean little


def _split(text: str) -> list[str]:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return [word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in words]  # noqa: PLR2004
