"""Which reads show a person what a change is about: worked out from the catalog's paths. Pure.

For ``DELETE /organization/users/{user_id}/roles/{role_id}`` that is the assignment itself, by the GET of the same path,
and the user, by ``GET /organization/users/{user_id}``.
"""

import re
from dataclasses import dataclass

from admin_mcp.catalog import Catalog
from admin_mcp.endpoint import Endpoint, Spec
from admin_mcp.fields import names_thing, names_things

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
    it. ``own`` is the id field that names that very thing. ``names`` reads, for each other id of the request, the thing
    it stands for; the ids of a list are ``certificate_ids[0]`` and so on. ``affected`` lists, by kind, what goes or
    loses something together with a thing that is to be destroyed.
    """

    state: Endpoint | None
    may_be_absent: bool
    own: str | None
    names: dict[str, Endpoint]
    affected: dict[str, Endpoint]


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
    names = {}
    for name in ids:
        if name == own:
            continue
        if read := _naming_read(name, ids, spec.path, catalog):
            names[name] = read
    for name, values in _listed_ids(call).items():
        one = name.removesuffix("s")
        for number, value in enumerate(values):
            if read := _naming_read(one, {**ids, one: value}, spec.path, catalog):
                names[f"{name}[{number}]"] = read
    return Reads(state=state, may_be_absent=absent, own=own, names=names, affected=_affected(call, state, catalog))


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


def verification(spec: Spec, catalog: Catalog) -> str:
    """Return the hint that says which read tells whether a change was made."""
    path = spec.path
    while path:
        if found := catalog.find(f"GET {path}"):
            return f"Call {found.SPEC.name} to see whether the change was made. Don't repeat the change before that."
        path = path.rpartition("/")[0]
    return "Read the present state to see whether the change was made. Don't repeat the change before that."
