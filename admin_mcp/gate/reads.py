"""Which reads show a person what a change is about: worked out from the catalog's paths. Pure.

For ``DELETE /organization/users/{user_id}/roles/{role_id}`` that is the assignment itself, by the GET of the same path,
and the user, by ``GET /organization/users/{user_id}``.
"""

import re
from dataclasses import dataclass

from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.base import Endpoint, EndpointSpec
from admin_mcp.endpoints.fields import names_thing, names_things
from admin_mcp.endpoints.paging import PaginatedEndpoint
from admin_mcp.gate.effects import effect_of
from admin_mcp.gate.projects import TELLING
from admin_mcp.gate.snapshot import PERSON

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_LAST_PLACEHOLDER = re.compile(r"\{(\w+)\}$")


_PROJECT_ROLE = "GET /projects/{project_id}/roles/{role_id}"
"""What a ``role`` names where it is an id."""


_AFFECTED = ("users", "groups", "service_accounts", "api_keys")
AFFECTED_LIMIT = 100
"""How many affected things are counted: what one page holds."""


@dataclass(frozen=True, slots=True)
class Reads:
    """The reads of one change.

    ``state`` reads the thing to be changed, or None where there is none; ``may_be_absent`` when the change is to make
    it, or to set it for the first time: ``once`` marks what exists once per organization or project. ``own`` is the id
    field that names that very thing. ``names`` reads, for each other id of the request, the thing it stands for; the
    ids of a list are ``certificate_ids[0]`` and so on, those inside it ``projects[0].id``. ``parents`` are those names
    without which there is no such place. ``affected`` lists, by kind, what goes or loses something together with a
    thing that is to be destroyed; ``roles`` what a group carries that somebody joins; ``siblings`` the things among
    which ``called`` must be the only one of its name.
    """

    state: Endpoint | None
    may_be_absent: bool
    once: bool
    own: str | None
    names: dict[str, Endpoint]
    parents: frozenset[str]
    affected: dict[str, Endpoint]
    roles: Endpoint | None
    siblings: Endpoint | None
    called: str | None

    def every(self) -> list[Endpoint]:
        """Return all of them."""
        single = [read for read in (self.state, self.roles, self.siblings) if read is not None]
        return [*single, *self.names.values(), *self.affected.values()]


def plan_reads(call: Endpoint, catalog: Catalog) -> Reads:
    """Choose the reads of a change."""
    spec = type(call).SPEC
    fields = type(call).model_fields
    given = {
        name: getattr(call, name) for name in fields if name in call.model_fields_set and names_thing(fields[name])
    }
    ids = {name: value for name, value in given.items() if value is not None}
    state, absent = _state_read(spec.path, ids, catalog)
    own = _last_field(state) if state and not absent else None
    once = state is not None and own is None and type(state).SPEC.path == spec.path
    names = _names(call, ids, own, catalog)
    called = spec.path_fields[-1] if spec.path_fields and PERSON not in ids and _may_want_name(call) else None
    thing = (state if called == own else names.get(called)) if called else None
    return Reads(
        state=state,
        may_be_absent=absent or (once and spec.effect != "destroy"),
        once=once,
        own=own,
        names=names,
        parents=frozenset(name for name, read in names.items() if _is_parent(read, spec.path)),
        affected=_affected(call, state, catalog),
        roles=_joined_roles(spec, ids, catalog),
        siblings=_siblings(thing, ids, catalog) if thing else None,
        called=called,
    )


def _names(call: Endpoint, ids: dict[str, str], own: str | None, catalog: Catalog) -> dict[str, Endpoint]:
    """Find the read for each id of the request but the target's own, also for those in lists and in listed objects."""
    path = type(call).SPEC.path
    wanted = [(name, name, value) for name, value in ids.items() if name != own]
    for name, values in _listed_ids(call).items():
        wanted += [(f"{name}[{at}]", name.removesuffix("s"), value) for at, value in enumerate(values)]
    for name, parts in _listed_things(call).items():
        one = f"{name.removesuffix('s')}_id"
        wanted += [(f"{name}[{at}].id", one, value) for at, value in enumerate(parts)]
    reads = ((label, _naming_read(name, {**ids, name: value}, path, catalog)) for label, name, value in wanted)
    return {label: read for label, read in reads if read is not None}


def _is_parent(read: Endpoint, path: str) -> bool:
    """Whether what this reads is a place that the path leads through."""
    place = type(read).SPEC.path.removeprefix("/organization")
    return f"{path.removeprefix('/organization')}/".startswith(f"{place}/")


def _may_want_name(call: Endpoint) -> bool:
    """Whether a person may be asked to type the name of what the call is about."""
    spec = type(call).SPEC
    return spec.sensitive or bool(spec.secret) or effect_of(call) in {"destroy", "grant"}


