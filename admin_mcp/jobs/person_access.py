"""What one person has: memberships, roles, keys, pending invites; and what they leave behind. Reads only.

What they hold through a group is the group's, and ends with the membership.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import NotFound
from admin_mcp.gate.text import folded, visible
from admin_mcp.jobs.naming import label, labels, listed, rows
from admin_mcp.jobs.reader import Reader

T = TypeVar("T")

_TAIL = 4


@dataclass(frozen=True, slots=True)
class ProjectAccess:
    """What a person has in one project. ``role`` is their membership's, None where they are no member."""

    project: Json
    role: str | None = None
    roles: tuple[Json, ...] = ()
    keys: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """All that a person has. ``roles`` are custom roles of the organization, given to them directly."""

    user: Json
    projects: tuple[ProjectAccess, ...] = ()
    groups: tuple[Json, ...] = ()
    roles: tuple[Json, ...] = ()
    admin_keys: tuple[Json, ...] = ()
    invites: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Survivor:
    """A service account that a person made, with its keys or those of its keys that the person made."""

    project: Json
    account: Json
    keys: tuple[Json, ...]


async def if_there(reader: Reader, what: str, reading: Awaitable[T]) -> T | None:
    """Return what is there, or None where there is no such thing. What may not be read is noted."""

    async def asked() -> T | None:
        try:
            return await reading
        except NotFound:
            return None

    return await reader.attempt(what, asked())


@dataclass(frozen=True, slots=True)
class Extent:
    """Where to look for access."""

    projects: tuple[Json, ...]
    groups: tuple[Json, ...]


async def everywhere(reader: Reader) -> Extent:
    """Return all projects that are not archived, and all groups."""
    projects = await reader.attempt("the projects", rows(reader, "list_projects")) or []
    groups = await reader.attempt("the groups", rows(reader, "list_groups")) or []
    return Extent(tuple(projects), tuple(groups))


async def read_access(reader: Reader, user: Json, extent: Extent, *, keys: bool) -> Access:
    """Read what a person has within an extent; without ``keys`` only memberships and roles."""
    user_id = user["id"]

    async def in_project(project: Json) -> ProjectAccess:
        return await _project_access(reader, user_id, project, keys=keys)

    async def in_group(group: Json) -> Json | None:
        what = f"whether they are in group {label(group)}"
        return await if_there(reader, what, reader.get("get_group_user", group_id=group["id"], user_id=user_id))

    inside = await reader.each(extent.projects, in_project)
    belongs = await reader.each(extent.groups, in_group)
    roles = await if_there(reader, "their organization roles", rows(reader, "list_user_roles", user_id=user_id))
    return Access(
        user=user,
        projects=tuple(each for each in inside if each.role is not None or each.roles or each.keys),
        groups=tuple(group for group, member in zip(extent.groups, belongs, strict=True) if member is not None),
        roles=direct_custom(roles or [], user_id),
        admin_keys=await _admin_keys(reader, user_id) if keys else (),
        invites=await pending_invites(reader, str(user.get("email") or "")) if keys else (),
    )


async def _project_access(reader: Reader, user_id: str, project: Json, *, keys: bool) -> ProjectAccess:
    place = {"project_id": project["id"]}
    person = {**place, "user_id": user_id}
    name = label(project)
    member = await if_there(reader, f"whether they are in project {name}", reader.get("get_project_user", **person))
    roles = await if_there(reader, f"their roles in project {name}", rows(reader, "list_project_user_roles", **person))
    theirs = owned_by(user_id, await project_keys(reader, project)) if keys else ()
    return ProjectAccess(
        project=project,
        role=None if member is None else str(member.get("role")),
        roles=direct_custom(roles or [], user_id),
        keys=theirs,
    )


async def project_keys(reader: Reader, project: Json) -> list[Json]:
    """Return every key of a project that is not disabled, whoever owns it."""
    reading = rows(reader, "list_project_api_keys", project_id=project["id"], owner_project_access="any")
    return await if_there(reader, f"the keys of project {label(project)}", reading) or []


async def _admin_keys(reader: Reader, user_id: str) -> tuple[Json, ...]:
    keys = await reader.attempt("the admin keys", rows(reader, "list_admin_api_keys")) or []
    return tuple(key for key in keys if _part(key, "owner").get("id") == user_id)


async def pending_invites(reader: Reader, email: str) -> tuple[Json, ...]:
    """Return the invites to an address that can still be accepted."""
    if not email:
        return ()
    invites = await reader.attempt("the invites", rows(reader, "list_invites")) or []
    return tuple(invite for invite in invites if is_pending(invite) and same_address(invite.get("email"), email))


def is_pending(invite: Json) -> bool:
    """Whether an invite can still be accepted."""
    return invite.get("status") == "pending"


