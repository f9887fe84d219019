"""What a new thing gets beyond what was asked for: dates, owners, secrets, and the furniture of a project."""

from collections.abc import Callable
from typing import cast

from admin_mcp.sandbox.certificates import validity
from admin_mcp.sandbox.keys import add_service_account_key, new_secret, redacted
from admin_mcp.sandbox.projections import PROJECTS, USERS
from admin_mcp.sandbox.requests import Call
from admin_mcp.sandbox.resources import ACCEPT_SECONDS, ACCEPTS_AT, DAY, RESOURCES, as_row
from admin_mcp.sandbox.store import Row, Store, text

_INVITE_LASTS = 7 * DAY

_PROJECT_ROLES: dict[str, tuple[str, list[str]]] = {
    "owner": (
        "Can do everything in the project.",
        ["api.organization.projects.api_keys.read", "api.organization.projects.api_keys.write"],
    ),
    "member": ("Can use the project.", ["api.organization.projects.api_keys.read"]),
}

_RATE_LIMITS: dict[str, Row] = {
    "gpt-5.2": {
        "max_requests_per_1_minute": 10_000,
        "max_tokens_per_1_minute": 2_000_000,
        "batch_1_day_max_input_tokens": 200_000_000,
    },
    "gpt-5-mini": {
        "max_requests_per_1_minute": 10_000,
        "max_tokens_per_1_minute": 10_000_000,
        "batch_1_day_max_input_tokens": 1_000_000_000,
    },
    "gpt-image-1": {
        "max_requests_per_1_minute": 500,
        "max_tokens_per_1_minute": 800_000,
        "max_images_per_1_minute": 50,
    },
    "text-embedding-3-small": {
        "max_requests_per_1_minute": 10_000,
        "max_tokens_per_1_minute": 5_000_000,
        "max_requests_per_1_day": 1_000_000,
    },
}
"""What a new project may use of each model."""


def new_thing(store: Store, call: Call) -> tuple[str, Row]:
    """Make what a call asks for. Return its id, and what is shown of it this once only."""
    kind = RESOURCES[call.kind]
    asked = {name: value for name, value in call.given.items() if value is not None}
    row = {**kind.begin(call.now), **as_row(asked, call.now)}
    if prepare := _PREPARE.get(call.kind):
        row.update(prepare(store, row, call.now))
    item = store.new_id(kind.prefix)
    secret = str(row.pop("value", ""))
    store.put(call.place, item, row)
    if finish := _FINISH.get(call.kind):
        return item, finish(store, item, call)
    return item, {"value": secret} if secret else {}


def furnish_project(store: Store, project: str, now: int) -> None:
    """Give a new project its predefined roles and its rate limits."""
    place = f"{PROJECTS}/{project}"
    for name, (description, permissions) in _PROJECT_ROLES.items():
        role = {**RESOURCES["projects/roles"].begin(now), "name": name, "predefined_role": True}
        role |= {"description": description, "permissions": list(permissions)}
        store.put(f"{place}/roles", store.new_id("role_"), role)
    for model, limits in _RATE_LIMITS.items():
        store.put(f"{place}/rate_limits", f"rl-{model}", {"model": model, **limits})


def owner_of_key(store: Store, user: str) -> Row:
    """Return the owner that an admin key shows."""
    row = store.row(USERS, user)
    return {
        "id": user,
        "object": "organization.user",
        "type": "user",
        "name": row["name"],
        "created_at": row["added_at"],
        "role": "owner",
    }


def first_user(store: Store) -> str:
    """Return who the caller is: the seed's first user, whose admin key is in use."""
    return next(iter(store.rows(USERS)), "")


def default_project(store: Store) -> str:
    """Return the id of the default project."""
    return next(project for project, row in store.rows(PROJECTS).items() if row.get("default"))


def _certificate(_: Store, row: Row, __: int) -> Row:
    valid_at, expires_at = validity(text(row, "certificate"))
    return {"certificate_details": {"valid_at": valid_at, "expires_at": expires_at}}


def _invite(store: Store, row: Row, now: int) -> Row:
    projects = row.get("projects", [{"id": default_project(store), "role": "member"}])
    return {"projects": projects, "expires_at": now + _INVITE_LASTS, ACCEPTS_AT: now + ACCEPT_SECONDS}


def _admin_key(store: Store, _: Row, __: int) -> Row:
    secret = new_secret(store, "sk-admin-")
    user = first_user(store)
    owner = owner_of_key(store, user) if store.find(USERS, user) else {}
    return {"owner": owner, "redacted_value": redacted(secret), "value": secret}


def _external_storage(store: Store, row: Row, _: int) -> Row:
    found: dict[str, Row] = {
        "aws": {"account_id": "123456789012", "external_id": f"ext-{store.new_token(8)}", "region": "us-east-1"},
        "azure": {"region": "westeurope"},
        "gcp": {"audience": "https://api.openai.com", "region": "europe-west1"},
        "oci": {},
    }
    provider = cast("Row", row["provider"])
    return {"provider": {**found[text(provider, "type")], **provider}, "geography": "US"}


def _service_account(_: Store, row: Row, __: int) -> Row:
    return {"role": "none"} if row.pop("create_service_account_only", False) else {}


def _first_key(store: Store, item: str, call: Call) -> Row:
    if call.given.get("create_service_account_only"):
        return {"api_key": None}
    project = call.place.rpartition("/")[0]
    asked = as_row({"expires_in_seconds": call.given.get("expires_in_seconds")}, call.now)
    return {"api_key": add_service_account_key(store, project, item, asked, call.now)}


def _furniture(store: Store, item: str, call: Call) -> Row:
    furnish_project(store, item, call.now)
    return {}


_PREPARE: dict[str, Callable[[Store, Row, int], Row]] = {
    "admin_api_keys": _admin_key,
    "certificates": _certificate,
    "external_storage": _external_storage,
    "invites": _invite,
    "projects/service_accounts": _service_account,
}

_FINISH: dict[str, Callable[[Store, str, Call], Row]] = {
    "projects": _furniture,
    "projects/service_accounts": _first_key,
}
