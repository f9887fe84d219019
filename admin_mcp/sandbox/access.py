"""Who holds which role: links between users or groups and roles, in the organization and in projects.

A place such as ``/organization/users/user-1/roles`` holds the roles given to that user directly; what comes through
groups is worked out. A member's ``role`` in the answers is a name for the links, so the two can't disagree.
"""

from dataclasses import dataclass

from admin_mcp.sandbox.errors import invalid
from admin_mcp.sandbox.routes import home_of
from admin_mcp.sandbox.store import Row, Store, text

ORGANIZATION_ROLES = "/organization/roles"


@dataclass(frozen=True, slots=True)
class Holding:
    """How a role is held: directly, through groups, or both."""

    direct: bool
    groups: tuple[str, ...]


def holdings(store: Store, place: str) -> dict[str, Holding]:
    """Return every role held at a place of roles, directly or through groups, by role id."""
    direct = store.rows(place)
    inherited: dict[str, list[str]] = {}
    for group, roles in _groups_roles(store, place).items():
        for role in roles:
            inherited.setdefault(role, []).append(group)
    return {
        role: Holding(direct=role in direct, groups=tuple(inherited.get(role, ()))) for role in [*direct, *inherited]
    }


def held_role(store: Store, place: str, role_id: str) -> Row:
    """Return what there is to show about one held role."""
    holding = holdings(store, place)[role_id]
    _, principals, principal, _ = place.rsplit("/", 3)
    sources: list[Row] = [{"principal_id": group, "principal_type": "group"} for group in holding.groups]
    if sources and holding.direct:
        sources.insert(0, {"principal_id": principal, "principal_type": principals.removesuffix("s")})
    role = store.row(home_of(place), role_id)
    return {
        "created_by": None,
        **role,
        "metadata": {},
        "created_by_user_obj": None,
        "assignment_sources": sources or None,
    }


def main_role(store: Store, place: str) -> str | None:
    """Return the one name that stands for the roles held directly: owner before all else, then predefined ones."""
    roles = [store.row(home_of(place), role) for role in store.rows(place)]
    roles.sort(key=lambda role: (role["name"] != "owner", not role["predefined_role"]))
    return text(roles[0], "name") if roles else None


def find_role(store: Store, place: str, asked: str, param: str = "role") -> str:
    """Return the id of the role that is asked for by id or by predefined name.

    Raises:
        RefusalError: 400, no such role where this place takes its roles from.

    """
    for role_id, role in store.rows(home_of(place)).items():
        if asked == role_id or (role["predefined_role"] and role["name"] == asked):
            return role_id
    raise invalid(f"Invalid value for '{param}': there is no role '{asked}'.", param=param)


def give(store: Store, place: str, role_id: str, now: int) -> None:
    """Give one more role."""
    store.put(place, role_id, {"created_at": now})


def replace_role(store: Store, place: str, role_id: str, now: int) -> None:
    """Give a role in place of the one that ``main_role`` names."""
    name = main_role(store, place)
    for held in list(store.rows(place)):
        if store.row(home_of(place), held)["name"] == name:
            store.remove(place, held)
    give(store, place, role_id, now)


def owners(store: Store) -> list[str]:
    """Return the ids of the users who are owners of the organization by themselves."""
    users = "/organization/users"
    return [user for user in store.rows(users) if main_role(store, f"{users}/{user}/roles") == "owner"]


def _groups_roles(store: Store, place: str) -> dict[str, list[str]]:
    """Return the roles given to the groups that the user of this place is in."""
    scope, principals, principal, _ = place.rsplit("/", 3)
    if principals != "users":
        return {}
    groups = [group for group in store.rows("/organization/groups") if _is_in(store, group, principal)]
    return {group: list(store.rows(f"{scope}/groups/{group}/roles")) for group in groups}


def _is_in(store: Store, group: str, user: str) -> bool:
    return store.find(f"/organization/groups/{group}/users", user) is not None
