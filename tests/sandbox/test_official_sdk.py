"""The official SDK, told to refuse answers that do not fit its models, lives through every resource of the sandbox."""

from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import openai
import pytest

from tests.contract.facts import ENDPOINTS
from tests.sandbox.serving import served
from tests.sandbox.walk import PEM

DAY = 86_400
COUNT = 5
PAGE = 2
ALERT = {
    "currency": "USD",
    "interval": "month",
    "threshold_amount": 100,
    "notification_channel": {"type": "email", "recipients": ["a@example.com"]},
}
LIMIT = {"currency": "USD", "interval": "month", "threshold_amount": 100}
AWS = {
    "type": "aws",
    "external_id": "ext",
    "kms_arn": "arn:aws:kms:us-east-1:1:key/k",
    "role_arn": "arn:aws:iam::1:role/r",
}
STORAGE = {"type": "aws", "bucket": "b", "role_arn": "arn:aws:iam::1:role/r"}
OIDC = {"type": "oidc", "audience": "openai", "issuer": "https://ci.example.com"}

Arguments = dict[str, Any]


class Sdk:
    """Calls methods by the names the facts give them, and remembers which."""

    def __init__(self, url: str) -> None:
        self.client = openai.OpenAI(
            admin_api_key="sk-admin-x", api_key="unused", base_url=url, max_retries=0, _strict_response_validation=True
        )
        self.called: set[str] = set()

    def __call__(self, name: str, /, **arguments: Any) -> Any:
        name = f"admin.organization.{name}"
        self.called.add(name)
        return reduce(getattr, name.split("."), self.client)(**arguments)  # type: ignore[operator]  # by name

    def all(self, name: str, /, **arguments: Any) -> list[Any]:
        """Everything a list holds, page by page as the SDK turns them; at least three pages."""
        turned = list(self(name, **arguments).iter_pages())
        assert len(turned) >= 3, f"{name}: {len(turned)} pages"
        items = [item for page in turned for item in page.data]
        assert len({repr(item) for item in items}) == len(items), f"{name} shows something twice"
        return items

    def gone(self, name: str, /, **arguments: Any) -> None:
        with pytest.raises(openai.NotFoundError):
            self(name, **arguments)

    def life(
        self,
        resource: str,
        item: str,
        new: Callable[[int], Arguments],
        *,
        at: Arguments | None = None,
        change: Arguments | None = None,
        shown: Arguments | None = None,
        by: str = "id",
    ) -> None:
        """Create, get, list over pages, update, delete, and get again.

        ``item`` is the path parameter and ``by`` the field of an answer that hold the id; ``at`` are the other path
        parameters; ``shown`` is what a change looks like afterwards, where that is not what was asked for.
        """
        at = at or {}
        ids = [self._made(resource, item, by, {**at, **new(number)}) for number in range(COUNT)]
        listed = [getattr(each, by) for each in self.all(f"{resource}.list", **at, limit=PAGE)]
        assert set(ids) <= set(listed)
        for each in ids:
            here = {**at, item: each}
            assert getattr(self(f"{resource}.retrieve", **here), by) == each
            if change is not None:
                self(f"{resource}.update", **here, **change)
                after = self(f"{resource}.retrieve", **here)
                assert {name: getattr(after, name) for name in shown or change} == (shown or change)
            self(f"{resource}.delete", **here)
            self.gone(f"{resource}.retrieve", **here)
            self.gone(f"{resource}.delete", **here)

    def _made(self, resource: str, item: str, by: str, arguments: Arguments) -> str:
        made = self(f"{resource}.create", **arguments)
        return str(arguments[item] if item in arguments else getattr(made, by))


@pytest.fixture(scope="module")
def sdk() -> Iterator[Sdk]:
    with served("--seed", "3") as url:
        running = Sdk(url)
        yield running
        running.client.close()


def test_every_admin_method_lives_through_its_resource(sdk: Sdk) -> None:
    projects = _projects(sdk)
    _organization(sdk, projects[0])
    _access(sdk, projects[0])
    _inside_a_project(sdk, projects[0])
    _service_accounts(sdk, projects[1])
    _certificates(sdk, projects[0])
    _singletons(sdk, projects[0])
    _reports(sdk)
    for project in projects:
        assert sdk("projects.archive", project_id=project).status == "archived"
        assert sdk("projects.retrieve", project_id=project).archived_at
    assert sdk.called == {endpoint.sdk for endpoint in ENDPOINTS}


