"""Who has access to the whole organization: totals, what stands out, then people, groups and projects. Pure."""

from collections.abc import Sequence

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.access import NO_ROLE, ORGANIZATION, Access, Way
from admin_mcp.jobs.access_findings import (
    Moment,
    about_organization,
    about_people,
    domain_of,
    invites_by_state,
    is_inactive,
    last_used,
    main_domain,
    never_active,
    owners,
    quiet,
)
from admin_mcp.jobs.access_words import labels, through
from admin_mcp.jobs.answers import Said, first_of, moment, said

_MOST_NAMES_IN_ROW = 40


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
        "people": _people_rows(access, ways, at),
        "groups": _group_rows(access),
        "projects": _project_rows(access),
    }
    columns = {"projects": ("name", "id", "people.owner", "groups")}
    return Said({"totals": totals, "findings": findings}, rows, columns)


def _people_rows(access: Access, ways: Sequence[Way], at: Moment) -> list[Json]:
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
        if finding := quiet(row, at):
            shown["quiet"] = finding
        rows.append((not any(way.role.owns_organization for way in held.get(person, ())), -len(roles), shown))
    return [shown for *_, shown in sorted(rows, key=lambda row: row[:2])]


def _group_rows(access: Access) -> list[Json]:
    roles: dict[str, list[str]] = {}
    for kind, holder, role in access.held:
        if kind == "group" and role.project == ORGANIZATION:
            roles.setdefault(holder, []).append(role.name)
    called = labels(access)
    return [
        {
            "id": group,
            "name": said(row, "name"),
            **({"roles": found} if (found := roles.get(group)) else {}),
            "people": first_of([called.get(one, one) for one in access.members.get(group, ())], _MOST_NAMES_IN_ROW),
        }
        for group, row in access.groups.items()
    ]


def _project_rows(access: Access) -> list[Json]:
    """Return a row for each project: who is in it by themselves, by their role; and its groups with theirs."""
    direct: dict[str, dict[str, list[str]]] = {}
    groups: dict[str, dict[str, list[str]]] = {}
    called = labels(access)
    for kind, holder, role in dict.fromkeys(access.held):
        if kind == "person":
            direct.setdefault(role.project, {}).setdefault(role.name, []).append(called.get(holder, holder))
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
