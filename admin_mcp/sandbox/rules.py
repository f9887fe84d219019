"""What the pretend API refuses although the request is well formed. Looks at the state and changes nothing."""

from collections.abc import Callable

from admin_mcp.sandbox.access import find_role, holdings, owners
from admin_mcp.sandbox.certificates import validity
from admin_mcp.sandbox.errors import conflict, invalid, not_allowed, not_found
from admin_mcp.sandbox.projections import PROJECTS, USERS, is_membership, items_in, view
from admin_mcp.sandbox.requests import Call
from admin_mcp.sandbox.routes import home_of, noun_of
from admin_mcp.sandbox.store import Store

_MOST_CERTIFICATES = 50


def check(store: Store, call: Call) -> None:
    """Refuse a call that can't be carried out.

    Raises:
        RefusalError: 404 for an id that names nothing, 400 or 409 for what the state forbids.

    """
    for place, item in call.parents:
        if store.find(home_of(place) if is_membership(place) else place, item) is None:
            raise not_found(noun_of(place), item)
    if call.of_item and call.item not in items_in(store, call.place):
        raise not_found(noun_of(call.place), call.item)
    if not call.route.endpoint.SPEC.mutates:
        return
    _project_is_active(store, call)
    for guard in _GUARDS.get((call.route.operation, call.kind), ()):
        guard(store, call)


def _project_is_active(store: Store, call: Call) -> None:
    touched = [*call.parents, (call.place, call.item)] if call.of_item else call.parents
    for place, item in touched:
        if place == PROJECTS and store.row(place, item)["status"] == "archived":
            raise not_allowed(f"Project '{item}' is archived and can't be changed.")


def _role_is_custom(store: Store, call: Call) -> None:
    if store.row(call.place, call.item)["predefined_role"]:
        raise not_allowed("Predefined roles can't be changed or deleted.")


def _name_is_free(store: Store, call: Call) -> None:
    param = "role_name" if "role_name" in call.given else "name"
    name = call.given.get(param)
    taken = [row["name"] for item, row in store.rows(call.place).items() if not call.of_item or item != call.item]
    if name is not None and name in taken:
        raise conflict(f"There is already a {noun_of(call.place)} named '{name}'.", param=param)


def _role_is_held_directly(store: Store, call: Call) -> None:
    if not holdings(store, call.place)[call.item].direct:
        raise not_allowed(f"Role '{call.item}' is held through a group only; take it from the group.")


def _owner_remains(store: Store, user: str) -> None:
    if owners(store) == [user]:
        raise not_allowed("The last owner of the organization can't be removed or demoted.")


def _deletes_no_last_owner(store: Store, call: Call) -> None:
    _owner_remains(store, call.item)


def _demotes_no_last_owner(store: Store, call: Call) -> None:
    asked = call.given.get("role_id") or call.given.get("role")
    if asked is None:
        return
    role = find_role(
        store, f"{USERS}/{call.item}/roles", str(asked), "role_id" if call.given.get("role_id") else "role"
    )
    if store.row("/organization/roles", role)["name"] != "owner":
        _owner_remains(store, call.item)


def _unassigns_no_last_owner(store: Store, call: Call) -> None:
    if store.row("/organization/roles", call.item)["name"] == "owner":
        _owner_remains(store, call.parents[-1][1])


def _default_project_stays(store: Store, call: Call) -> None:
    project = call.item if call.of_item else call.parents[-1][1]
    if store.row(PROJECTS, project).get("default"):
        raise not_allowed("The default project can't be updated or archived.")


def _external_key_exists(store: Store, call: Call) -> None:
    asked = call.given.get("external_key_id")
    if asked is not None and store.find("/organization/external_keys", str(asked)) is None:
        raise invalid(f"There is no external key '{asked}'.", param="external_key_id")


def _external_key_is_unused(store: Store, call: Call) -> None:
    if view(store, call.place, call.item, call.now)["api_project_ids"]:
        raise not_allowed("A project uses this external key; take the project off it first.")


def _project_exists(store: Store, call: Call) -> None:
    asked = str(call.given["project_id"])
    if store.find(PROJECTS, asked) is None:
        raise invalid(f"There is no project '{asked}'.", param="project_id")


def _service_account_exists(store: Store, call: Call) -> None:
    asked = str(call.given["service_account_id"])
    if store.find(f"{PROJECTS}/{call.given['project_id']}/service_accounts", asked) is None:
        raise invalid(f"The project has no service account '{asked}'.", param="service_account_id")


