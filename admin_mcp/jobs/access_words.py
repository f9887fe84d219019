"""What people, groups, projects and ways to a role are called. Pure."""

from collections import Counter

from admin_mcp.jobs.access import ORGANIZATION, Access, HeldRole, Way
from admin_mcp.jobs.answers import said


def name_of(access: Access, holder: str) -> str:
    """Return what somebody is called: a name, or else an address or the id."""
    row = access.people.get(holder) or access.accounts.get(holder) or {}
    return said(row, "name") or said(row, "email") or holder


def group_name(access: Access, group: str) -> str:
    """Return a group in words."""
    return f"group {said(access.groups.get(group, {}), 'name') or group}"


def project_name(access: Access, project: str) -> str:
    """Return what a project is called."""
    return said(access.projects.get(project, {}), "name") or project


def labels(access: Access) -> dict[str, str]:
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


def place_of(access: Access, role: HeldRole) -> str:
    """Return where a role is held, in words."""
    return "organization" if role.project == ORGANIZATION else project_name(access, role.project)
