"""Toolsets: the presets, one for each resource, and the lists that come along with their tools. Pure."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from admin_mcp.endpoints.schema import META_EFFECT, META_LOOKUPS, META_RESOURCE, META_TOOLSETS, Json

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


_FOR_CHANGES = frozenset({"plans", "playbooks"})


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
    return [name for name in PRESETS if _in(tool, name)]


def only_reads(tool: Json) -> bool:
    """Whether a tool neither changes anything nor is there for nothing but changes, as those of plans are."""
    return tool["_meta"][META_EFFECT] == "read" and tool["_meta"][META_RESOURCE] not in _FOR_CHANGES


def fits(name: str, globs: Iterable[str]) -> bool:
    """Whether a name fits one of the globs."""
    return any(fnmatchcase(name, glob) for glob in globs)


def _in(tool: Json, toolset: str) -> bool:
    meta = tool["_meta"]
    if toolset in {"all", "read"}:
        return toolset == "all" or only_reads(tool)
    return toolset in meta.get(META_TOOLSETS, ()) or fits(meta[META_RESOURCE], PRESETS.get(toolset, (toolset,)))
