"""The organization that everyone starts with: made through the API, in the past, where the API can make it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from admin_mcp.sandbox.certificates import self_signed
from admin_mcp.sandbox.creation import furnish_project, owner_of_key
from admin_mcp.sandbox.invite_lifecycle import INVITES, add_user
from admin_mcp.sandbox.keys import SANDBOX_KEY, redacted
from admin_mcp.sandbox.projections import PROJECTS, USERS
from admin_mcp.sandbox.resources import ACCEPTS_AT, DAY, RESOURCES
from admin_mcp.sandbox.store import Row, Store, text

Answer = Callable[[str, str, list[tuple[str, str]], object | None, int], Row]

_FOUNDED_DAYS_AGO: Final = 200

_PEOPLE = (
    ("Ana Ortiz", "owner"),
    ("Ben Okafor", "reader"),
    ("Chiara Rossi", "reader"),
    ("Dev Patel", "reader"),
    ("Emi Tanaka", "reader"),
    ("Farid Haddad", "reader"),
)

_PREDEFINED: dict[str, tuple[str, list[str]]] = {
    "owner": ("Can do everything in the organization.", ["api.groups.read", "api.groups.write", "api.roles.write"]),
    "reader": ("Can see the organization and use its projects.", ["api.groups.read"]),
}


@dataclass(frozen=True, slots=True)
class _Past:
    """Changes things through the API as of some days ago."""

    store: Store
    answer: Answer
    now: int

    def day(self, days_ago: int) -> int:
        return self.now - days_ago * DAY

    def post(self, days_ago: int, path: str, body: Row) -> str:
        """Make a change, and return the id of what was made."""
        made = self.answer("POST", path, [], body, self.day(days_ago))
        return str(made.get("id", ""))


def sow(store: Store, answer: Answer, now: int) -> None:
    """Fill an empty store."""
    past = _Past(store, answer, now)
    founded = past.day(_FOUNDED_DAYS_AGO)
    _roles(store, founded)
    people = _people(store, founded)
    _own_key(store, people[0], founded)
    default = store.new_id(RESOURCES["projects"].prefix)
    store.put(PROJECTS, default, {**RESOURCES["projects"].begin(founded), "name": "Default project", "default": True})
    furnish_project(store, default, founded)
    groups = _groups(past, people)
    projects = [
        default,
        *(past.post(120 - days, PROJECTS, {"name": name}) for days, name in enumerate(("Billing", "Research"))),
    ]
    for project, member, group in zip(projects, (people[3], people[1], people[2]), groups, strict=True):
        _project(past, project, people[0], member, group)
    _organization(past, projects)
    _invites(past, projects)


def _roles(store: Store, now: int) -> None:
    for name, (description, permissions) in _PREDEFINED.items():
        role = {**RESOURCES["roles"].begin(now), "name": name, "description": description, "predefined_role": True}
        store.put("/organization/roles", store.new_id("role_"), {**role, "permissions": permissions})


def _people(store: Store, now: int) -> list[str]:
    ids = []
    for name, role in _PEOPLE:
        email = f"{name.lower().replace(' ', '.')}@example.com"
        ids.append(add_user(store, name, email, role, now))
    return ids


def _own_key(store: Store, user: str, now: int) -> None:
    """List the admin key in use, so that it can be found, and protected, by its redacted value."""
    row = {**RESOURCES["admin_api_keys"].begin(now), "name": "Sandbox key", "redacted_value": redacted(SANDBOX_KEY)}
    store.put("/organization/admin_api_keys", store.new_id("key_"), {**row, "owner": owner_of_key(store, user)})


def _groups(past: _Past, people: list[str]) -> list[str]:
    members = {"Engineering": people[2:5], "Finance": people[1:2], "Support": people[4:6]}
    groups = []
    for name, users in members.items():
        groups.append(past.post(180, "/organization/groups", {"name": name}))
        for user in users:
            past.post(179, f"/organization/groups/{groups[-1]}/users", {"user_id": user})
    role: Row = {"role_name": "Group manager", "description": "Manages groups and who is in them."}
    manager = past.post(170, "/organization/roles", {**role, "permissions": ["api.groups.read", "api.groups.write"]})
    role = {"role_name": "Usage viewer", "description": "Sees usage and costs."}
    viewer = past.post(169, "/organization/roles", {**role, "permissions": ["api.usage.read"]})
    past.post(168, f"{USERS}/{people[3]}/roles", {"role_id": manager})
    past.post(168, f"/organization/groups/{groups[1]}/roles", {"role_id": viewer})
    return groups


def _project(past: _Past, project: str, owner: str, member: str, group: str) -> None:
    place = f"{PROJECTS}/{project}"
    name = text(past.store.row(PROJECTS, project), "name")
    role: Row = {"role_name": "Key manager", "description": "Manages the project's API keys."}
    permissions = ["api.organization.projects.api_keys.read", "api.organization.projects.api_keys.write"]
    manager = past.post(100, f"/projects/{project}/roles", {**role, "permissions": permissions})
    past.post(100, f"{place}/users", {"user_id": owner, "role": "owner"})
    past.post(99, f"{place}/users", {"user_id": member, "role": "member"})
    past.post(99, f"{place}/groups", {"group_id": group, "role": "member"})
    past.post(98, f"/projects/{project}/groups/{group}/roles", {"role_id": manager})
    past.post(97, f"{place}/service_accounts", {"name": f"{name} nightly job"})
    _personal_key(past, project, member)
    past.post(60, f"{place}/spend_alerts", _alert(50_000, "project-owners@example.com"))


def _personal_key(past: _Past, project: str, user: str) -> None:
    """Add a person's key as a row: the API has no call that makes one."""
    store, now = past.store, past.day(90)
    secret = f"sk-proj-sandbox-{store.new_token(20)}"
    person = store.row(USERS, user)
    owner: Row = {"id": user, "name": person["name"], "email": person["email"], "role": "member"}
    row: Row = {"name": f"{person['name']}'s laptop", "user_id": user, "redacted_value": redacted(secret)}
    row |= {"owner": {"type": "user", "user": {**owner, "created_at": person["added_at"]}}, "last_used_at": past.day(1)}
    store.put(
        f"{PROJECTS}/{project}/api_keys", store.new_id("key_"), {**RESOURCES["projects/api_keys"].begin(now), **row}
    )


