"""``review_access``: who may do what, and through what.

Of the whole organization the answer is ``totals``, ``findings`` (each with ``kind``, ``count``, what it ``says`` and
``who``), and rows: ``people`` with their organization roles, those who may do most first; ``groups`` with theirs and
who is in them; ``projects`` with who is in them by which role. Narrowed, it begins with what it is ``about``; then come
``people`` and ``service_accounts`` with what they have access ``through``, or of a person or a group the ``ways`` that
lead somewhere. All end with ``as_of``, ``unreadable``, ``more`` where rows are left out, and ``text``.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from admin_mcp.endpoints.fields import INTEGRAL, UNSET, ApiDefault
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput, Permission
from admin_mcp.jobs.access import NO_ROLE, ORGANIZATION, OWNER, Access, HeldRole, Way, role_of
from admin_mcp.jobs.access_findings import (
    Moment,
    about_organization,
    about_people,
    domain_of,
    group_name,
    invites_by_state,
    is_inactive,
    last_used,
    main_domain,
    name_of,
    never_active,
    owners,
    project_name,
)
from admin_mcp.jobs.access_reading import Scope, read_access, read_directory
from admin_mcp.jobs.answers import MOST_BYTES, first_of, moment, names, one_line, said, size, table, window
from admin_mcp.jobs.base import Report
from admin_mcp.jobs.names import Named, named, nearest_to, resolve
from admin_mcp.jobs.reader import Reader

_SPOKEN = {
    "write": ("create", "creating", "add", "change", "edit", "delete", "manage", "update", "write"),
    "read": ("see", "view", "list", "get", "read"),
}
"""Words people use for what a permission's name ends with."""

_FULL_NAME = "api."
_IDLE_WORDS = frozenset({"can", "the", "a", "to", "of", "in", "api", "organization", "project", "permission"})
_MOST_NAMES_IN_LINE = 3
_MOST_NAMES_IN_ROW = 40
_MOST_WAYS_IN_ROW = 20
_BYTES_OF_TEXT = 12_000


class ReviewAccess(Report, toolsets=("people", "security")):
    """Who may do what and through what (own role, group, project): owners, outsiders, inactive people, open invites.
    Narrow it by any of the first four, each an id or name; permission + project answers who can do that there.
    """

    project: str = UNSET
    group: str = UNSET
    person: str = UNSET
    permission: str = UNSET
    inactive_days: Annotated[int, Field(ge=1, le=3650), ApiDefault(90), INTEGRAL] = 90
    skip: Annotated[int, Field(ge=0, description="Rows already seen."), INTEGRAL] = UNSET

    async def answer(self, reader: Reader) -> Json:
        """Read what the question needs, and say who has access."""
        at = Moment(reader.now(), self.inactive_days)
        access = await read_directory(reader)
        scope = await self._scope(reader, access)
        await read_access(reader, access, scope)
        if scope == Scope():
            invites = await reader.attempt("invites", reader.all("list_invites")) or []
            keys = await reader.attempt("admin API keys", reader.all("list_admin_api_keys"))
            said_of_all = overview(access, invites, at, complete=not reader.unread)
            if keys is not None:
                said_of_all["totals"]["admin_keys"] = len(keys)
            return finished(said_of_all, reader.unreadable(), at.seconds, self.skip or 0)
        return finished(focus(access, scope, at), reader.unreadable(), at.seconds, self.skip or 0)

    async def _scope(self, reader: Reader, access: Access) -> Scope:
        """Turn names into ids.

        Raises:
            InvalidInput: a name fits nothing, or several.

        """
        project = _resolved(reader, "project", self.project, access.projects)
        group = _resolved(reader, "group", self.group, access.groups)
        person = _resolved(reader, "person", self.person, access.people)
        if group and person:
            raise InvalidInput(
                "give group or person, not both", param="group", hint="A person's answer has the groups."
            )
        permission = None
        if self.permission is not None:
            known = await _permissions(reader, access, project)
            if reader.unread and self.permission.startswith(_FULL_NAME):
                known.add(self.permission)  # a role that can't be read may carry it
            elif reader.unread and not known:
                raise _unreadable(reader, "permission")
            permission = named_permission(self.permission, known)
        return Scope(frozenset({project}) if project else None, person, group, permission)


