"""What evidence is read from: the organization's state, list by list, and the audit events of a period.

Each kind is a list of objects as the API gives them; those inside another thing also carry its id.
"""

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Final

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import ApiError, NotFound, Permission, PolicyDenied, SchemaMismatch
from admin_mcp.jobs.answers import said
from admin_mcp.jobs.listed import by_id
from admin_mcp.jobs.periods import Period
from admin_mcp.jobs.reader import Reader

_ORGANIZATION: Final = {
    "users": ("list_users", {}),
    "invites": ("list_invites", {}),
    "groups": ("list_groups", {}),
    "roles": ("list_roles", {}),
    "projects": ("list_projects", {"include_archived": True}),
    "admin_api_keys": ("list_admin_api_keys", {}),
    "certificates": ("list_certificates", {}),
    "organization_spend_alerts": ("list_organization_spend_alerts", {}),
}
_SETTINGS: Final = {
    "organization_spend_limit": "get_organization_spend_limit",
    "organization_data_retention": "get_organization_data_retention",
}
_OF_GROUP: Final = {"group_users": "list_group_users", "group_roles": "list_group_roles"}
_OF_PROJECT: Final = {
    "project_users": "list_project_users",
    "project_groups": "list_project_groups",
    "project_roles": "list_project_roles",
    "project_service_accounts": "list_project_service_accounts",
    "project_api_keys": "list_project_api_keys",
    "project_rate_limits": "list_project_rate_limits",
    "project_spend_alerts": "list_project_spend_alerts",
    "project_certificates": "list_project_certificates",
}
_SETTINGS_OF_PROJECT: Final = {
    "project_spend_limits": "get_project_spend_limit",
    "project_data_retention": "get_project_data_retention",
    "project_model_permissions": "get_project_model_permissions",
}
_ASSIGNED: Final = ("user_roles", "project_user_roles", "project_group_roles")
EVENTS: Final = "audit_events"
JOURNAL: Final = "journal"
KINDS: Final = (
    *_ORGANIZATION,
    *_SETTINGS,
    *_OF_GROUP,
    *_OF_PROJECT,
    *_SETTINGS_OF_PROJECT,
    *_ASSIGNED,
    EVENTS,
    JOURNAL,
)
"""Every kind of evidence; each becomes a file."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that could not be read: of which kind, inside what (an id, or nothing), and why."""

    kind: str
    of: str
    why: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """One read: of which kind, by which tool, and the ids of what it is inside of."""

    kind: str
    tool: str
    inside: Json


@dataclass(slots=True)
class Evidence:
    """What was read, by kind, and what was not."""

    rows: dict[str, list[Json]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    missing: list[Missing] = field(default_factory=list)


async def read_evidence(reader: Reader, period: Period) -> Evidence:
    """Read everything but the journal, which is this machine's."""
    found = Evidence()

    async def whole(kind: str) -> None:
        tool, given = _ORGANIZATION[kind]
        await _list(reader, found, kind, tool, {}, **given)

    await reader.each(_ORGANIZATION, whole)
    await reader.each(_SETTINGS, lambda kind: _one(reader, found, kind, _SETTINGS[kind], {}))
    await reader.each(by_id(found.rows["groups"]), lambda group: _group(reader, found, group))
    active = [item for item, row in by_id(found.rows["projects"]).items() if row.get("status") != "archived"]
    await reader.each(active, lambda project: _project(reader, found, project))
    people = by_id(found.rows["users"])
    await reader.each(
        people, lambda user: _list(reader, found, "user_roles", "list_user_roles", {"user_id": user}, user_id=user)
    )
    within = {"effective_at": {"gte": period.start, "lt": period.end}}
    await _list(reader, found, EVENTS, "list_audit_logs", {}, **within)
    return found


async def _group(reader: Reader, found: Evidence, group: str) -> None:
    inside = {"group_id": group}
    await reader.each(_OF_GROUP, lambda kind: _list(reader, found, kind, _OF_GROUP[kind], inside, **inside))


async def _project(reader: Reader, found: Evidence, project: str) -> None:
    inside = {"project_id": project}

    async def one(kind: str) -> None:
        more = {"owner_project_access": "any"} if kind == "project_api_keys" else {}
        await _list(reader, found, kind, _OF_PROJECT[kind], inside, **inside, **more)

    await reader.each(_OF_PROJECT, one)
    await reader.each(_SETTINGS_OF_PROJECT, lambda kind: _one(reader, found, kind, _SETTINGS_OF_PROJECT[kind], inside))
    await _assigned(reader, found, project, "user", _ids(found, "project_users", project, "id"))
    await _assigned(reader, found, project, "group", _ids(found, "project_groups", project, "group_id"))


async def _assigned(reader: Reader, found: Evidence, project: str, what: str, holders: Iterable[str]) -> None:
    async def one(holder: str) -> None:
        inside = {"project_id": project, f"{what}_id": holder}
        await _list(reader, found, f"project_{what}_roles", f"list_project_{what}_roles", inside, **inside)

    await reader.each(holders, one)


def _ids(found: Evidence, kind: str, project: str, key: str) -> list[str]:
    rows = [row for row in found.rows[kind] if row.get("project_id") == project]
    return [*dict.fromkeys(item for row in rows if (item := said(row, key)))]


async def _list(reader: Reader, found: Evidence, kind: str, tool: str, inside: Json, /, **given: object) -> None:
    await _noted(reader, found, _Asked(kind, tool, inside), reader.all(tool, **given))


async def _one(reader: Reader, found: Evidence, kind: str, tool: str, inside: Json) -> None:
    async def read() -> list[Json]:
        try:
            return [await reader.get(tool, **inside)]
        except NotFound:  # so the API says that nothing is set
            return []

    await _noted(reader, found, _Asked(kind, tool, inside), read())


async def _noted(reader: Reader, found: Evidence, what: _Asked, reading: Awaitable[list[Json]]) -> None:
    """Keep what is read, or why it can't be. What the reader had to leave off is noted as well."""
    kind, of = what.kind, "/".join(map(str, what.inside.values()))
    before = len(reader.unread)
    try:
        rows = await reading
    except (Permission, PolicyDenied, NotFound, ApiError, SchemaMismatch) as error:
        found.missing.append(Missing(kind, of, error.message))
        return
    left_off = (each for each in reader.unread[before:] if each.what.startswith(f"{what.tool} beyond "))
    found.missing += [Missing(kind, of, f"{each.what}: {each.why}") for each in left_off]
    found.rows[kind] += [{**what.inside, **row} for row in rows]