def _organization(past: _Past, projects: list[str]) -> None:
    names = ("Gateway 2025", "Gateway 2026")
    certificates = []
    for name, begins in zip(names, (360, 155), strict=True):
        pem = self_signed(name, past.day(begins), past.day(begins - 365))
        certificates.append(past.post(150, "/organization/certificates", {"name": name, "certificate": pem}))
    past.post(149, "/organization/certificates/activate", {"certificate_ids": certificates[1:]})
    past.post(140, "/organization/spend_alerts", _alert(200_000, "finance@example.com"))
    past.post(140, "/organization/spend_limit", {"currency": "USD", "interval": "month", "threshold_amount": 500_000})
    key: Row = {"name": "Research key", "type": "aws", "purpose": "ekm", "external_id": "ext-sandbox"}
    key |= {
        "kms_arn": "arn:aws:kms:us-east-1:123456789012:key/sandbox",
        "role_arn": "arn:aws:iam::123456789012:role/kms",
    }
    past.post(111, "/organization/external_keys", {**key, "name": "Unused key"})
    external = past.post(110, "/organization/external_keys", key)
    research = f"{PROJECTS}/{projects[2]}"
    past.post(109, research, {"external_key_id": external})
    past.post(50, f"{research}/model_permissions", {"mode": "allow_list", "model_ids": ["gpt-5.2", "gpt-5-mini"]})
    past.post(49, f"{research}/data_retention", {"retention_type": "zero_data_retention"})
    limit: Row = {"currency": "USD", "interval": "month", "threshold_amount": 100_000}
    past.post(48, f"{PROJECTS}/{projects[1]}/spend_limit", limit)
    _outside(past, projects[2])


def _outside(past: _Past, project: str) -> None:
    """Add what reaches beyond the organization: storage of its own, and workloads that sign in with a token."""
    provider: Row = {"type": "aws", "bucket": "sandbox-research", "role_arn": "arn:aws:iam::123456789012:role/storage"}
    past.post(45, "/organization/external_storage", {"project_id": project, "provider": provider})
    providers = "/organization/workload_identity_providers"
    about: Row = {"name": "CI", "type": "oidc", "audience": "openai", "issuer": "https://ci.example.com"}
    ci = past.post(40, providers, about)
    account = next(iter(past.store.rows(f"{PROJECTS}/{project}/service_accounts")))
    rule: Row = {"name": "Nightly build", "project_id": project, "service_account_id": account}
    past.post(
        39, f"{providers}/{ci}/federation_rules", {**rule, "attribute_matchers": {"repository": "example/research"}}
    )


def _invites(past: _Past, projects: list[str]) -> None:
    past.post(30, INVITES, {"email": "gita.rao@example.com", "role": "reader", "projects": []})
    asked: Row = {"email": "hugo.meyer@example.com", "role": "reader"}
    waiting = past.post(2, INVITES, {**asked, "projects": [{"id": projects[2], "role": "member"}]})
    past.store.row(INVITES, waiting).pop(ACCEPTS_AT)  # he is on holiday, so that there is a pending invite to see


def _alert(cents: int, recipient: str) -> Row:
    channel: Row = {"type": "email", "recipients": [recipient], "subject_prefix": "OpenAI spend alert"}
    return {"currency": "USD", "interval": "month", "threshold_amount": cents, "notification_channel": channel}
