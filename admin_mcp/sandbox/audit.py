"""The audit log: one entry for each change, as the pretend organization would keep it.

An event's name and the shape of its payload come from the audit log's own model; the table holds only what differs.
"""

from functools import cache

from admin_mcp.endpoints.base import ApiObject
from admin_mcp.sandbox.creation import first_user
from admin_mcp.sandbox.projections import PROJECTS, USERS, is_membership
from admin_mcp.sandbox.requests import Call
from admin_mcp.sandbox.resources import RESOURCES
from admin_mcp.sandbox.routes import noun_of, router
from admin_mcp.sandbox.serialization import models_in, render
from admin_mcp.sandbox.store import Row, Store, number

PLACE = "/organization/audit_logs"
ORGANIZATION_ID = "org-sandbox"

_ENDINGS = {"create": "created", "update": "updated", "delete": "deleted"}

_EVENTS = {
    ("act", "certificates/activate"): "certificates.activated",
    ("act", "certificates/deactivate"): "certificates.deactivated",
    ("act", "projects/archive"): "project.archived",
    ("act", "projects/certificates/activate"): "certificates.activated",
    ("act", "projects/certificates/deactivate"): "certificates.deactivated",
    ("act", "projects/service_accounts/api_keys"): "api_key.created",
    ("create", "admin_api_keys"): "api_key.created",
    ("create", "external_keys"): "external_key.registered",
    ("create", "external_storage"): "external_storage.registered",
    ("create", "invites"): "invite.sent",
    ("create", "groups/users"): "group.updated",
    ("create", "projects/groups"): "project.updated",
    ("create", "projects/users"): "user.added",
    ("delete", "admin_api_keys"): "api_key.deleted",
    ("delete", "external_keys"): "external_key.removed",
    ("delete", "external_storage"): "external_storage.removed",
    ("delete", "groups/users"): "group.updated",
    ("delete", "projects/groups"): "project.updated",
}
"""Events that aren't called after their resource and operation."""

_NOUNS = {"federation_rules": "workload_identity_provider_mapping"}


def record(store: Store, call: Call, shown: Row) -> None:
    """Add the entry of a change that was made."""
    event = _event(call)
    resource = _resource(call, shown)
    project = call.parents[0][1] if call.parents and call.parents[0][0] == PROJECTS else None
    user = first_user(store)
    email = (store.find(USERS, user) or {}).get("email")
    key = next(iter(store.rows("/organization/admin_api_keys")), "")
    actor: Row = {"type": "api_key", "api_key": {"id": key, "type": "user", "user": {"id": user, "email": email}}}
    about: Row = {"project_id": project, "resource_id": resource, "actor_id": [user, key], "actor_email": email}
    if project is not None:
        about["project"] = {"id": project, "name": store.row(PROJECTS, project)["name"]}
    _add(store, event, call.now, {"actor": actor, event: _payload(event, call, shown, resource), **about})


def record_arrival(store: Store, invite: str, user: str, email: str, now: int) -> None:
    """Add the entry of an invite that a person accepted."""
    actor: Row = {"type": "session", "session": {"user": {"id": user, "email": email}, "ip_address": "192.0.2.7"}}
    about: Row = {"project_id": None, "resource_id": invite, "actor_id": [user], "actor_email": email}
    _add(store, "invite.accepted", now, {"actor": actor, "invite.accepted": {"id": invite}, **about})


def _add(store: Store, event: str, now: int, entry: Row) -> None:
    known: Row = {"effective_at": now, "type": event, "event_type": event, "tenant_only": False}
    store.put(PLACE, store.new_id(RESOURCES["audit_logs"].prefix), {**known, **entry})


def put_in_order(store: Store) -> None:
    """Sort the entries by time, after changes were made in the past and out of turn."""
    rows = store.rows(PLACE)
    entries = sorted(rows.items(), key=lambda entry: number(entry[1], "effective_at"))
    rows.clear()
    rows.update(entries)


def _event(call: Call) -> str:
    if special := _EVENTS.get((call.route.operation, call.kind)):
        return special
    segment = call.place.rpartition("/")[2]
    noun = _NOUNS.get(segment, noun_of(call.place))
    if segment == "roles" and is_membership(call.place):
        noun = "role.assignment"
    named = f"{noun}.{_ENDINGS.get(call.route.operation)}"
    if named in _payloads():
        return named
    return "project.updated" if call.kind.startswith("projects/") else "organization.updated"


def _resource(call: Call, shown: Row) -> str:
    if call.of_item:
        return call.item
    if "id" in shown:
        return str(shown["id"])
    return call.parents[-1][1] if call.parents else ORGANIZATION_ID


def _payload(event: str, call: Call, shown: Row, resource: str) -> Row:
    """Return everything an event's payload may hold; rendering keeps what this event's does."""
    given = {**call.given, "title": call.given.get("name"), "group_name": call.given.get("name")}
    # What the organization filled in, such as a storage provider's account, is in the entry too.
    data = {
        **given,
        **{name: shown[name] for name, value in given.items() if isinstance(value, dict) and name in shown},
    }
    holder, principal = call.parents[-1] if call.parents else ("", None)
    known: Row = {
        **shown,
        **given,
        "id": resource,
        "data": data,
        "changes_requested": given,
        "certificates": shown.get("data"),
        "principal_id": principal,
        "principal_type": noun_of(holder),
        "identity_provider_id": principal,
        "resource_id": call.parents[0][1] if call.kind.startswith("projects/") else ORGANIZATION_ID,
    }
    return render(_payloads()[event], known)


@cache
def _payloads() -> dict[str, type[ApiObject]]:
    """Return the payload model of every event that has one, by the event's name."""
    route, _ = router().find("GET", PLACE)
    entry = models_in(route.endpoint.SPEC.returns.model_fields["data"].annotation)[0]
    fields = {field.alias: models_in(field.annotation) for field in entry.model_fields.values() if field.alias}
    return {name: models[0] for name, models in fields.items() if models}
