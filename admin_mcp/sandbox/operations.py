"""What each operation does: checked call -> changed store -> what there is to show. Refusing is over by then."""

from collections.abc import Callable
from copy import deepcopy
from typing import cast

from admin_mcp.sandbox.access import find_role, give, replace_role
from admin_mcp.sandbox.creation import new_thing
from admin_mcp.sandbox.errors import conflict, invalid, not_found, not_set
from admin_mcp.sandbox.keys import add_service_account_key, remove_service_account_keys
from admin_mcp.sandbox.pagination import page
from admin_mcp.sandbox.projections import USERS, is_membership, items_in, view
from admin_mcp.sandbox.requests import Call, clears_with_null
from admin_mcp.sandbox.resources import ENFORCEMENT, SINGLETONS, as_row
from admin_mcp.sandbox.routes import Operation, home_of, noun_of
from admin_mcp.sandbox.store import Row, Store
from admin_mcp.sandbox.usage import report


def perform(store: Store, call: Call) -> Row:
    """Carry out a call and return everything its answer may show."""
    return _OPERATIONS[call.route.operation](store, call)


def _list(store: Store, call: Call) -> Row:
    return page(call, items_in(store, call.place), lambda item: view(store, call.place, item, call.now))


def _get(store: Store, call: Call) -> Row:
    shown = view(store, call.place, call.item, call.now)
    if "group_type" in call.given and call.given["group_type"] != shown["group_type"]:
        raise not_found(str(call.given["group_type"]), call.item)
    if call.given.get("include"):
        details = cast("Row", shown["certificate_details"])
        shown["certificate_details"] = {**details, "content": shown["certificate"]}
    return shown


def _create(store: Store, call: Call) -> Row:
    if is_membership(call.place):
        return _join(store, call)
    item, once = new_thing(store, call)
    return {**view(store, call.place, item, call.now), **once}


def _join(store: Store, call: Call) -> Row:
    """Link a thing that lives elsewhere into a collection of members, with its first role if it has one."""
    home = home_of(call.place)
    item = _asked_member(store, call, home)
    if item in store.rows(call.place):
        raise conflict(f"{noun_of(home).capitalize()} '{item}' is there already.", param=f"{noun_of(home)}_id")
    asked = call.given.get("role")
    role = None if asked is None else find_role(store, f"{call.place}/{item}/roles", str(asked))
    store.put(call.place, item, {"created_at": call.now, "added_at": call.now})
    if role is not None:
        give(store, f"{call.place}/{item}/roles", role, call.now)
    _let_into_project(store, call)
    shown = {noun_of(home): view(store, home, item, call.now)}
    for place, parent in call.parents:
        shown[noun_of(place)] = view(store, home_of(place) if is_membership(place) else place, parent, call.now)
    return {**view(store, call.place, item, call.now), **call.given, **shown, f"{noun_of(home)}_id": item}


def _asked_member(store: Store, call: Call, home: str) -> str:
    noun = noun_of(home)
    asked = call.given.get(f"{noun}_id")
    if asked is None:
        email = call.given.get("email")
        found = [user for user, row in store.rows(USERS).items() if row["email"] == email]
        if not found:
            raise invalid(f"{email} is not a member of the organization.", param="email")
        return found[0]
    if store.find(home, str(asked)) is None:
        raise not_found(noun, str(asked))
    return str(asked)


def _let_into_project(store: Store, call: Call) -> None:
    """Give access to a project to the user or group that was given a first role in it."""
    place, item = call.parents[-1]
    if is_membership(place) and item not in store.rows(place):
        store.put(place, item, {"created_at": call.now, "added_at": call.now})


def _update(store: Store, call: Call) -> Row:
    given = dict(call.given)
    if call.kind in {"users", "projects/users"}:
        _change_role(store, call, given.pop("role", None), given.pop("role_id", None))
    row = store.row(call.place, call.item)
    row.update(_changes(call, given))
    if "updated_at" in row:
        row["updated_at"] = call.now
    return view(store, call.place, call.item, call.now)


def _change_role(store: Store, call: Call, by_name: object, by_id: object) -> None:
    asked = by_name if by_id is None else by_id
    if asked is not None:
        place = f"{call.place}/{call.item}/roles"
        replace_role(store, place, find_role(store, place, str(asked)), call.now)


def _changes(call: Call, given: Row) -> Row:
    endpoint = call.route.endpoint
    kept = {name: value for name, value in given.items() if value is not None or clears_with_null(endpoint, name)}
    return as_row(kept, call.now)


def _delete(store: Store, call: Call) -> Row:
    shown = view(store, call.place, call.item, call.now)
    if is_membership(call.place):
        holder = noun_of(call.parents[-1][0])
        shown["object"] = f"{holder}.{noun_of(call.place)}.deleted"
    store.remove(call.place, call.item)
    if call.kind == "projects/service_accounts":
        remove_service_account_keys(store, call.place.rpartition("/")[0], call.item)
    return {**shown, "deleted": True}


def _read(store: Store, call: Call) -> Row:
    row = store.singleton(call.place) or SINGLETONS.get(call.kind)
    if row is None:
        raise not_set(noun_of(call.place))
    return {**row, **ENFORCEMENT}


def _write(store: Store, call: Call) -> Row:
    row = deepcopy(store.singleton(call.place) or SINGLETONS.get(call.kind) or {})
    store.put_singleton(call.place, {**row, **_changes(call, call.given)})
    return _read(store, call)


def _clear(store: Store, call: Call) -> Row:
    shown = _read(store, call)
    store.remove_singleton(call.place)
    return {**shown, "deleted": True}


def _act(store: Store, call: Call) -> Row:
    return _ACTIONS[call.kind](store, call)


def _archive(store: Store, call: Call) -> Row:
    place, item = call.parents[-1]
    store.row(place, item).update({"status": "archived", "archived_at": call.now})
    return view(store, place, item, call.now)


def _toggle_certificates(store: Store, call: Call) -> Row:
    place, _, action = call.path.rpartition("/")
    for item in cast("list[str]", call.given["certificate_ids"]):
        if place == home_of(place):
            store.row(place, item)["active"] = action == "activate"
        elif action == "activate":
            store.put(place, item, {})
        else:
            store.rows(place).pop(item, None)
    return {"data": [view(store, place, item, call.now) for item in cast("list[str]", call.given["certificate_ids"])]}


def _validate_key(_: Store, __: Call) -> Row:
    return {"status": "valid"}


def _validate_storage(store: Store, call: Call) -> Row:
    place, item = call.parents[-1]
    store.row(place, item)["status"] = "validated"
    return view(store, place, item, call.now)


def _add_key(store: Store, call: Call) -> Row:
    place, account = call.parents[-1]
    asked = {name: value for name, value in call.given.items() if value is not None}
    return add_service_account_key(store, place.rpartition("/")[0], account, as_row(asked, call.now), call.now)


_OPERATIONS: dict[Operation, Callable[[Store, Call], Row]] = {
    "list": _list,
    "report": report,
    "create": _create,
    "get": _get,
    "update": _update,
    "delete": _delete,
    "read": _read,
    "write": _write,
    "clear": _clear,
    "act": _act,
}

_ACTIONS: dict[str, Callable[[Store, Call], Row]] = {
    "certificates/activate": _toggle_certificates,
    "certificates/deactivate": _toggle_certificates,
    "external_keys/validate": _validate_key,
    "external_storage/validate": _validate_storage,
    "projects/archive": _archive,
    "projects/certificates/activate": _toggle_certificates,
    "projects/certificates/deactivate": _toggle_certificates,
    "projects/service_accounts/api_keys": _add_key,
}
