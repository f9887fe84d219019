"""What the tools cost a model, and the list of them, as pages for people. Pure."""

import json
from collections.abc import Iterable, Iterator, Sequence

from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.schema import META_EFFECT, META_ENDPOINT, META_RESOURCE, Json
from admin_mcp.gate.undoable import Undo, undoable
from admin_mcp.tools.selection import Selection
from admin_mcp.tools.toolsets import toolsets

BYTES_PER_TOKEN = 4.4
"""What a tool's compact JSON takes: measured over the whole list with the o200k encoding, and good to a few percent."""


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
        f"{len(tools)} tools: one for each documented endpoint, grouped by resource, and jobs that make many calls.",
        "Effects: *read* is free;",
        "*create*, *update*, *grant* (gives access) and *destroy* (takes something away) ask a person first.",
        "Every list takes `fetch_all` to merge its pages, up to `max_items`.",
        "",
        "Undo: *exact* puts everything back under the same ids, so that every read answers as before, but for dates;",
        "*equivalent* comes to the same, with a new id or with something left behind; *none*: no call brings it back.",
        "What was done meanwhile stays done. Where undo is not exact, the last section says why. It is refused where a",
        "field was empty that can't be emptied again, and where somebody has changed the same thing since.",
        "",
    ]
    for resource, inside in groups.items():
        heading = resource.replace("_", " ").capitalize().replace(" api ", " API ")
        table = _endpoints(inside) if META_ENDPOINT in inside[0]["_meta"] else _jobs(inside)
        lines += [f"## {heading}", "", *table, ""]
    lines += _reasons(tools)
    return "\n".join(lines).rstrip() + "\n"


def _endpoints(tools: Iterable[Json]) -> Iterator[str]:
    yield from ("| Tool | Effect | Undo | Endpoint | What it does |", "|---|---|---|---|---|")
    for tool in tools:
        meta = tool["_meta"]
        undo = undo_of(tool)
        can = undo.kind if undo else ""
        cells = [f"`{tool['name']}`", meta[META_EFFECT], can, f"`{meta[META_ENDPOINT]}`", _cell(tool["description"])]
        yield f"| {' | '.join(cells)} |"


def undo_of(tool: Json) -> Undo | None:
    """Return whether and how what a tool changes can be undone; None for what changes nothing."""
    meta, catalog = tool["_meta"], compiled_catalog()
    if META_ENDPOINT not in meta or meta[META_EFFECT] == "read":
        return None
    return undoable(catalog.endpoint(tool["name"]), catalog)


def _reasons(tools: Iterable[Json]) -> Iterator[str]:
    """Yield, for each reason why undoing is not exact, the tools it holds for."""
    found: dict[tuple[str, str], list[str]] = {}
    for tool in tools:
        if (undo := undo_of(tool)) and undo.kind != "exact":
            found.setdefault((undo.kind, undo.reason), []).append(f"`{tool['name']}`")
    if found:
        yield from ("## Where undo is not exact", "")
    for (kind, reason), names in sorted(found.items()):
        yield f"- *{kind}*: {', '.join(names)}. {reason}"


def _jobs(tools: Iterable[Json]) -> Iterator[str]:
    yield from ("| Tool | Effect | What it does |", "|---|---|---|")
    for tool in tools:
        yield f"| `{tool['name']}` | {tool['_meta'][META_EFFECT]} | {_cell(tool['description'])} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