def _joined_roles(spec: EndpointSpec, ids: dict[str, str], catalog: Catalog) -> Endpoint | None:
    """Find the list of the roles that somebody gets by joining a group."""
    if spec.effect != "grant" or PERSON not in ids or "{group_id}" not in spec.path:
        return None
    found = catalog.find(f"GET {spec.path.removesuffix('/users')}/roles")
    return found.model_validate({"group_id": ids["group_id"], "limit": AFFECTED_LIMIT}) if found else None


def _siblings(thing: Endpoint, ids: dict[str, str], catalog: Catalog) -> Endpoint | None:
    """Find the list that has this thing and all others that may have its name."""
    found = catalog.find(f"GET {type(thing).SPEC.path.rpartition('/')[0]}")
    if found is None or not issubclass(found, PaginatedEndpoint):
        return None
    return found.model_validate({**{name: ids[name] for name in found.SPEC.path_fields}, "limit": AFFECTED_LIMIT})


def _affected(call: Endpoint, state: Endpoint | None, catalog: Catalog) -> dict[str, Endpoint]:
    """Find the one-page lists right below a thing that is to be destroyed."""
    if state is None or type(call).SPEC.effect != "destroy":
        return {}
    path = type(state).SPEC.path
    ids = {name: getattr(call, name) for name in type(state).SPEC.path_fields}
    lists = {kind: catalog.find(f"GET {path}/{kind}") for kind in _AFFECTED}
    return {
        kind.replace("_", " "): found.model_validate({**ids, "limit": AFFECTED_LIMIT})
        for kind, found in lists.items()
        if found is not None and set(found.SPEC.path_fields) == set(ids)
    }


def _listed_ids(call: Endpoint) -> dict[str, list[str]]:
    fields = type(call).model_fields
    return {
        name: getattr(call, name) for name in fields if name in call.model_fields_set and names_things(fields[name])
    }


def _listed_things(call: Endpoint) -> dict[str, list[str]]:
    """Return the ids of the objects in each list of objects that have one, as an invite's projects."""
    given = ((name, getattr(call, name)) for name in type(call).model_fields if name in call.model_fields_set)
    lists = {name: value for name, value in given if isinstance(value, list)}
    ids = {name: [getattr(part, "id", None) for part in parts] for name, parts in lists.items()}
    return {name: [str(each) for each in found] for name, found in ids.items() if found and None not in found}


def _state_read(path: str, ids: dict[str, str], catalog: Catalog) -> tuple[Endpoint | None, bool]:
    """Find the GET of the thing itself: on the same path, on its parent for an action, or on the path it will get."""
    if same := _single(f"GET {path}", ids, catalog):
        return same, False
    for endpoint in catalog.endpoints:
        method, _, candidate = endpoint.partition(" ")
        parent, _, last = candidate.rpartition("/")
        if method == "GET" and parent == path and (found := _single(endpoint, ids, catalog)) and last[1:-1] in ids:
            return found, True
    parent, _, action = path.rpartition("/")
    if not action.startswith("{") and parent.endswith("}") and not _is_collection(path, catalog):
        return _single(f"GET {parent}", ids, catalog), False
    return None, False


def _is_collection(path: str, catalog: Catalog) -> bool:
    return f"GET {path}" in catalog.endpoints or any(
        endpoint.partition(" ")[2].startswith(f"{path}/") for endpoint in catalog.endpoints
    )


def _naming_read(name: str, ids: dict[str, str], path: str, catalog: Catalog) -> Endpoint | None:
    """Find the GET of the thing that an id names: by the plainest path, of the same family if there is one."""
    if name == "role":
        return _single(_PROJECT_ROLE, {**ids, "role_id": ids[name]}, catalog)
    found = [
        endpoint
        for endpoint in catalog.endpoints
        if endpoint.startswith("GET ")
        and endpoint.endswith(f"/{{{name}}}")
        and set(_PLACEHOLDER.findall(endpoint)) <= set(ids)
    ]
    family = path.split("/")[1]
    found.sort(key=lambda endpoint: (endpoint.split("/")[1] != family, endpoint.count("{")))
    reads = (_single(endpoint, ids, catalog) for endpoint in found)
    return next((read for read in reads if read is not None), None)


def _single(endpoint: str, ids: dict[str, str], catalog: Catalog) -> Endpoint | None:
    """Return the call of a GET that answers with one thing, not with a page of them."""
    found = catalog.find(endpoint)
    if found is None or "data" in found.SPEC.returns.model_fields:
        return None
    if not set(found.SPEC.path_fields) <= set(ids):
        return None
    return found.model_validate({name: ids[name] for name in found.SPEC.path_fields})


def _last_field(read: Endpoint) -> str | None:
    match = _LAST_PLACEHOLDER.search(type(read).SPEC.path)
    return match.group(1) if match else None


def tells_project(call: Endpoint, catalog: Catalog) -> bool:
    """Whether the target of a change can tell by a read which project it belongs to."""
    state = plan_reads(call, catalog).state
    return state is not None and PERSON not in type(state).SPEC.path_fields and _has_project(type(state))


def _has_project(read: type[Endpoint]) -> bool:
    return not TELLING.isdisjoint(read.SPEC.returns.model_fields)
