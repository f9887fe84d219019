"""What the journal keeps of the state before a change, so that the change can be undone: as little as that takes. Pure.

An image is one small object: ``fields`` are the values that are replaced, by argument of the tool that undoes;
``absent`` and ``there`` say whether there was such a thing; ``so`` are the ids that were already as wanted; ``roles``
those given directly; ``member`` whether somebody belonged to the place. ``not_kept`` says why there is nothing.
No secret gets in: reads show none, and only arguments of tools are kept.
"""

import json
from collections.abc import Iterable, Mapping

from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.base import Endpoint, EndpointSpec
from admin_mcp.endpoints.fields import clears_with_null
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.reads import plan_reads
from admin_mcp.gate.snapshot import PERSON, Lookup, Snapshot
from admin_mcp.gate.undoable import (
    Undo,
    fields_shown,
    list_around,
    maker_of,
    roles_list,
    settable_fields,
    shown_as,
    undoable,
)

LONGEST_IMAGE = 16 * 1024
"""Bytes of an image as JSON. A longer one is not kept: the journal is read as a whole."""

_PAGE = 100

Lookups = Mapping[str, Lookup]
"""What the reads of ``reads_for_undo`` answered, under the same names."""


def reads_for_undo(call: Endpoint, catalog: Catalog) -> dict[str, Endpoint]:
    """Return the reads, beyond the preview's, that tell what a change replaces. Most changes need none.

    ``rows``: the list in which the target stands that has no read of its own; ``roles``: what somebody holds in the
    place they leave, or before their role changes; ``member``: whether they belong to the place where they get a role.
    """
    spec, undo = type(call).SPEC, undoable(type(call), catalog)
    found: dict[str, type[Endpoint] | None] = {}
    if undo.way == "switch" or (undo.way == "set_back" and catalog.find(f"GET {spec.path}") is None):
        found["rows"] = list_around(spec, catalog)
    if undo.way == "link_again" or (undo.way == "set_back" and "role_id" in type(call).model_fields):
        found["roles"] = roles_list(spec, catalog)
    if undo.way == "remove" and (leaving := membership_remover(spec, catalog)):
        found["member"] = catalog.find(f"GET {leaving.SPEC.path}")
    return {label: _filled(read, call) for label, read in found.items() if read is not None}


def membership_remover(spec: EndpointSpec, catalog: Catalog) -> type[Endpoint] | None:
    """Return what ends the membership that comes with a first role in a place, if a role can bring one."""
    place, _, last = spec.path.rpartition("/")
    if last != "roles" or not place.endswith("}"):
        return None
    found = catalog.find(f"DELETE /organization{place.removeprefix('/organization')}")
    return found if found and undoable(found, catalog).way == "link_again" else None


def before_image(call: Endpoint, seen: Snapshot, more: Lookups, catalog: Catalog) -> Json:
    """Return what to keep of the state before a change. ``more`` has what ``reads_for_undo`` asked for."""
    image = _image(call, seen, more, catalog)
    if len(json.dumps(image).encode()) > LONGEST_IMAGE:
        return {"not_kept": f"what was there before is longer than {LONGEST_IMAGE:,} bytes"}
    return image


def kept_of_answer(answer: Json) -> Json:
    """Return what to keep of the answer to a change: the id of what was made."""
    made = answer.get("id")
    return {"id": made} if isinstance(made, str) else {}


def set_fields(call: Endpoint) -> Json:
    """Return what a call sets, as JSON values, without the nulls that mean nothing."""
    given = call.model_dump(mode="json", exclude_unset=True)
    fields = type(call).model_fields
    return {
        name: given[name]
        for name in settable_fields(type(call))
        if name in given and (given[name] is not None or clears_with_null(fields[name]))
    }


def target_state(call: Endpoint, seen: Snapshot, more: Lookups, catalog: Catalog) -> Lookup | None:
    """Return what was read of the thing an update changes: by itself, or as a row of its list."""
    spec = type(call).SPEC
    if catalog.find(f"GET {spec.path}"):
        return seen.state
    rows = rows_by_id(more.get("rows"))
    return None if rows is None else rows.get(str(getattr(call, spec.path_fields[-1])))


def rows_by_id(page: Lookup | None) -> dict[str, Json] | None:
    """Return the rows of a list that was read whole, by id; None if it was not."""
    if not isinstance(page, dict) or not isinstance(page.get("data"), list):
        return None
    if page.get("has_more"):
        return None  # what is not on the first page would count as not there
    return {str(row["id"]): row for row in page["data"] if isinstance(row, dict) and "id" in row}