def _projects(sdk: Sdk) -> list[str]:
    made = [sdk("projects.create", name=f"Project {number}").id for number in range(COUNT)]
    assert set(made) <= {project.id for project in sdk.all("projects.list", limit=PAGE)}
    assert sdk("projects.update", project_id=made[0], name="Renamed").name == "Renamed"
    assert sdk("projects.retrieve", project_id=made[0]).name == "Renamed"
    return made


def _organization(sdk: Sdk, project: str) -> None:
    sdk.life("admin_api_keys", "key_id", lambda n: {"name": f"key {n}"})
    sdk.life(
        "roles",
        "role_id",
        lambda n: {"role_name": f"Role {n}", "permissions": ["api.groups.read"]},
        change={"description": "changed"},
    )
    sdk.life("groups", "group_id", lambda n: {"name": f"Group {n}"}, change={"name": "Renamed"})
    sdk.life("invites", "invite_id", lambda n: {"email": f"new{n}@example.com", "role": "reader"})
    sdk.life(
        "spend_alerts",
        "alert_id",
        lambda _: ALERT,
        change={**ALERT, "threshold_amount": 7},
        shown={"threshold_amount": 7},
    )
    sdk.life("external_storage", "external_storage_id", lambda _: {"project_id": project, "provider": STORAGE})
    sdk.life("external_keys", "external_key_id", lambda n: {**AWS, "name": f"Key {n}"})
    stored = sdk("external_storage.create", project_id=project, provider=STORAGE).id
    assert sdk("external_storage.validate", external_storage_id=stored).status == "validated"
    key = sdk("external_keys.create", **AWS, name="Key").id
    assert sdk("external_keys.validate", external_key_id=key).status == "valid"
    sdk.life(
        "workload_identity_providers",
        "workload_identity_provider_id",
        lambda n: {**OIDC, "name": f"CI {n}"},
        change={"description": "changed", "enabled": False},
    )
    provider = sdk("workload_identity_providers.create", **OIDC, name="CI").id
    account = sdk("projects.service_accounts.create", project_id=project, name="robot").id
    sdk.life(
        "workload_identity_providers.federation_rules",
        "workload_identity_federation_rule_id",
        lambda n: {
            "name": f"Rule {n}",
            "attribute_matchers": {"repository": "example/x"},
            "project_id": project,
            "service_account_id": account,
        },
        at={"workload_identity_provider_id": provider},
        change={"name": "Renamed", "enabled": False},
    )


def _access(sdk: Sdk, project: str) -> None:
    users = [user.id for user in sdk.all("users.list", limit=PAGE) if user.role != "owner"]
    roles = [sdk("roles.create", role_name=f"Held {n}", permissions=[]).id for n in range(COUNT)]
    own = [
        sdk("projects.roles.create", project_id=project, role_name=f"Held {n}", permissions=[]).id for n in range(COUNT)
    ]
    groups = [sdk("groups.create", name=f"Members {n}").id for n in range(COUNT)]

    sdk.life("groups.users", "user_id", lambda n: {"user_id": users[n]}, at={"group_id": groups[0]})
    sdk.life("groups.roles", "role_id", lambda n: {"role_id": roles[n]}, at={"group_id": groups[0]})
    sdk.life("users.roles", "role_id", lambda n: {"role_id": roles[n]}, at={"user_id": users[0]})
    here = {"project_id": project}
    sdk.life(
        "projects.users",
        "user_id",
        lambda n: {"user_id": users[n], "role": "member"},
        at=here,
        change={"role": "owner"},
    )
    sdk.life("projects.groups", "group_id", lambda n: {"group_id": groups[n], "role": "member"}, at=here, by="group_id")
    sdk("projects.users.create", **here, user_id=users[0], role="member")
    sdk("projects.groups.create", **here, group_id=groups[0], role="member")
    sdk.life("projects.users.roles", "role_id", lambda n: {"role_id": own[n]}, at={**here, "user_id": users[0]})
    sdk.life("projects.groups.roles", "role_id", lambda n: {"role_id": own[n]}, at={**here, "group_id": groups[0]})

    assert sdk("users.update", user_id=users[1], developer_persona="admin").id == users[1]
    assert sdk("users.retrieve", user_id=users[1]).developer_persona == "admin"
    sdk("users.delete", user_id=users[1])
    sdk.gone("users.retrieve", user_id=users[1])


def _inside_a_project(sdk: Sdk, project: str) -> None:
    here = {"project_id": project}
    sdk.life(
        "projects.roles",
        "role_id",
        lambda n: {"role_name": f"Role {n}", "permissions": ["a"]},
        at=here,
        change={"description": "changed"},
    )
    sdk.life(
        "projects.spend_alerts",
        "alert_id",
        lambda _: ALERT,
        at=here,
        change={**ALERT, "threshold_amount": 7},
        shown={"threshold_amount": 7},
    )
    limits = sdk.all("projects.rate_limits.list_rate_limits", **here, limit=1)
    changed = sdk(
        "projects.rate_limits.update_rate_limit", **here, rate_limit_id=limits[0].id, max_requests_per_1_minute=3
    )
    assert changed.max_requests_per_1_minute == 3