def same_address(one: object, other: object) -> bool:
    """Whether two e-mail addresses are the same to a person."""
    return folded(str(one or "")) == folded(str(other or ""))


def owned_by(user_id: str, keys: Sequence[Json]) -> tuple[Json, ...]:
    """Return those of a project's keys that are a person's own."""
    return tuple(key for key in keys if _owner(key, "user").get("id") == user_id)


def account_of(key: Json) -> str | None:
    """Return the id of the service account that a project's key belongs to, or None."""
    found = _owner(key, "service_account").get("id")
    return found if isinstance(found, str) else None


def _owner(key: Json, kind: str) -> Json:
    return _part(_part(key, "owner"), kind)


def _part(thing: Json, name: str) -> Json:
    found = thing.get(name)
    return found if isinstance(found, dict) else {}


def direct_custom(roles: Sequence[Json], holder: str) -> tuple[Json, ...]:
    """Return the custom roles that are given to the holder itself. The API's own end with the membership."""
    return tuple(role for role in direct(roles, holder) if role.get("predefined_role") is not True)


def direct(roles: Sequence[Json], holder: str) -> tuple[Json, ...]:
    """Return the roles that are given to the holder itself, rather than held through a group only."""
    return tuple(role for role in roles if _given_directly(role.get("assignment_sources"), holder))


def _given_directly(sources: object, holder: str) -> bool:
    if not isinstance(sources, list) or not sources:
        return True
    return any(isinstance(source, dict) and source.get("principal_id") == holder for source in sources)


def tail_of(key: Json) -> str:
    """Return the end of a key's secret that is shown, such as ``a1B2``."""
    shown = str(key.get("redacted_value") or "")
    return shown.replace("*", ".").replace("…", ".").rpartition(".")[2][-_TAIL:] or "?"


def key_label(key: Json) -> str:
    """Return how a key is called in a sentence."""
    return f"{label(key)} ending {visible(tail_of(key))}"


async def read_survivors(reader: Reader, access: Access) -> list[Survivor]:
    """Return the service accounts that the person made, as the audit log tells, which are still there."""
    actors = [access.user["id"], *(key["id"] for key in access.admin_keys)]
    reading = rows(
        reader, "list_audit_logs", actor_ids=actors, event_types=["service_account.created", "api_key.created"]
    )
    what = "the audit log, so it is not known which service accounts and keys they made"
    events = made_by_actors(await reader.attempt(what, reading) or [], actors)
    projects = {str(event["project"]["id"]): event["project"] for event in events if _part(event, "project").get("id")}

    async def in_project(project: Json) -> list[Survivor]:
        reading = rows(reader, "list_project_service_accounts", project_id=project["id"])
        accounts = await if_there(reader, f"the service accounts of project {label(project)}", reading) or []
        return survivors(project, accounts, await project_keys(reader, project), events)

    return [each for found in await reader.each(projects.values(), in_project) for each in found]


def made_by_actors(events: Sequence[Json], actors: Sequence[str]) -> list[Json]:
    """Return those audit events that were caused by one of these people or keys themselves."""
    return [event for event in events if _actors(event) & set(actors)]


def _actors(event: Json) -> set[object]:
    actor = _part(event, "actor")
    key = _part(actor, "api_key")
    found = (_part(_part(actor, "session"), "user").get("id"), key.get("id"), _part(key, "user").get("id"))
    return {each for each in found if isinstance(each, str)}


def survivors(project: Json, accounts: Sequence[Json], keys: Sequence[Json], events: Sequence[Json]) -> list[Survivor]:
    """Return the accounts that were made in these events, and those for which a key was: with these keys."""
    made = {_part(event, str(event.get("type"))).get("id") for event in events}
    found = []
    for account in accounts:
        theirs = [key for key in keys if account_of(key) == account["id"]]
        known = theirs if account["id"] in made else [key for key in theirs if key["id"] in made]
        if account["id"] in made or known:
            found.append(Survivor(project, account, tuple(known)))
    return found


def survivor_notes(found: Sequence[Survivor]) -> list[str]:
    """Return what to know about the service accounts that stay."""
    notes = []
    for each in found:
        keys = listed([key_label(key) for key in each.keys]) or "no key that can be seen"
        notes.append(
            f"Stays: service account {label(each.account)} in project {label(each.project)}, which they made or made "
            f"a key for ({keys}). They may know its secret: plan_key_rotation replaces the keys."
        )
    return notes


def resources_note(access: Access) -> str:
    """Return what is told of the things a person made inside projects."""
    inside = [each.project for each in access.projects]
    where = f" ({labels(inside)})" if inside else ""
    return f"Stays: whatever they made inside projects{where}, such as files; the Admin API does not list it."