def direct_roles(page: Lookup | None, holder: str) -> list[Json] | None:
    """Return id and name of the roles that somebody was given in person, not through a group; None if not known."""
    rows = rows_by_id(page)
    if rows is None:
        return None
    return [{"id": key, "name": row.get("name")} for key, row in rows.items() if held_directly(row, holder)]


def held_directly(role: Json, holder: str) -> bool:
    """Whether a held role is the holder's own, be it held through a group besides."""
    sources = role.get("assignment_sources")
    if not isinstance(sources, list) or not sources:
        return True
    return any(isinstance(source, dict) and source.get("principal_id") == holder for source in sources)


def holder_of(call: Endpoint) -> str:
    """Return the id of the user or group whose roles a call is about."""
    return str(getattr(call, PERSON, None) or getattr(call, "group_id", ""))


def active_ids(call: Endpoint, more: Lookups) -> dict[str, bool] | None:
    """Return, for each certificate a call names, whether it is active; None if that is not known of every one."""
    rows = rows_by_id(more.get("rows"))
    named: list[str] = getattr(call, "certificate_ids", [])
    if rows is None or not all(isinstance(rows.get(each, {}).get("active"), bool) for each in named):
        return None
    return {each: rows[each]["active"] for each in named}


def switches_on(spec: EndpointSpec) -> bool:
    """Whether an action switches on what it names."""
    return spec.name.startswith("activate_")


def _filled(read: type[Endpoint], call: Endpoint) -> Endpoint:
    ids = {name: getattr(call, name) for name in read.SPEC.path_fields}
    limit = {"limit": _PAGE} if "limit" in read.model_fields else {}
    return read.model_validate({**ids, **limit})


def _image(call: Endpoint, seen: Snapshot, more: Lookups, catalog: Catalog) -> Json:
    undo = undoable(type(call), catalog)
    match undo.way:
        case "nothing":
            return {}
        case "remove":
            return _before_creation(call, seen if plan_reads(call, catalog).may_be_absent else None, more)
        case "switch":
            active = active_ids(call, more)
            wanted = switches_on(type(call).SPEC)
            return _unread if active is None else {"so": [each for each, on in active.items() if on is wanted]}
        case "set_back":
            return _before_update(call, target_state(call, seen, more, catalog), more, catalog)
        case "set_again" | "make_again" | "link_again":
            return _before_removal(call, undo, seen, more, catalog)


_unread: Json = {"not_kept": "what was there before could not be read"}


def _before_creation(call: Endpoint, seen: Snapshot | None, more: Lookups) -> Json:
    """Say whether it was there. ``seen`` is None where what was read is something else, as the parent is."""
    place = more.get("member")
    member = {} if place is None or place == "unreadable" else {"member": place != "absent"}
    if seen is None:
        return member
    if isinstance(seen.state, dict):
        direct = held_directly(seen.state, holder_of(call)) if "role_id" in type(call).model_fields else True
        return {"there": direct, **member}
    return _unread if seen.state == "unreadable" else member


def _before_update(call: Endpoint, state: Lookup | None, more: Lookups, catalog: Catalog) -> Json:
    if state == "absent":
        return {"absent": True}
    if not isinstance(state, dict):
        return _unread
    image: Json = {"fields": _values(state, set_fields(call), type(call).SPEC, catalog)}
    if "roles" in more and {"role", "role_id"} & set_fields(call).keys():
        image["fields"]["role"] = state.get("role")
        roles = direct_roles(more["roles"], holder_of(call))
        image |= {} if roles is None else {"roles": roles}
    return image


def _before_removal(call: Endpoint, undo: Undo, seen: Snapshot, more: Lookups, catalog: Catalog) -> Json:
    spec = type(call).SPEC
    maker = catalog.find(f"POST {spec.path}") if undo.way == "set_again" else maker_of(spec, catalog)
    wanted = settable_fields(maker) if maker else []
    if maker and undo.way == "link_again":
        wanted = [name for name in wanted if name not in spec.path_fields and maker.model_fields[name].is_required()]
    if wanted and not isinstance(seen.state, dict):
        return _unread
    state = seen.state if isinstance(seen.state, dict) else {}
    image: Json = {"fields": _values(state, wanted, spec, catalog)} if wanted else {}
    roles = direct_roles(more.get("roles"), holder_of(call))
    return image if roles is None else {**image, "roles": roles}


def _values(state: Json, names: Iterable[str], spec: EndpointSpec, catalog: Catalog) -> Json:
    """Return the present values of what is set under these names. What a thing does not show is not set."""
    shown = fields_shown(spec, catalog)
    keys = {name: shown_as(name, shown) for name in names}
    return {name: state.get(key) for name, key in keys.items() if key is not None}