def _resolved(reader: Reader, argument: str, given: str | None, rows: Mapping[str, Json]) -> str | None:
    if given is None:
        return None
    if not rows and reader.unread:
        raise _unreadable(reader, argument)
    things = [Named(argument, key, said(row, "name"), said(row, "email")) for key, row in rows.items()]
    return resolve(argument, given, things).id


def _unreadable(reader: Reader, argument: str) -> Permission:
    first = reader.unread[0]
    return Permission(
        f"{argument}: nothing can be looked up, since {first.what} can't be read: {first.why}",
        hint="Tell the operator that the key or the policy does not allow it.",
    )


async def _permissions(reader: Reader, access: Access, project: str | None) -> set[str]:
    """Return the permissions that some role carries: of the organization, and of the project or of all of them."""
    known = {name for role in access.roles.get(ORGANIZATION, {}).values() for name in role.permissions}
    projects = [project] if project else [*access.projects]

    async def one(place: str) -> list[Json]:
        label = f"roles of project {project_name(access, place)}"
        return await reader.attempt(label, reader.all("list_project_roles", project_id=place)) or []

    for rows in await reader.each(projects, one):
        known |= {name for row in rows for name in role_of(row).permissions}
    return known


def named_permission(given: str, known: Iterable[str]) -> str:
    """Return the permission that is meant: its name, the end of it, or what people call it ("create API keys").

    Raises:
        InvalidInput: no role carries such a permission, or several fit.

    """
    listed = sorted(known)
    given = named("permission", given)
    if given in listed:
        return given
    asked = _words(given)
    fitting = [name for name in listed if asked and asked <= _words(name)]
    if len(fitting) == 1:
        return fitting[0]
    near = fitting or [thing.id for thing in nearest_to(given, [Named("permission", name, name) for name in listed])]
    which = f"may be any of {len(fitting)}" if fitting else "is carried by no role"
    raise InvalidInput(
        f"permission: {one_line(given)!r} {which}; {'there are' if near else 'no role carries any'} "
        f"{names(near or listed)}".rstrip()
        + ".",
        param="permission",
        hint="Give one of them. What no role carries, only owners of the organization may do.",
    )


def _words(text: str) -> set[str]:
    """Return the words of a permission or of a wish, in one form: singular, and as permissions are called."""
    words = {word.removesuffix("s") for word in re.findall(r"[a-z]+", text.casefold())}
    spoken = {formal: {word.removesuffix("s") for word in said} for formal, said in _SPOKEN.items()}
    formal = {next((name for name, said in spoken.items() if word in said), word) for word in words}
    return formal - {word.removesuffix("s") for word in _IDLE_WORDS}


@dataclass(slots=True)
class Said:
    """An answer in the making: what stands above the rows, the rows, and how a row is shown in the text."""

    head: Json
    rows: dict[str, list[Json]]
    columns: Mapping[str, tuple[str, ...]]

    def __getitem__(self, key: str) -> Json:
        found: Json = self.head[key]
        return found


def finished(answer: Said, unreadable: Sequence[Json], now: float, skip: int) -> Json:
    """Return an answer with as many of its rows as fit, its text, and the way on."""
    ending: Json = {"as_of": moment(now), "unreadable": [*unreadable]}
    budget = MOST_BYTES - _BYTES_OF_TEXT - size({**answer.head, **ending})
    shown, following = window(answer.rows, skip, budget)
    if following is not None:
        most = max(len(rows) for rows in answer.rows.values())
        ending["more"] = f"Up to {most - following} more rows: repeat with skip={following}, or narrow it."
    return {**answer.head, **shown, **ending, "text": text_of(answer, shown, ending)}


