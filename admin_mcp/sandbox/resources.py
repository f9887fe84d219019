"""What the catalog can't say about a resource: its ids, what a new one is like, what is renamed. Tables only."""

from copy import deepcopy
from dataclasses import dataclass, field

from admin_mcp.sandbox.store import Row

DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Resource:
    """How a new thing begins. ``stamps`` are the fields that hold the moment of its creation."""

    prefix: str
    defaults: Row = field(default_factory=dict)
    stamps: tuple[str, ...] = ("created_at",)

    def begin(self, now: int) -> Row:
        """Return a row as it is before anything is asked of it."""
        return {**dict.fromkeys(self.stamps, now), **deepcopy(self.defaults)}


_ROLE: Row = {"description": None, "predefined_role": False}
_CHANGED = ("created_at", "updated_at")

RESOURCES = {
    "admin_api_keys": Resource("key_", {"expires_at": None, "last_used_at": None}),
    "audit_logs": Resource("audit_log-"),
    "certificates": Resource("cert_", {"name": None, "active": False}),
    "external_keys": Resource("extkey_", {"object": "organization.external_key", "workspace_id": "ws-sandbox"}),
    "external_storage": Resource("extstore_", {"status": "pending"}),
    "groups": Resource("group_", {"is_scim_managed": False, "scim_managed": False, "group_type": "group"}),
    "invites": Resource("invite-", {"status": "pending", "accepted_at": None}),
    "projects": Resource(
        "proj_", {"status": "active", "archived_at": None, "external_key_id": None, "residency": "GLOBAL"}
    ),
    "projects/api_keys": Resource("key_", {"last_used_at": None, "expires_at": None, "scopes": []}),
    "projects/roles": Resource("role_", {**_ROLE, "resource_type": "api.project"}, _CHANGED),
    "projects/service_accounts": Resource("user-", {"role": "member"}),
    "projects/spend_alerts": Resource("alert_"),
    "roles": Resource("role_", {**_ROLE, "resource_type": "api.organization"}, _CHANGED),
    "spend_alerts": Resource("alert_"),
    "users": Resource("user-", stamps=("added_at", "created")),
    "workload_identity_providers": Resource(
        "wip_",
        {
            "attribute_transformations": [],
            "description": None,
            "enabled": True,
            "verification": {"type": "discovery", "discovery_url": None},
        },
        _CHANGED,
    ),
    "workload_identity_providers/federation_rules": Resource(
        "wifr_",
        {"description": None, "name": None, "enabled": True, "permissions": {"type": "service_account_default"}},
        _CHANGED,
    ),
}

SINGLETONS: dict[str, Row] = {
    "data_retention": {"type": "modified_abuse_monitoring"},
    "projects/data_retention": {"type": "organization_default"},
    "projects/hosted_tool_permissions": {
        name: {"enabled": True} for name in ("code_interpreter", "file_search", "image_generation", "mcp", "web_search")
    },
    "projects/service_tier_settings": {"default": "standard", "enabled_tiers": "all"},
}
"""What a singleton is while nobody has set it. One that is missing here doesn't exist until then."""

ENFORCEMENT: Row = {"enforcement": {"status": "inactive"}}
"""What a spend limit shows beside what was asked: pretend money never reaches a limit."""

ACCEPTS_AT = "accepts_at"
ACCEPT_SECONDS = 20
"""When an invited person accepts: long enough after the invite to see it pending, and to withdraw it."""

RENAMED = {"role_name": "name", "retention_type": "type"}
"""Fields that are asked for under one name and shown under another."""


def as_row(given: Row, now: int) -> Row:
    """Turn what was asked for into what is kept."""
    row = {RENAMED.get(name, name): value for name, value in given.items() if name != "expires_in_seconds"}
    seconds = given.get("expires_in_seconds")
    if isinstance(seconds, int):
        row["expires_at"] = now + seconds
    return row
