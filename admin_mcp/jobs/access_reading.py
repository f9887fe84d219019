"""Reads what a question about access needs, and no more. What it means is ``access``'s to say.

The API has no list of who holds a role: it is asked person by person. That is left out where a membership already
says all there can be, which is so as long as no role beyond the predefined ones matters to the question.
"""

from collections.abc import Sequence

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.access import NO_ROLE, ORGANIZATION, Access, HeldRole, Scope, assigned, roles_of
from admin_mcp.jobs.answers import said
from admin_mcp.jobs.reader import Reader

_SHOWN_BY_MEMBERSHIP = {True: frozenset({"owner", "reader"}), False: frozenset({"owner", "member"})}
"""The roles that a member's own row tells by name: in the organization, and in a project."""


async def read_directory(reader: Reader) -> Access:
    """Read who and what there is: people, groups, projects, and the organization's roles."""
    access = Access()
    tools = ("list_users", "list_groups", "list_projects", "list_roles")
    users, groups, projects, roles = await reader.each(
        tools, lambda tool: reader.attempt(_label(tool), reader.all(tool))
    )
    access.people = _by_id(users)
    access.groups = _by_id(groups)
    access.projects = _by_id(projects)
    if roles is not None:
        access.roles[ORGANIZATION] = roles_of(roles)
    return access


async def read_access(reader: Reader, access: Access, scope: Scope) -> None:
    """Read who holds what, within the scope."""
    groups = [scope.group] if scope.group else [*access.groups]
    await reader.each(groups, lambda group: _group(reader, access, group))
    if scope.group is None:
        await _people(reader, access, scope)
    projects = [project for project in access.projects if scope.projects is None or project in scope.projects]
    await reader.each(projects, lambda project: _project(reader, access, scope, project))


async def _group(reader: Reader, access: Access, group: str) -> None:
    name = said(access.groups[group], "name")
    members = await reader.attempt(f"members of group {name}", reader.all("list_group_users", group_id=group))
    access.members[group] = [*_by_id(members)]
    # Somebody whom the list of users does not have has access all the same.
    for person, row in _by_id(members).items():
        access.people.setdefault(person, {name: row.get(name) for name in ("id", "name", "email")})
    roles = await reader.attempt(f"roles of group {name}", reader.all("list_group_roles", group_id=group))
    assigned(access, "group", group, roles or (), ORGANIZATION)


async def _people(reader: Reader, access: Access, scope: Scope) -> None:
    people = [scope.person] if scope.person else [*access.people]
    for person in people:
        if role := said(access.people[person], "role"):
            access.held.append(("person", person, access.role_named(ORGANIZATION, role)))
    if scope.person or _beyond_membership(access.roles.get(ORGANIZATION), scope, ORGANIZATION):
        await reader.each(people, lambda person: _roles_of_person(reader, access, person))


async def _roles_of_person(reader: Reader, access: Access, person: str) -> None:
    label = f"roles of {said(access.people[person], 'name') or person}"
    rows = await reader.attempt(label, reader.all("list_user_roles", user_id=person))
    assigned(access, "person", person, rows or (), ORGANIZATION)


async def _project(reader: Reader, access: Access, scope: Scope, project: str) -> None:
    name = said(access.projects[project], "name")
    roles = await _of_project(reader, "list_project_roles", project, name)
    if roles is not None:
        access.roles[project] = roles_of(roles, project)
    if roles is not None and scope.permission and not _carried(access.roles[project], scope.permission):
        return
    await _project_groups(reader, access, scope, project)
    if scope.group is None:
        await _project_people(reader, access, scope, project)
        if scope.person is None:
            await _project_accounts(reader, access, project)


async def _project_groups(reader: Reader, access: Access, scope: Scope, project: str) -> None:
    name = said(access.projects[project], "name")
    rows = await _of_project(reader, "list_project_groups", project, name) or []
    groups = [group for row in rows if (group := said(row, "group_id"))]
    for row in rows:
        found = said(row, "group_id")
        access.groups.setdefault(found, {"id": found, "name": said(row, "group_name")})
    # One that the list of groups does not have: it can't be read, or the group is of another kind.
    unknown = [group for group in groups if group not in access.members and scope.group is None]
    await reader.each(unknown, lambda group: _group(reader, access, group))

    async def one(group: str) -> None:
        label = f"roles of group {said(access.groups[group], 'name')} in project {name}"
        reading = reader.all("list_project_group_roles", project_id=project, group_id=group)
        assigned(access, "group", group, await reader.attempt(label, reading) or (), project)

    await reader.each([group for group in groups if _matters(access, scope, group)], one)


def _matters(access: Access, scope: Scope, group: str) -> bool:
    if scope.group is not None:
        return group == scope.group
    return scope.person is None or scope.person in access.members.get(group, ())


async def _project_people(reader: Reader, access: Access, scope: Scope, project: str) -> None:
    name = said(access.projects[project], "name")
    rows = await _of_project(reader, "list_project_users", project, name) or []
    members = {key: row for key, row in _by_id(rows).items() if scope.person in {None, key}}
    for person, row in members.items():
        access.people.setdefault(person, {name: row.get(name) for name in ("id", "name", "email")})
        if (role := said(row, "role")) and role != NO_ROLE:
            access.held.append(("person", person, access.role_named(project, role)))
    if not _beyond_membership(access.roles.get(project), scope, project):
        return

    async def one(person: str) -> None:
        label = f"roles of {said(members[person], 'name') or person} in project {name}"
        reading = reader.all("list_project_user_roles", project_id=project, user_id=person)
        assigned(access, "person", person, await reader.attempt(label, reading) or (), project)

    await reader.each(members, one)


async def _project_accounts(reader: Reader, access: Access, project: str) -> None:
    rows = await _of_project(reader, "list_project_service_accounts", project, said(access.projects[project], "name"))
    for account, row in _by_id(rows).items():
        role = said(row, "role")
        access.accounts[account] = {**row, "project": project}
        if role and role != NO_ROLE:
            access.held.append(("service_account", account, access.role_named(project, role)))


def _beyond_membership(roles: dict[str, HeldRole] | None, scope: Scope, place: str) -> bool:
    """Whether some role may matter here that a membership does not tell. An unreadable list of roles may hold any."""
    if roles is None:
        return True
    shown = _SHOWN_BY_MEMBERSHIP[place == ORGANIZATION]
    asked = [role for role in roles.values() if scope.permission is None or role.reaches(scope.permission)]
    return any(not role.predefined or role.name not in shown for role in asked)


def _carried(roles: dict[str, HeldRole], permission: str) -> bool:
    return any(role.reaches(permission) for role in roles.values())


async def _of_project(reader: Reader, tool: str, project: str, name: str) -> list[Json] | None:
    return await reader.attempt(f"{_label(tool)} of project {name}", reader.all(tool, project_id=project))


def _label(tool: str) -> str:
    return tool.removeprefix("list_").removeprefix("project_").replace("_", " ")


def _by_id(rows: Sequence[Json] | None) -> dict[str, Json]:
    return {said(row, "id"): row for row in rows or () if said(row, "id")}