def text_of(answer: Said, shown: Mapping[str, Sequence[Json]], ending: Json) -> str:
    """Return the answer as compact text: totals, findings, and a table of each sort of rows."""
    totals = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in answer.head["totals"].items())
    found = [_finding_line(each) for each in answer.head["findings"]]
    tables = [
        table([name, *columns[1:]], ([_cell(row, column) for column in columns] for row in shown[name]))
        for name, columns in answer.columns.items()
    ]
    missing = f"{len(ending['unreadable'])} could not be read: see unreadable." if ending["unreadable"] else ""
    text = "\n".join(part for part in (totals, *found, *tables, missing, ending.get("more", "")) if part)
    raw = text.encode("utf-8", "replace")
    return text if len(raw) <= _BYTES_OF_TEXT else raw[: _BYTES_OF_TEXT - 40].decode("utf-8", "ignore") + "\n… cut"


def _finding_line(finding: Json) -> str:
    who = names(finding["who"][: min(_MOST_NAMES_IN_LINE, finding["count"])])
    more = f" and {finding['count'] - _MOST_NAMES_IN_LINE} more" if finding["count"] > _MOST_NAMES_IN_LINE else ""
    return f"- {finding['count']} {finding['kind'].replace('_', ' ')}: {who}{more}"


def _cell(row: Json, column: str) -> object:
    value = row["people"].get(OWNER) if column == "owners" else row.get(column)
    if isinstance(value, list):
        return names([str(each) for each in value], 3)
    return "" if value is None else value


def overview(access: Access, invites: Sequence[Json], at: Moment, *, complete: bool) -> Said:
    """Say who has access to the whole organization."""
    ways = access.ways()
    pending, late = invites_by_state(invites, at.seconds)
    domain = main_domain(access.people.values())
    people = [*access.people.values()]
    totals: Json = {
        "people": len(people),
        "owners": len(owners(ways)),
        "groups": len(access.groups),
        "projects": len(access.projects),
        "service_accounts": len(access.accounts),
        "outside_domain": sum(bool(domain_of(row)) and domain_of(row) != domain for row in people),
        "inactive": sum(is_inactive(row, at) for row in people),
        "never_active": sum(never_active(row, at) for row in people),
        "invites_pending": len(pending),
        "invites_expired": len(late),
    }
    findings = [
        *about_organization(access, ways, invites, at.seconds, complete=complete),
        *about_people(access, [*access.people], at),
    ]
    rows = {
        "people": _people_rows(access, ways),
        "groups": _group_rows(access),
        "projects": _project_rows(access),
    }
    columns = {"projects": ("name", "id", "owners", "groups")}
    return Said({"totals": totals, "findings": findings}, rows, columns)


def _people_rows(access: Access, ways: Sequence[Way]) -> list[Json]:
    """Return a row for each person, those who may do most first. What they may do in projects stands there."""
    held: dict[str, list[Way]] = {}
    for way in ways:
        if way.kind == "person" and way.role.project == ORGANIZATION:
            held.setdefault(way.holder, []).append(way)
    rows = []
    for person, row in access.people.items():
        roles = [*dict.fromkeys(through(access, way) for way in held.get(person, ()))]
        shown: Json = {"id": person, "name": said(row, "name"), "email": said(row, "email"), "roles": roles}
        if (used := last_used(row)) is not None:
            shown["last_used"] = moment(used)[:10]
        rows.append((not any(way.role.owns_organization for way in held.get(person, ())), -len(roles), shown))
    return [shown for *_, shown in sorted(rows, key=lambda row: row[:2])]


