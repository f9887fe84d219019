"""Who has access to one thing, or what one person or group has, as an answer. Pure."""

from collections.abc import Sequence

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.access import ORGANIZATION, Access, HeldRole, Scope, Way
from admin_mcp.jobs.access_findings import Moment, about_people, last_used
from admin_mcp.jobs.access_words import group_name, name_of, place_of, project_name, through
from admin_mcp.jobs.answers import Said, first_of, moment, said

_MOST_NAMES_IN_ROW = 40
_MOST_WAYS_IN_ROW = 20


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
    return _ofplace_of(access, scope, ways, about, at)


def _asked(way: Way, scope: Scope) -> bool:
    """Whether a way is one to what is asked about. A project is reached by its own roles and by its overseers'."""
    if scope.permission is not None and not way.role.reaches(scope.permission):
        return False
    if scope.person is not None and way.holder != scope.person:
        return False
    inside = scope.projects is None or way.role.project in scope.projects
    return inside or way.role.owns_organization or (way.role.project == ORGANIZATION and scope.permission is not None)


def _ofplace_of(access: Access, scope: Scope, ways: Sequence[Way], about: Json, at: Moment) -> Said:
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
    return [{"id": role.id, "name": role.name, "in": place_of(access, role)} for role in found]


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
    row: Json = {"role": role.name, "role_id": role.id, "in": place_of(access, role)}
    if role.project != ORGANIZATION:
        row["project_id"] = role.project
    if group:
        row |= {"through": group_name(access, group), "group_id": group}
    else:
        row["through"] = "directly"
    row["permissions"] = "all" if role.owns_organization else sorted(role.permissions)
    return row
