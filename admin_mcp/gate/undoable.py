"""Whether a change can be undone, how, and why not: worked out from the catalog, for a tool as a whole. Pure.

``exact``: after the change and its undoing every read answers as before, under the same ids. Only moments differ (when
a link was made, when a thing was last written), and what was done with a thing while it was different stays done.
``equivalent``: it comes to the same, but a thing has a new id, or something stays behind that no call takes away.
``none``: no call brings it back. Where a rule can't tell, the lesser of two is said.

The calls themselves are made in ``reversal.py``.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, assert_never, get_args

from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.base import ApiObject, Endpoint, EndpointSpec, retirement
from admin_mcp.endpoints.schema import META_ENDPOINT

Undoable = Literal["exact", "equivalent", "none"]

Way = Literal["set_back", "switch", "remove", "set_again", "link_again", "make_again", "nothing"]
"""How: set the old values; call the opposite action; remove what was made; set or link or make again what was removed.

``nothing``: there is no way.
"""


@dataclass(frozen=True, slots=True)
class Undo:
    """What can be done about a change once it was made. ``tool`` is the one that does it; ``reason`` a sentence."""

    kind: Undoable
    way: Way
    reason: str
    tool: str | None = None


_PLACEHOLDER_AT_END = re.compile(r"/\{(\w+)\}$")

_HOPELESS = {
    "delete_user": "The person can only be invited anew; roles, groups, projects and keys do not come back with them.",
    "delete_invite": "Inviting the person again is a new invite: it sends another e-mail, and its days count anew.",
}
"""What could be begun anew, and would not be the same."""

_NOT_QUITE = {
    "create_external_storage": "The configuration is deleted again; what was stored meanwhile stays in the bucket.",
    "create_invite": "The invite is withdrawn while nobody has accepted it; the e-mail that was sent stays sent.",
    "delete_project_user": "The membership and the roles in the project are given again; whether the person's keys "
    "there work again is not known.",
}
"""What can be taken back by a call, and leaves something behind that reads don't show."""


def undoable(endpoint: type[Endpoint], catalog: Catalog) -> Undo:
    """Return whether and how a tool's changes can be undone.

    Raises:
        ValueError: the tool changes nothing.

    """
    spec = endpoint.SPEC
    if reason := _HOPELESS.get(spec.name):
        return Undo("none", "nothing", reason)
    found = _by_rule(endpoint, catalog)
    reason = _NOT_QUITE.get(spec.name)
    return Undo("equivalent", found.way, reason, found.tool) if reason else found


def settable_fields(endpoint: type[Endpoint]) -> list[str]:
    """Return the fields of a call that say what is to be, not where."""
    spec = endpoint.SPEC
    apart = {*spec.path_fields, *spec.local_fields}
    return [name for name in endpoint.model_fields if name not in apart and retirement(endpoint, name) is None]


def shown_as(name: str, shown: Collection[str]) -> str | None:
    """Return under which name a thing shows what is set as ``name``, or None: ``role_name`` is a role's ``name``."""
    keys = (name, name.rpartition("_")[2])
    return next((key for key in keys if key in shown and key != "id"), None)


def fields_shown(spec: EndpointSpec, catalog: Catalog) -> Collection[str]:
    """Return what is shown of the thing that a path names: by a read of its own, or as a row of the list it is in."""
    if same := catalog.find(f"GET {spec.path}"):
        return same.SPEC.returns.model_fields.keys()
    rows = list_around(spec, catalog)
    row = _row_model(rows.SPEC.returns) if rows else None
    return row.model_fields.keys() if row else ()


def list_around(spec: EndpointSpec, catalog: Catalog) -> type[Endpoint] | None:
    """Return the list that the thing a path names, or what an action is done to, stands in."""
    found = catalog.find(f"GET {spec.path.rpartition('/')[0]}")
    return found if found and "data" in found.SPEC.returns.model_fields else None


def roles_list(spec: EndpointSpec, catalog: Catalog) -> type[Endpoint] | None:
    """Return the list of the roles that the person or group at the end of a path holds there."""
    return catalog.find(f"GET {spec.path}/roles") or catalog.find(
        f"GET {spec.path.removeprefix('/organization')}/roles"
    )


def maker_of(spec: EndpointSpec, catalog: Catalog) -> type[Endpoint] | None:
    """Return what makes such a thing as the path names."""
    return catalog.find(f"POST {spec.path.rpartition('/')[0]}")


def _row_model(page: type[ApiObject]) -> type[ApiObject] | None:
    rows = get_args(page.model_fields["data"].annotation)
    return next((row for row in rows if isinstance(row, type) and issubclass(row, ApiObject)), None)