def _service_accounts(sdk: Sdk, project: str) -> None:
    here = {"project_id": project}
    sdk.life(
        "projects.service_accounts",
        "service_account_id",
        lambda n: {"name": f"robot {n}"},
        at=here,
        change={"name": "renamed"},
    )
    account = sdk("projects.service_accounts.create", **here, name="robot")
    assert account.api_key.value
    for _ in range(COUNT):
        made = sdk("projects.service_accounts.api_keys.create", **here, service_account_id=account.id, name="k")
        assert made.value
    keys = sdk.all("projects.api_keys.list", **here, limit=PAGE)
    assert len(keys) == COUNT + 1
    for key in keys:
        at = {**here, "api_key_id": key.id}
        assert sdk("projects.api_keys.update", **at, scopes=["model.read"]).id == key.id
        assert sdk("projects.api_keys.retrieve", **at).id == key.id
        sdk("projects.api_keys.delete", **at)
        sdk.gone("projects.api_keys.retrieve", **at)


def _certificates(sdk: Sdk, project: str) -> None:
    sdk.life(
        "certificates",
        "certificate_id",
        lambda n: {"certificate": PEM, "name": f"Edge {n}"},
        change={"name": "Renamed"},
    )
    made = [sdk("certificates.create", certificate=PEM, name=f"Edge {n}").id for n in range(COUNT)]
    places: list[tuple[Arguments, str]] = [({}, "certificates"), ({"project_id": project}, "projects.certificates")]
    for at, place in places:
        sdk(f"{place}.activate", **at, certificate_ids=made)
        active = [each.id for each in sdk.all(f"{place}.list", **at, limit=PAGE) if each.active]
        assert set(made) <= set(active)
        with pytest.raises(openai.BadRequestError, match="is active"):
            sdk("certificates.delete", certificate_id=made[0])
        sdk(f"{place}.deactivate", **at, certificate_ids=made)
    sdk("certificates.delete", certificate_id=made[0])


def _singletons(sdk: Sdk, project: str) -> None:
    here = {"project_id": project}
    settings: list[tuple[str, Arguments, Arguments, Arguments]] = [
        ("data_retention", {}, {"retention_type": "zero_data_retention"}, {"type": "zero_data_retention"}),
        ("projects.data_retention", here, {"retention_type": "zero_data_retention"}, {"type": "zero_data_retention"}),
        ("spend_limit", {}, LIMIT, {"threshold_amount": 100}),
        ("projects.spend_limit", here, LIMIT, {"threshold_amount": 100}),
        ("projects.service_tier_settings", here, {"default": "fast"}, {"default": "fast"}),
        ("projects.model_permissions", here, {"mode": "deny_list", "model_ids": ["gpt-5.2"]}, {"mode": "deny_list"}),
        ("projects.hosted_tool_permissions", here, {"mcp": {"enabled": False}}, {}),
    ]
    for name, at, change, shown in settings:
        sdk(f"{name}.update", **at, **change)
        found = sdk(f"{name}.retrieve", **at)
        assert {field: getattr(found, field) for field in shown} == shown
    assert sdk("projects.hosted_tool_permissions.retrieve", **here).mcp.enabled is False
    for name, at in (("spend_limit", {}), ("projects.spend_limit", here), ("projects.model_permissions", here)):
        sdk(f"{name}.delete", **at)
        sdk.gone(f"{name}.retrieve", **at)


def _reports(sdk: Sdk) -> None:
    end = 1_795_000_000 // DAY * DAY
    for name in (endpoint.sdk.rpartition(".")[2] for endpoint in ENDPOINTS if ".usage." in endpoint.sdk):
        days, page, pages = [], None, 0
        while True:
            more: Arguments = {"page": page} if page else {}
            report = sdk(f"usage.{name}", start_time=end - 21 * DAY, end_time=end, limit=7, **more)
            days += [bucket.start_time for bucket in report.data]
            page, pages = report.next_page, pages + 1
            if not report.has_more:
                break
        assert pages == 3
        assert days == list(range(end - 21 * DAY, end, DAY))
    entries = sdk.all("audit_logs.list", limit=100)
    assert {"role.created", "group.deleted", "invite.sent"} <= {entry.type for entry in entries}
