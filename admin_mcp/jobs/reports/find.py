"""``find``: who or what goes by a name.

The answer: ``total``, ``found`` (best first, each with ``kind``, ``name``, ``id`` and what tells it apart: ``email``,
``project`` or ``status``; a permission has ``roles``), ``more`` where some are left out, ``nearest`` where nothing is
found, ``as_of``, ``unreadable`` and ``text``.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import Field

from admin_mcp.endpoints.fields import INTEGRAL, UNSET
from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.answers import first_of, inner, listed, moment, one_line, said
from admin_mcp.jobs.base import Report
from admin_mcp.jobs.names import EXACT, Named, named, nearest_to, ranked
from admin_mcp.jobs.reader import Reader
from admin_mcp.jobs.tables import unread_line

Kind = Literal[
    "person",
    "group",
    "project",
    "role",
    "permission",
    "service_account",
    "key",
    "admin_key",
    "invite",
    "certificate",
]
MOST = 20

_T = TypeVar("_T")
_IN_PROJECTS: tuple[Kind, ...] = ("role", "permission", "service_account", "key")
_OF_ORGANIZATION: dict[str, tuple[Kind, ...]] = {
    "list_users": ("person",),
    "list_groups": ("group",),
    "list_projects": ("project",),
    "list_roles": ("role", "permission"),
    "list_invites": ("invite",),
    "list_admin_api_keys": ("admin_key",),
    "list_certificates": ("certificate",),
}
_OF_PROJECT: dict[str, tuple[Kind, ...]] = {
    "list_project_roles": ("role", "permission"),
    "list_project_service_accounts": ("service_account",),
    "list_project_api_keys": ("key",),
}


class Find(Report, toolsets=("people", "projects", "security")):
    """Find anything by a part of its name, e-mail or id, typing errors forgiven, and get the id that other tools take.
    A permission's answer names the roles that carry it.
    """

    query: str
    kinds: list[Kind] = Field(UNSET, min_length=1, description="Only these; left out: all.")
    skip: Annotated[int, Field(ge=0, description="Rows already seen."), INTEGRAL] = UNSET

    async def answer(self, reader: Reader) -> Json:
        """Look through the organization's lists, and through the projects' unless the very one is found before."""
        kinds = frozenset(self.kinds or get_args(Kind))
        named("query", self.query)
        things = await _of_organization(reader, kinds)
        found = ranked(self.query, things)
        if kinds.intersection(_IN_PROJECTS) and not _is_settled(self.query, found):
            things = with_roles_of_permissions([*things, *await _of_projects(reader, kinds)])
            found = ranked(self.query, things)
        near = [] if found else nearest_to(self.query, things)
        return found_answer([thing for _, thing in found], near, reader.unreadable(), reader.now(), self.skip or 0)


def found_answer(
    found: Sequence[Named], near: Sequence[Named], unreadable: Sequence[Json], now: float, skip: int = 0
) -> Json:
    """Return what was found, best first, or the nearest names where nothing was."""
    part = found[skip : skip + MOST]
    end = min(skip, len(found)) + len(part)
    more = f"{len(found) - end} more: give more of the name, or kinds, or go on with skip: {end}."
    rest = {"more": more} if end < len(found) else {}
    nearest = {"nearest": [*map(_row, near)]} if near else {}
    none = [] if found else ["Nothing goes by that name." + (" The nearest:" if near else "")]
    lines = [*none, *map(_line, part if found else near), *rest.values(), *unread_line(unreadable)]
    return {
        "total": len(found),
        "found": [*map(_row, part)],
        **rest,
        **nearest,
        "as_of": moment(now),
        "unreadable": [*unreadable],
        "text": "\n".join(lines),
    }


def named_rows(tool: str, rows: Iterable[Json], project: Json | None = None) -> Iterable[Named]:
    """Return the things in one list, as they can be looked for."""
    where: Json = {"project": said(project, "name"), "project_id": said(project, "id")} if project else {}
    for row in rows:
        match tool:
            case "list_roles" | "list_project_roles":
                yield Named("role", said(row, "id"), said(row, "name"), more=where)
                yield from _permissions(row, project)
            case "list_invites":
                status = {"status": row.get("status")}
                yield Named("invite", said(row, "id"), "", said(row, "email"), more=status)
            case "list_project_api_keys" | "list_admin_api_keys":
                yield _key(row, where)
            case _:
                kind = (_OF_PROJECT.get(tool) or _OF_ORGANIZATION[tool])[0]
                yield Named(kind, said(row, "id"), said(row, "name"), said(row, "email"), more=where)


def with_roles_of_permissions(things: Iterable[Named]) -> list[Named]:
    """Return the things, each permission once, with all the roles that carry it."""
    kept: list[Named] = []
    roles: dict[str, list[str]] = {}
    for thing in things:
        if thing.kind == "permission":
            carriers = roles.setdefault(thing.name, [])
            carriers += [role for role in thing.more["roles"] if role not in carriers]
        else:
            kept.append(thing)
    return [*kept, *(Named("permission", name, name, more={"roles": held}) for name, held in roles.items())]


def _permissions(role: Json, project: Json | None) -> Iterable[Named]:
    within = f" in {said(project, 'name')}" if project else ""
    carrier = f"{said(role, 'name')}{within} ({said(role, 'id')})"
    for name in listed(role, "permissions"):
        if isinstance(name, str):
            yield Named("permission", name, name, more={"roles": [carrier]})


def _key(row: Json, where: Json) -> Named:
    owner = inner(row, "owner")
    holder = inner(owner, "user") or inner(owner, "service_account") or owner
    shown = {"value": said(row, "redacted_value"), "owner": said(holder, "name")}
    kind = "key" if where else "admin_key"
    return Named(kind, said(row, "id"), said(row, "name"), also=shown["value"], more={**where, **shown})


def _row(thing: Named) -> Json:
    """Return a thing for the answer, its empty fields left out. A permission has no id: its name is what is given."""
    row: Json = {"kind": thing.kind, "name": thing.name, "id": thing.id, "email": thing.email, **thing.more}
    if thing.kind == "permission":
        row = {"kind": thing.kind, "name": thing.name, "roles": first_of(thing.more["roles"], MOST)}
    return {key: value for key, value in row.items() if value not in ("", None) or key == "id"}


def _line(thing: Named) -> str:
    parts = (
        thing.kind,
        thing.name,
        thing.email,
        thing.id,
        f"in {where}" if (where := thing.more.get("project")) else "",
    )
    return " | ".join(one_line(part) for part in dict.fromkeys(parts) if part)


def _is_settled(query: str, found: Sequence[tuple[float, Named]]) -> bool:
    """Whether the query was an id or an address that is found: no project has another of that."""
    wanted = query.strip().casefold()
    return any(
        score >= EXACT and wanted in {thing.id.casefold(), thing.email.casefold()} and thing.kind != "permission"
        for score, thing in found
    )


async def _of_organization(reader: Reader, kinds: frozenset[str]) -> list[Named]:
    async def one(tool: str) -> list[Named]:
        rows = await reader.attempt(f"{tool}: not looked through", reader.all(tool))
        return [thing for thing in named_rows(tool, rows or ()) if thing.kind in kinds]

    tools = [tool for tool, holds in _OF_ORGANIZATION.items() if kinds.intersection(holds)]
    return with_roles_of_permissions(await _all_of(reader, one, tools))


async def _of_projects(reader: Reader, kinds: frozenset[str]) -> list[Named]:
    projects = await reader.attempt("projects, and what is in them", reader.all("list_projects")) or []
    tools = [tool for tool, holds in _OF_PROJECT.items() if kinds.intersection(holds)]

    async def one(place: tuple[Json, str]) -> list[Named]:
        project, tool = place
        label = f"{tool.removeprefix('list_project_').replace('_', ' ')} of project {said(project, 'name')}"
        rows = await reader.attempt(label, reader.all(tool, project_id=said(project, "id")))
        return [thing for thing in named_rows(tool, rows or (), project) if thing.kind in kinds]

    return await _all_of(reader, one, [(project, tool) for project in projects for tool in tools])


async def _all_of(reader: Reader, one: Callable[[_T], Awaitable[list[Named]]], places: Sequence[_T]) -> list[Named]:
    return [thing for found in await reader.each(places, one) for thing in found]
