"""``review_access``: who may do what, and through what.

Of the whole organization the answer is ``totals``, ``findings`` (each with ``kind``, ``count``, what it ``says`` and
``who``), and rows: ``people`` with their organization roles, those who may do most first, and ``quiet`` where somebody
is among the inactive or never active ones; ``groups`` with theirs and who is in them; ``projects`` with who is in them
by which role. Narrowed, it begins with what it is ``about``; then come ``people`` and ``service_accounts`` with what
they have access ``through``, or of a person or a group the ``ways`` that lead somewhere. All end with ``as_of``,
``unreadable``, ``more`` where rows are left out, and ``text``.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from admin_mcp.endpoints.fields import INTEGRAL, UNSET, ApiDefault
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput, Permission
from admin_mcp.jobs.access import ORGANIZATION, Access, Scope, role_of
from admin_mcp.jobs.access_findings import Moment
from admin_mcp.jobs.access_focus import focus
from admin_mcp.jobs.access_overview import overview
from admin_mcp.jobs.access_reading import read_access, read_directory
from admin_mcp.jobs.access_words import project_name
from admin_mcp.jobs.answers import finished, said
from admin_mcp.jobs.base import Report
from admin_mcp.jobs.names import Named, resolve
from admin_mcp.jobs.permission_names import named_permission
from admin_mcp.jobs.reader import Reader

_FULL_NAME = "api."


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
