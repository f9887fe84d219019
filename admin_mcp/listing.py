"""The tool list for people and for selections: which tools a setting leaves, and the list as a page. Pure."""

from collections.abc import Iterable, Sequence

from admin_mcp.tool import META_EFFECT, META_ENDPOINT, META_RESOURCE, Json


def selected(tools: Iterable[Json], *, read_only: bool) -> list[Json]:
    """Return the tools that are listed and callable."""
    return [tool for tool in tools if not read_only or tool["_meta"][META_EFFECT] == "read"]


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
        "",
    ]
    for resource, members in groups.items():
        heading = resource.replace("_", " ").capitalize().replace(" api ", " API ")
        lines += [f"## {heading}", "", "| Tool | Effect | Endpoint | What it does |"]
        lines.append("|---|---|---|---|")
        for tool in members:
            meta = tool["_meta"]
            text = tool["description"].replace("|", "\\|")
            lines.append(f"| `{tool['name']}` | {meta[META_EFFECT]} | `{meta[META_ENDPOINT]}` | {text} |")
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"
