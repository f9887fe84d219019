"""Which of the tools a server offers, what they cost a model, and the list as pages for people. Pure."""

import difflib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from admin_mcp.endpoints.schema import META_EFFECT, META_ENDPOINT, META_LOOKUPS, META_RESOURCE, Json
from admin_mcp.errors import SettingsError
from admin_mcp.mentions import without_mentions

PRESETS: dict[str, tuple[str, ...]] = {
    "people": ("users", "invites", "groups", "group_*", "roles", "user_roles"),
    "projects": ("projects", "project_*"),
    "spend": ("costs", "usage", "*_spend_alerts", "*_spend_limit"),
    "security": (
        "audit_logs",
        "admin_api_keys",
        "project_api_keys",
        "project_service_accounts",
        "*certificates",
        "*_data_retention",
        "external_*",
        "workload_identity_providers",
        "federation_rules",
    ),
}
"""The toolsets that are more than one resource, as globs of resources. ``read`` and ``all`` go by effect instead."""

BYTES_PER_TOKEN = 4.4
"""What a tool's compact JSON takes: measured over the whole list with the o200k encoding, and good to a few percent."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the operator wants offered. Names are separated by commas; ``tools`` and ``exclude`` may be globs."""

    toolsets: str = ""
    tools: str = ""
    exclude: str = ""
    read_only: bool = False

    def of(self, tools: Sequence[Json]) -> list[Json]:
        """Return the tools that are listed and callable, their texts rid of what they say of the others.

        With neither toolsets nor tools all are; with both, those of either. A toolset brings along the lists its ids
        come from; a tool that is named by itself brings nothing. What is excluded goes last.

        Raises:
            SettingsError: a name fits nothing, or nothing is left.

        """
        sets, names, excluded = _names(self.toolsets), _names(self.tools), _names(self.exclude)
        known = [tool["name"] for tool in tools]
        _check("--toolsets", sets, toolsets(tools))
        _check("--tools", names, known)
        _check("--exclude-tools", excluded, known)
        usable = [tool for tool in tools if not self.read_only or tool["_meta"][META_EFFECT] == "read"]
        brought = {tool["name"] for each in sets for tool in members(usable, each)}
        chosen = [
            tool for tool in usable if (not sets and not names) or tool["name"] in brought or _fits(tool["name"], names)
        ]
        left = [tool for tool in chosen if not _fits(tool["name"], excluded)]
        if not left:
            raise SettingsError("--toolsets, --tools, --exclude-tools and --read-only together leave no tool")
        missing = set(known) - {tool["name"] for tool in left}
        return [without_mentions(tool, missing) for tool in left] if missing else left


def toolsets(tools: Iterable[Json]) -> list[str]:
    """Return the names of all toolsets: the presets, and each resource."""
    resources = dict.fromkeys(tool["_meta"][META_RESOURCE] for tool in tools)
    return ["all", "read", *PRESETS, *(name for name in resources if name not in PRESETS)]


def members(tools: Sequence[Json], toolset: str) -> list[Json]:
    """Return the tools of one toolset, with the lists that the ids they take come from."""
    inside = {tool["name"]: tool for tool in tools if _in(tool, toolset)}
    by_name = {tool["name"]: tool for tool in tools}
    waiting = [*inside.values()]
    while waiting:
        for name in waiting.pop()["_meta"].get(META_LOOKUPS, ()):
            if name not in inside:
                inside[name] = by_name[name]
                waiting.append(by_name[name])
    return [tool for tool in tools if tool["name"] in inside]


def presets_with(tool: Json) -> list[str]:
    """Return the presets that a tool belongs to by its resource; there is at least one."""
    return [name for name, globs in PRESETS.items() if _fits(tool["_meta"][META_RESOURCE], globs)]


def tokens(tools: Iterable[Json]) -> int:
    """Estimate what a model pays for these tools: o200k tokens of name, description and input schema."""
    seen = ({key: tool[key] for key in ("name", "description", "inputSchema")} for tool in tools)
    return round(sum(len(json.dumps(tool, separators=(",", ":"))) for tool in seen) / BYTES_PER_TOKEN)


def cost(tools: Sequence[Json]) -> str:
    """Return a selection's size in words."""
    return f"{len(tools)} tools, about {tokens(tools):,} tokens"


def summary(chosen: Sequence[Json], every: Sequence[Json], search: Sequence[Json]) -> str:
    """Return what a selection costs, and each toolset by itself, as a table for a terminal."""
    lines = [f"This selection: {cost(chosen)} (name, description and input schema).", ""]
    lines.append(f"{'--toolsets':30} {'tools':>5} {'tokens':>7}")
    for name in toolsets(every):
        inside = Selection(name).of(every)
        lines.append(f"{name:30} {len(inside):5} {tokens(inside):7,}")
    lines += ["", f"{'--search, over any selection':30} {len(search):5} {tokens(search):7,}", ""]
    lines.append("Each toolset brings the lists that the ids it takes come from. Toolsets can be joined with commas.")
    lines.append("Names: `tools --json` or `tools --markdown`.")
    return "\n".join(lines)


def markdown(tools: Sequence[Json]) -> str:
    """Return the tools as a Markdown page, grouped by resource."""
    groups: dict[str, list[Json]] = {}
    for tool in tools:
        groups.setdefault(tool["_meta"][META_RESOURCE], []).append(tool)
    lines = [
        "# Tools",
        "",
        f"{len(tools)} tools, one for each documented endpoint, grouped by resource. Effects: *read* is free;",
        "*create*, *update*, *grant* (gives access) and *destroy* (takes something away) ask a person first.",
        "Every list takes `fetch_all` to merge its pages, up to `max_items`.",
        "",
    ]
    for resource, inside in groups.items():
        heading = resource.replace("_", " ").capitalize().replace(" api ", " API ")
        lines += [f"## {heading}", "", "| Tool | Effect | Endpoint | What it does |"]
        lines.append("|---|---|---|---|")
        for tool in inside:
            meta = tool["_meta"]
            text = tool["description"].replace("|", "\\|")
            lines.append(f"| `{tool['name']}` | {meta[META_EFFECT]} | `{meta[META_ENDPOINT]}` | {text} |")
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a question that offers the names most like this one, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(close)}?" if close else ""


def _in(tool: Json, toolset: str) -> bool:
    meta = tool["_meta"]
    if toolset in {"all", "read"}:
        return toolset == "all" or meta[META_EFFECT] == "read"
    return _fits(meta[META_RESOURCE], PRESETS.get(toolset, (toolset,)))


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def _fits(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _check(flag: str, given: Iterable[str], known: Collection[str]) -> None:
    for name in given:
        if not any(fnmatchcase(each, name) for each in known):
            what, more = ("toolset", "") if flag == "--toolsets" else ("tool", " --markdown")
            near = nearest(name, known)
            raise SettingsError(
                f"{flag}: there is no {what} {name!r}.{near} `openai-admin-mcp tools{more}` lists them all."
            )
