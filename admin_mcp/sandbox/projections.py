"""Everything there is to show about one thing: its row, the thing it links to, and what follows from other rows.

Reads the store and changes nothing. Which of it an answer has is the return model's to say.
"""

from collections.abc import Callable

from admin_mcp.sandbox.access import held_role, holdings, main_role
from admin_mcp.sandbox.routes import home_of, kind_of, noun_of, parents_of, router
from admin_mcp.sandbox.store import Row, Store, number

USERS = "/organization/users"
PROJECTS = "/organization/projects"


def is_membership(place: str) -> bool:
    """Whether a collection only links to things that live elsewhere."""
    return kind_of(place) in router().memberships


def items_in(store: Store, place: str) -> list[str]:
    """Return the ids in a collection, in the order they came; the audit log's newest first."""
    match kind_of(place):
        case "projects/certificates":
            return list(store.rows(home_of(place)))
        case "audit_logs":
            return list(reversed(store.rows(place)))
    if _holds_roles(place):
        return list(holdings(store, place))
    return list(store.rows(place))


def view(store: Store, place: str, item: str, now: int) -> Row:
    """Return what there is to show about a thing that exists."""
    parents: Row = {f"{noun_of(parent)}_id": parent_id for parent, parent_id in parents_of(place)}
    shown = {**parents, **_stored(store, place, item, now), "id": item}
    derive = _DERIVED.get(kind_of(place))
    return {**shown, **derive(store, place, item, shown, now)} if derive else shown


def _stored(store: Store, place: str, item: str, now: int) -> Row:
    if _holds_roles(place):
        return held_role(store, place, item)
    if not is_membership(place):
        return store.row(home_of(place) if kind_of(place) == "projects/certificates" else place, item)
    target = view(store, home_of(place), item, now)
    prefixed = {f"{noun_of(place)}_{name}": value for name, value in target.items()}
    return {**target, **prefixed, **store.row(place, item)}


def _holds_roles(place: str) -> bool:
    return place.endswith("/roles") and is_membership(place)


def _user(store: Store, place: str, item: str, shown: Row, now: int) -> Row:
    projects = [project for project in store.rows(PROJECTS) if store.find(f"{PROJECTS}/{project}/users", item)]
    account = {name: shown[name] for name in ("name", "email", "picture")}
    return {
        "role": main_role(store, f"{place}/{item}/roles"),
        "projects": {"data": [_project_of_user(store, project, item, now) for project in projects]},
        "user": {**account, "id": item, "enabled": True, "banned": False, "banned_at": None},
    }


def _project_of_user(store: Store, project: str, user: str, now: int) -> Row:
    role = _project_user(store, f"{PROJECTS}/{project}/users", user, {}, now)["role"]
    return {"id": project, "name": store.row(PROJECTS, project)["name"], "role": role}


def _project_user(store: Store, place: str, item: str, _: Row, __: int) -> Row:
    return {"role": main_role(store, f"{place}/{item}/roles") or "none"}


def _invite(_: Store, __: str, ___: str, shown: Row, now: int) -> Row:
    late = shown["status"] == "pending" and number(shown, "expires_at") <= now
    return {"status": "expired"} if late else {}


def _external_key(store: Store, _: str, item: str, __: Row, ___: int) -> Row:
    projects = store.rows(PROJECTS).items()
    return {"api_project_ids": [project for project, row in projects if row["external_key_id"] == item]}


def _project_certificate(store: Store, place: str, item: str, _: Row, __: int) -> Row:
    return {"active": item in store.rows(place)}


def _api_key(store: Store, place: str, _: str, shown: Row, __: int) -> Row:
    project = place.rpartition("/")[0]
    collection, owner = ("users", "user_id") if "user_id" in shown else ("service_accounts", "service_account_id")
    inside = store.find(f"{project}/{collection}", str(shown[owner]))
    return {"owner_project_access": "active" if inside else "inactive"}


_DERIVED: dict[str, Callable[[Store, str, str, Row, int], Row]] = {
    "external_keys": _external_key,
    "invites": _invite,
    "projects/api_keys": _api_key,
    "projects/certificates": _project_certificate,
    "projects/users": _project_user,
    "users": _user,
}