def _invite_is_open(store: Store, call: Call) -> None:
    if store.row(call.place, call.item)["status"] == "accepted":
        raise not_allowed("An accepted invite can't be deleted.")


def _person_is_new(store: Store, call: Call) -> None:
    email = call.given["email"]
    invited = [view(store, call.place, item, call.now) for item in store.rows(call.place)]
    if email in [row["email"] for row in store.rows(USERS).values()]:
        raise conflict(f"{email} is already a member of the organization.", param="email")
    if any(row["email"] == email and row["status"] == "pending" for row in invited):
        raise conflict(f"{email} already has a pending invite.", param="email")


def _invited_projects_exist(store: Store, call: Call) -> None:
    projects = call.given.get("projects") or []
    for project in projects if isinstance(projects, list) else []:
        if store.find(PROJECTS, project["id"]) is None:
            raise invalid(f"There is no project '{project['id']}'.", param="projects")


def _certificate_is_welcome(store: Store, call: Call) -> None:
    try:
        validity(str(call.given["certificate"]))
    except ValueError as error:
        raise invalid(
            f"Invalid value for 'certificate': not PEM text of a certificate ({error}).", param="certificate"
        ) from None
    if len(store.rows(call.place)) >= _MOST_CERTIFICATES:
        raise not_allowed(f"An organization holds at most {_MOST_CERTIFICATES} certificates.")


def _certificate_is_inactive(store: Store, call: Call) -> None:
    projects = [f"{PROJECTS}/{project}/certificates" for project in store.rows(PROJECTS)]
    if store.row(call.place, call.item)["active"] or any(call.item in store.rows(place) for place in projects):
        raise not_allowed("The certificate is active; deactivate it for the organization and every project first.")


def _certificates_exist(store: Store, call: Call) -> None:
    asked = call.given["certificate_ids"]
    for certificate in asked if isinstance(asked, list) else []:
        if store.find("/organization/certificates", certificate) is None:
            raise not_found("certificate", certificate)


def _key_is_not_expired(store: Store, call: Call) -> None:
    expires: object = store.row(call.place, call.item)["expires_at"]
    if isinstance(expires, int) and expires <= call.now:
        raise not_allowed("The key has expired and can't be updated.")


Guard = Callable[[Store, Call], None]

_GUARDS: dict[tuple[str, str], tuple[Guard, ...]] = {
    ("act", "certificates/activate"): (_certificates_exist,),
    ("act", "certificates/deactivate"): (_certificates_exist,),
    ("act", "projects/archive"): (_default_project_stays,),
    ("act", "projects/certificates/activate"): (_certificates_exist,),
    ("act", "projects/certificates/deactivate"): (_certificates_exist,),
    ("create", "certificates"): (_certificate_is_welcome,),
    ("create", "external_storage"): (_project_exists,),
    ("create", "groups"): (_name_is_free,),
    ("create", "invites"): (_person_is_new, _invited_projects_exist),
    ("create", "projects"): (_external_key_exists,),
    ("create", "projects/roles"): (_name_is_free,),
    ("create", "roles"): (_name_is_free,),
    ("create", "workload_identity_providers/federation_rules"): (_project_exists, _service_account_exists),
    ("delete", "certificates"): (_certificate_is_inactive,),
    ("delete", "external_keys"): (_external_key_is_unused,),
    ("delete", "invites"): (_invite_is_open,),
    ("delete", "projects/roles"): (_role_is_custom,),
    ("delete", "projects/users/roles"): (_role_is_held_directly,),
    ("delete", "roles"): (_role_is_custom,),
    ("delete", "users"): (_deletes_no_last_owner,),
    ("delete", "users/roles"): (_role_is_held_directly, _unassigns_no_last_owner),
    ("update", "groups"): (_name_is_free,),
    ("update", "projects"): (_default_project_stays, _external_key_exists),
    ("update", "projects/api_keys"): (_key_is_not_expired,),
    ("update", "projects/roles"): (_role_is_custom, _name_is_free),
    ("update", "roles"): (_role_is_custom, _name_is_free),
    ("update", "users"): (_demotes_no_last_owner,),
}
"""By operation and kind. Only what the resource's own rules ask for: the rest is the endpoint's validation."""
