"""The people who were invited: each accepts a little later, as nobody is there to do it for them."""

from typing import cast

from admin_mcp.sandbox import audit
from admin_mcp.sandbox.access import find_role, give
from admin_mcp.sandbox.errors import RefusalError
from admin_mcp.sandbox.projections import PROJECTS, USERS
from admin_mcp.sandbox.resources import ACCEPTS_AT, RESOURCES
from admin_mcp.sandbox.store import Row, Store, text

INVITES = "/organization/invites"


def arrive(store: Store, now: int) -> None:
    """Let everybody in whose invite is due."""
    for item, row in store.rows(INVITES).items():
        due = row.get(ACCEPTS_AT)
        if row["status"] == "pending" and isinstance(due, int) and due <= now:
            _accept(store, item, row, due)


def add_user(store: Store, name: str, email: str, role: str, now: int) -> str:
    """Add a member with an organization role, and return its id."""
    user = store.new_id(RESOURCES["users"].prefix)
    about: Row = {"name": name, "email": email, "picture": None, "user_type": "user"}
    about |= {"is_service_account": False, "is_default": False, "is_scim_managed": False}
    store.put(USERS, user, {**RESOURCES["users"].begin(now), **about})
    place = f"{USERS}/{user}/roles"
    give(store, place, find_role(store, place, role), now)
    return user


def _accept(store: Store, item: str, row: Row, now: int) -> None:
    email = text(row, "email")
    name = " ".join(part.capitalize() for part in email.partition("@")[0].split("."))
    user = add_user(store, name, email, text(row, "role"), now)
    for project in cast("list[Row]", row["projects"]):
        _join(store, text(project, "id"), user, text(project, "role"), now)
    row.update({"status": "accepted", "accepted_at": now})
    audit.record_arrival(store, item, user, email, now)


def _join(store: Store, project: str, user: str, role: str, now: int) -> None:
    """Let a new member into a project, unless it has been archived meanwhile."""
    found = store.find(PROJECTS, project)
    if found is None or found["status"] == "archived":
        return
    place = f"{PROJECTS}/{project}/users"
    try:
        held = find_role(store, f"{place}/{user}/roles", role)
    except RefusalError:
        return  # the role is gone; so is what it would have given
    store.put(place, user, {"created_at": now, "added_at": now})
    give(store, f"{place}/{user}/roles", held, now)