def _by_rule(endpoint: type[Endpoint], catalog: Catalog) -> Undo:
    spec = endpoint.SPEC
    match spec.effect:
        case "read":
            raise ValueError(f"{spec.name} changes nothing")
        case "update":
            return _of_update(endpoint, catalog)
        case "create" | "grant":
            return _of_creation(spec, catalog)
        case "destroy":
            return _of_removal(spec, catalog) if _PLACEHOLDER_AT_END.search(spec.path) else _of_unsetting(spec, catalog)
    assert_never(spec.effect)


def _of_update(endpoint: type[Endpoint], catalog: Catalog) -> Undo:
    spec = endpoint.SPEC
    if spec.undo:
        return Undo("exact", "switch", "What was not so before is switched back.", spec.undo)
    fields, shown = settable_fields(endpoint), fields_shown(spec, catalog)
    if not fields:
        return Undo("none", "nothing", "It is a check: it sets nothing that could be set back.")
    by_roles = {"role_id"} if roles_list(spec, catalog) else set()
    if hidden := [name for name in fields if name not in by_roles and shown_as(name, shown) is None]:
        return Undo("none", "nothing", f"The API does not show what was set before: {' and '.join(hidden)}.")
    return Undo("exact", "set_back", "The old values are set again.", spec.name)


def _of_creation(spec: EndpointSpec, catalog: Catalog) -> Undo:
    if remover := spec.undo or _first(rf"DELETE {re.escape(spec.path)}/\{{\w+\}}", catalog):
        return Undo("exact", "remove", "What was made or given is taken away again.", remover)
    if archiver := _first(rf"POST {re.escape(spec.path)}/\{{\w+\}}/archive", catalog):
        return Undo("equivalent", "remove", "It is archived, and stays listed as archived.", archiver)
    return Undo("none", "nothing", "No tool takes it away again.")


def _of_unsetting(spec: EndpointSpec, catalog: Catalog) -> Undo:
    """Say what can be done about the end of what a path names without an id: a setting, or an action that ends one."""
    setter = catalog.find(f"POST {spec.path}") if spec.method == "DELETE" else None
    if setter is None:
        return Undo("none", "nothing", "It is for good: no tool brings it back.")
    return Undo("exact", "set_again", "The old values are set again.", setter.SPEC.name)


def _of_removal(spec: EndpointSpec, catalog: Catalog) -> Undo:
    maker = maker_of(spec, catalog)
    if maker is None:
        return Undo("none", "nothing", "It is gone for good: no tool makes another.")
    if spec.path_fields[-1] in maker.model_fields:
        return Undo("exact", "link_again", "It is given again, to the same and with the same role.", maker.SPEC.name)
    if reason := _not_made_again(spec, maker, catalog):
        return Undo("none", "nothing", reason)
    return Undo("equivalent", "make_again", "One with the same values is made, under a new id.", maker.SPEC.name)


def _not_made_again(spec: EndpointSpec, maker: type[Endpoint], catalog: Catalog) -> str | None:
    """Return why another one would not come to the same, or None."""
    if maker.SPEC.secret:
        return "Its keys are gone: a new one would have other secrets."
    shown = fields_shown(spec, catalog)
    if hidden := [name for name in settable_fields(maker) if shown_as(name, shown) is None]:
        return f"Another one can't be made from what the API shows: {' and '.join(hidden)} is not in it."
    if _below(spec, catalog) or _pointed_at(spec.path_fields[-1], catalog):
        return "A new one would have a new id, and what belonged to the old one or was given with it would not follow."
    return None


def _first(pattern: str, catalog: Catalog) -> str | None:
    """Return the tool of the first endpoint that is as the pattern says."""
    found = next((name for name in catalog.endpoints if re.fullmatch(pattern, name)), None)
    endpoint = catalog.find(found) if found else None
    return endpoint.SPEC.name if endpoint else None


def _below(spec: EndpointSpec, catalog: Catalog) -> bool:
    """Whether anything lies below the thing that a path names."""
    return any(name.partition(" ")[2].startswith(f"{spec.path}/") for name in catalog.endpoints)


def _pointed_at(id_field: str, catalog: Catalog) -> bool:
    """Whether a changing call takes this id outside its path, so that other things may point to the thing."""
    # From the compiled list, since asking the classes would import them all.
    for tool in catalog.tools:
        names = {id_field, f"{id_field}s"} & tool["inputSchema"].get("properties", {}).keys()
        method, _, path = tool["_meta"][META_ENDPOINT].partition(" ")
        if method == "POST" and any(f"{{{name}}}" not in path for name in names):
            return True
    return False