def _group_rows(access: Access) -> list[Json]:
    roles: dict[str, list[str]] = {}
    for kind, holder, role in access.held:
        if kind == "group" and role.project == ORGANIZATION:
            roles.setdefault(holder, []).append(role.name)
    labels = _labels(access)
    return [
        {
            "id": group,
            "name": said(row, "name"),
            **({"roles": found} if (found := roles.get(group)) else {}),
            "people": first_of([labels.get(one, one) for one in access.members.get(group, ())], _MOST_NAMES_IN_ROW),
        }
        for group, row in access.groups.items()
    ]


def _project_rows(access: Access) -> list[Json]:
    """Return a row for each project: who is in it by themselves, by their role; and its groups with theirs."""
    direct: dict[str, dict[str, list[str]]] = {}
    groups: dict[str, dict[str, list[str]]] = {}
    labels = _labels(access)
    for kind, holder, role in dict.fromkeys(access.held):
        if kind == "person":
            direct.setdefault(role.project, {}).setdefault(role.name, []).append(labels.get(holder, holder))
        elif kind == "group":
            groups.setdefault(role.project, {}).setdefault(holder, []).append(role.name)
    accounts: dict[str, list[str]] = {}
    for row in access.accounts.values():
        label = f"{said(row, 'name')} ({said(row, 'role') or NO_ROLE})"
        accounts.setdefault(said(row, "project"), []).append(label)
    return [
        {
            "id": project,
            "name": said(row, "name"),
            "people": {role: first_of(who, _MOST_NAMES_IN_ROW) for role, who in direct.get(project, {}).items()},
            "groups": [
                f"{said(access.groups.get(group, {}), 'name')} ({', '.join(roles)})"
                for group, roles in groups.get(project, {}).items()
            ],
            "service_accounts": accounts.get(project, []),
        }
        for project, row in access.projects.items()
    ]


def _labels(access: Access) -> dict[str, str]:
    """Return each person's name, or their address where two people have that name."""
    called = Counter(said(row, "name") for row in access.people.values())
    alone = {person: name for person, row in access.people.items() if (name := said(row, "name")) and called[name] == 1}
    return {person: alone.get(person) or said(row, "email") or person for person, row in access.people.items()}


def through(access: Access, way: Way, *, several: bool | None = None) -> str:
    """Say through what somebody has access. ``several``: to more places than one; None: they go without saying."""
    role, inside = way.role, way.role.project != ORGANIZATION
    by = f" through {group_name(access, way.group)}" if way.group else ""
    if several is None:
        return f"{role.name}{by}"
    if several and inside:
        return f"{role.name} in {project_name(access, role.project)}{by}"
    if role.predefined:
        return f"{'project' if inside else 'organization'} {role.name}{by}"
    return f"{role.name}{'' if inside else ' of the organization'}{by}"


def focus(access: Access, scope: Scope, at: Moment) -> Said:
    """Say who has access to one thing, or what one person or group has."""
    ways = [way for way in access.ways() if _asked(way, scope)]
    about: Json = {}
    if scope.projects:
        about["project"] = next({"id": key, "name": project_name(access, key)} for key in scope.projects)
    if scope.permission:
        about["permission"] = scope.permission
    if scope.person:
        return _of_person(access, scope.person, ways, about, at)
    if scope.group:
        return _of_group(access, scope, about, at)
    return _of_place(access, scope, ways, about, at)


def _asked(way: Way, scope: Scope) -> bool:
    """Whether a way is one to what is asked about. A project is reached by its own roles and by its overseers'."""
    if scope.permission is not None and not way.role.reaches(scope.permission):
        return False
    if scope.person is not None and way.holder != scope.person:
        return False
    inside = scope.projects is None or way.role.project in scope.projects
    return inside or way.role.owns_organization or (way.role.project == ORGANIZATION and scope.permission is not None)


