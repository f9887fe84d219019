"""Who may do what, and through what: people, groups, roles and projects as a graph, and the ways through it. Pure.

A role is held in the organization or in one project, by a person or a service account itself or by a group for its
members. An owner of the organization may do everything in it; any other role, what its permissions say.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.answers import listed, said

HolderKind = Literal["person", "group", "service_account"]
ORGANIZATION = ""
"""Where an organization role is held: not in a project."""

OWNER = "owner"
NO_ROLE = "none"


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role and where it is held. One whose id is empty was named by a membership and is in no list of roles."""

    id: str
    name: str
    project: str = ORGANIZATION
    permissions: frozenset[str] = frozenset()
    predefined: bool = False

    @property
    def owns_organization(self) -> bool:
        """Whether it is the predefined owner of the organization."""
        return self.project == ORGANIZATION and self.name == OWNER and (self.predefined or not self.id)

    @property
    def owns_project(self) -> bool:
        """Whether it is the predefined owner of a project."""
        return self.project != ORGANIZATION and self.name == OWNER and (self.predefined or not self.id)

    def reaches(self, permission: str) -> bool:
        """Whether who holds it has a permission."""
        return self.owns_organization or permission in self.permissions


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody comes to a role: by themselves, or through a group."""

    kind: HolderKind
    holder: str
    role: HeldRole
    group: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked about, by ids. None: everything of that sort."""

    projects: frozenset[str] | None = None
    person: str | None = None
    group: str | None = None
    permission: str | None = None


@dataclass(slots=True)
class Access:
    """What was read, by id. ``held`` are the roles held by people, service accounts and groups themselves.

    ``told`` are ways that the API itself tells to lead through a group, which may be one whose members can't be read.
    """

    people: dict[str, Json] = field(default_factory=dict)
    groups: dict[str, Json] = field(default_factory=dict)
    projects: dict[str, Json] = field(default_factory=dict)
    accounts: dict[str, Json] = field(default_factory=dict)
    roles: dict[str, dict[str, HeldRole]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    held: list[tuple[HolderKind, str, HeldRole]] = field(default_factory=list)
    told: list[Way] = field(default_factory=list)

    def role_named(self, project: str, name: str) -> HeldRole:
        """Return the role that a membership calls by its name."""
        called = [role for role in self.roles.get(project, {}).values() if role.name == name]
        return next((role for role in called if role.predefined), called[0] if called else HeldRole("", name, project))

    def ways(self) -> list[Way]:
        """Return every way to a role, each once: what a group holds, its members hold through it."""
        found = dict.fromkeys(self._ways())
        return [*found]

    def _ways(self) -> Iterator[Way]:
        for kind, holder, role in self.held:
            if kind == "group":
                for member in self.members.get(holder, ()):
                    yield Way("person", member, role, holder)
            else:
                yield Way(kind, holder, role)
        yield from self.told


def roles_of(rows: Iterable[Mapping[str, object]], project: str = ORGANIZATION) -> dict[str, HeldRole]:
    """Return the roles in a list, by their ids."""
    return {said(row, "id"): role_of(row, project) for row in rows}


def role_of(row: Mapping[str, object], project: str = ORGANIZATION) -> HeldRole:
    """Return one role as the API shows it."""
    permissions = frozenset(name for name in listed(row, "permissions") if isinstance(name, str))
    return HeldRole(said(row, "id"), said(row, "name"), project, permissions, row.get("predefined_role") is True)


def assigned(access: Access, kind: HolderKind, holder: str, rows: Iterable[Mapping[str, object]], project: str) -> None:
    """Take in a list of assigned roles: what is held directly, and what it says to come through groups."""
    for row in rows:
        role = access.roles.get(project, {}).get(said(row, "id")) or role_of(row, project)
        sources = [source for source in listed(row, "assignment_sources") if isinstance(source, dict)]
        groups = [said(source, "principal_id") for source in sources if said(source, "principal_type") == "group"]
        if len(groups) < len(sources) or not groups:
            access.held.append((kind, holder, role))
        access.told += [Way(kind, holder, role, group) for group in groups]