def _of_place(access: Access, scope: Scope, ways: Sequence[Way], about: Json, at: Moment) -> Said:
    """Say who reaches a project, a permission, or both."""
    by_holder: dict[tuple[str, str], list[Way]] = {}
    for way in ways:
        by_holder.setdefault((way.kind, way.holder), []).append(way)
    several = scope.projects is None
    rows: dict[str, list[Json]] = {"people": [], "service_accounts": []}
    for (kind, holder), found in by_holder.items():
        row = access.people.get(holder, {}) if kind == "person" else access.accounts.get(holder, {})
        shown: Json = {"id": holder, "name": said(row, "name")}
        shown |= {"email": said(row, "email")} if kind == "person" else {}
        found_through = [*dict.fromkeys(through(access, way, several=several) for way in found)]
        shown["through"] = first_of(found_through, _MOST_WAYS_IN_ROW)
        rows["people" if kind == "person" else "service_accounts"].append(shown)
    people = [row["id"] for row in rows["people"]]
    head: Json = {
        "about": about,
        "totals": {name: len(found) for name, found in rows.items()},
        "findings": [*about_people(access, people, at)],
    }
    if scope.permission and several:
        head["totals"]["roles"] = len(carriers := _carriers(access, scope.permission))
        rows["roles"] = carriers
    columns = {"people": ("name", "through"), "service_accounts": ("name", "through")}
    return Said(head, rows, columns)


def _carriers(access: Access, permission: str) -> list[Json]:
    """Return the roles that carry a permission."""
    found = [role for held in access.roles.values() for role in held.values() if permission in role.permissions]
    return [{"id": role.id, "name": role.name, "in": _place(access, role)} for role in found]


def _place(access: Access, role: HeldRole) -> str:
    return "organization" if role.project == ORGANIZATION else project_name(access, role.project)


def _of_person(access: Access, person: str, ways: Sequence[Way], about: Json, at: Moment) -> Said:
    """Say all that one person has, and through what."""
    row = access.people[person]
    used = last_used(row)
    about["person"] = {"id": person, "name": said(row, "name"), "email": said(row, "email")}
    about["person"]["last_used"] = moment(used)[:10] if used is not None else None
    mine = [group for group, members in access.members.items() if person in members]
    about["person"]["groups"] = first_of([said(access.groups[group], "name") for group in mine], _MOST_NAMES_IN_ROW)
    rows = [_way_row(access, way.role, way.group) for way in ways]
    totals = {
        "groups": len(mine),
        "ways": len(rows),
        "projects": len({r["project_id"] for r in rows if "project_id" in r}),
    }
    head = {"about": about, "totals": totals, "findings": [*about_people(access, [person], at)]}
    return Said(head, {"ways": rows}, {"ways": ("role", "in", "through")})


def _of_group(access: Access, scope: Scope, about: Json, at: Moment) -> Said:
    """Say what one group gives, and to whom."""
    group = scope.group or ""
    about["group"] = {"id": group, "name": said(access.groups[group], "name")}
    held = [role for kind, holder, role in dict.fromkeys(access.held) if kind == "group" and holder == group]
    asked = [role for role in held if _asked(Way("group", group, role), scope)]
    members = access.members.get(group, [])
    rows = {
        "ways": [_way_row(access, role, "") for role in asked],
        "people": [
            {"id": one, "name": name_of(access, one), "email": said(access.people.get(one, {}), "email")}
            for one in members
        ],
    }
    totals = {"people": len(members), "ways": len(asked)}
    head = {"about": about, "totals": totals, "findings": [*about_people(access, members, at)]}
    return Said(head, rows, {"ways": ("role", "in"), "people": ("name", "email")})


def _way_row(access: Access, role: HeldRole, group: str) -> Json:
    row: Json = {"role": role.name, "role_id": role.id, "in": _place(access, role)}
    if role.project != ORGANIZATION:
        row["project_id"] = role.project
    if group:
        row |= {"through": group_name(access, group), "group_id": group}
    else:
        row["through"] = "directly"
    row["permissions"] = "all" if role.owns_organization else sorted(role.permissions)
    return row
