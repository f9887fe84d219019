"""The pretend organization behaves as the API's documentation says: life cycles, rules, lists, errors."""

from typing import Any

import pytest

from admin_mcp.sandbox.organization import Organization
from admin_mcp.sandbox.resources import ACCEPT_SECONDS
from tests.sandbox.walk import NOW, PEM, organization

ORG = "/organization"


class Api:
    """An organization, spoken to in short."""

    def __init__(self) -> None:
        self.org: Organization = organization()

    def __call__(
        self, method: str, path: str, body: object = None, *, expect: int = 200, **query: str
    ) -> dict[str, Any]:
        return self.ask(method, path, query, body, expect)

    def ask(
        self, method: str, path: str, query: dict[str, str], body: object = None, expect: int = 200
    ) -> dict[str, Any]:
        reply = self.org.respond(method, path, list(query.items()), body)
        assert reply.status == expect, reply.body
        answer: dict[str, Any] = reply.body
        return answer

    def all(self, path: str, **query: str) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = self.ask("GET", path, query)["data"]
        return data

    def find(self, path: str, name: str) -> str:
        return next(str(item["id"]) for item in self.all(path) if item["name"] == name)


@pytest.fixture
def api() -> Api:
    return Api()


ALERT = {
    "currency": "USD",
    "interval": "month",
    "threshold_amount": 100,
    "notification_channel": {"type": "email", "recipients": ["a@example.com"]},
}
LIFE_CYCLES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (f"{ORG}/roles", {"role_name": "Audit", "permissions": ["a"]}, {"role_name": "Auditors"}, {"name": "Auditors"}),
    (f"{ORG}/groups", {"name": "Audit"}, {"name": "Auditors"}, {"name": "Auditors"}),
    (f"{ORG}/certificates", {"name": "Edge", "certificate": PEM}, {"name": "Edge 2"}, {"name": "Edge 2"}),
    (f"{ORG}/spend_alerts", ALERT, {**ALERT, "threshold_amount": 7}, {"threshold_amount": 7}),
    (f"{ORG}/projects/P/spend_alerts", ALERT, {**ALERT, "threshold_amount": 7}, {"threshold_amount": 7}),
    ("/projects/P/roles", {"role_name": "Audit", "permissions": []}, {"permissions": ["b"]}, {"permissions": ["b"]}),
    (
        f"{ORG}/projects/P/service_accounts",
        {"name": "ci"},
        {"name": "cd", "role": "owner"},
        {"name": "cd", "role": "owner"},
    ),
]


@pytest.mark.parametrize(("path", "new", "change", "changed"), LIFE_CYCLES, ids=[cycle[0] for cycle in LIFE_CYCLES])
def test_what_is_created_can_be_listed_read_changed_and_deleted(
    path: str, new: dict[str, Any], change: dict[str, Any], changed: dict[str, Any], api: Api
) -> None:
    path = path.replace("/P/", f"/{api.find(f'{ORG}/projects', 'Billing')}/")
    item = f"{path}/{api('POST', path, new)['id']}"
    assert item.rpartition("/")[2] in [entry["id"] for entry in api.all(path)]
    api("GET", item)
    api("POST", item, change)
    assert changed.items() <= api("GET", item).items()
    api("DELETE", item)
    api("GET", item, expect=404)
    assert item.rpartition("/")[2] not in [entry["id"] for entry in api.all(path)]


def test_a_role_given_to_a_group_is_inherited_by_its_members(api: Api) -> None:
    role = api("POST", f"{ORG}/roles", {"role_name": "Audit", "permissions": []})["id"]
    group = api("POST", f"{ORG}/groups", {"name": "Auditors"})["id"]
    user = api.all(f"{ORG}/users")[-1]["id"]
    api("POST", f"{ORG}/groups/{group}/users", {"user_id": user})
    api("POST", f"{ORG}/groups/{group}/roles", {"role_id": role})
    inherited = next(entry for entry in api.all(f"{ORG}/users/{user}/roles") if entry["id"] == role)
    assert [source["principal_id"] for source in inherited["assignment_sources"]] == [group]
    api("DELETE", f"{ORG}/groups/{group}/users/{user}")
    assert role not in [entry["id"] for entry in api.all(f"{ORG}/users/{user}/roles")]


def test_predefined_roles_can_not_be_changed_or_deleted(api: Api) -> None:
    role = f"{ORG}/roles/{api.find(f'{ORG}/roles', 'owner')}"
    api("POST", role, {"role_name": "boss"}, expect=400)
    api("DELETE", role, expect=400)


def test_the_last_owner_can_not_leave_or_step_down(api: Api) -> None:
    owners = [user["id"] for user in api.all(f"{ORG}/users") if user["role"] == "owner"]
    for owner in owners[1:]:
        api("POST", f"{ORG}/users/{owner}", {"role": "reader"})
    api("POST", f"{ORG}/users/{owners[0]}", {"role": "reader"}, expect=400)
    api("DELETE", f"{ORG}/users/{owners[0]}", expect=400)


def test_an_archived_project_takes_no_more_changes(api: Api) -> None:
    project = f"{ORG}/projects/{api.find(f'{ORG}/projects', 'Billing')}"
    assert api("POST", f"{project}/archive")["status"] == "archived"
    api("POST", project, {"name": "x"}, expect=400)
    api("POST", f"{project}/service_accounts", {"name": "x"}, expect=400)
    assert "Billing" not in [entry["name"] for entry in api.all(f"{ORG}/projects")]
    assert "Billing" in [entry["name"] for entry in api.all(f"{ORG}/projects", include_archived="true")]


def test_the_default_project_can_not_be_archived(api: Api) -> None:
    api("POST", f"{ORG}/projects/{api.find(f'{ORG}/projects', 'Default project')}/archive", expect=400)


def test_an_accepted_invite_can_not_be_deleted(api: Api) -> None:
    accepted = next(invite for invite in api.all(f"{ORG}/invites") if invite["status"] == "accepted")
    api("DELETE", f"{ORG}/invites/{accepted['id']}", expect=400)


def test_a_certificate_is_deleted_only_when_it_is_inactive(api: Api) -> None:
    certificate = api.find(f"{ORG}/certificates", "Gateway 2026")
    api("DELETE", f"{ORG}/certificates/{certificate}", expect=400)
    api("POST", f"{ORG}/certificates/deactivate", {"certificate_ids": [certificate]})
    api("DELETE", f"{ORG}/certificates/{certificate}")


def test_a_new_keys_value_is_shown_once(api: Api) -> None:
    made = api("POST", f"{ORG}/admin_api_keys", {"name": "ci"})
    assert made["value"].startswith("sk-admin-")
    shown = api("GET", f"{ORG}/admin_api_keys/{made['id']}")
    assert "value" not in shown
    assert made["value"] not in str(api.all(f"{ORG}/admin_api_keys"))


def test_clearing_a_description_with_null_empties_it(api: Api) -> None:
    role = api("POST", f"{ORG}/roles", {"role_name": "A", "permissions": [], "description": "x"})["id"]
    assert api("POST", f"{ORG}/roles/{role}", {"description": None})["description"] is None


def test_every_change_is_in_the_audit_log(api: Api) -> None:
    before = len(api.all(f"{ORG}/audit_logs", limit="100"))
    role = api("POST", f"{ORG}/roles", {"role_name": "Audit", "permissions": []})["id"]
    entries = api.all(f"{ORG}/audit_logs", limit="100")
    assert len(entries) == before + 1
    created = next(entry for entry in entries if entry["type"] == "role.created" and role in str(entry))
    assert created["actor"]["type"] == "api_key"


@pytest.mark.parametrize("cursor", ["next", "last_id"])
def test_pages_show_every_item_exactly_once(cursor: str, api: Api) -> None:
    path = f"{ORG}/groups" if cursor == "next" else f"{ORG}/users"
    whole = [entry["id"] for entry in api.all(path)]
    seen: list[str] = []
    query = {"limit": "1"}
    page: dict[str, Any] = {}
    for _ in whole:
        page = api.ask("GET", path, query)
        seen += [entry["id"] for entry in page["data"]]
        if page["has_more"]:
            query["after"] = page[cursor]
    assert seen == whole
    assert not page["has_more"]


def test_before_pages_backward(api: Api) -> None:
    project = api.find(f"{ORG}/projects", "Billing")
    path = f"{ORG}/projects/{project}/rate_limits"
    whole = [entry["id"] for entry in api.all(path)]
    assert len(whole) == 4
    page = api.ask("GET", path, {"before": whole[3], "limit": "2"})
    assert [entry["id"] for entry in page["data"]] == whole[1:3]
    assert page["has_more"]
    page = api.ask("GET", path, {"before": whole[1], "limit": "2"})
    assert [entry["id"] for entry in page["data"]] == whole[:1]
    assert not page["has_more"]


@pytest.mark.parametrize(
    ("path", "query", "param"),
    [
        ("users", {"after": "user-nobody"}, "after"),
        ("groups", {"after": "group_without_the_cursors_form"}, "after"),
        ("users", {"limit": "101"}, "limit"),
        ("users", {"limit": "many"}, "limit"),
        ("roles", {"order": "sideways"}, "order"),
    ],
)
def test_a_wrong_cursor_limit_or_order_is_named(path: str, query: dict[str, str], param: str, api: Api) -> None:
    assert api.ask("GET", f"{ORG}/{path}", query, expect=400)["error"]["param"] == param


def test_an_invited_person_accepts_after_a_while_and_is_then_a_member_of_the_invites_projects() -> None:
    now = [NOW]
    org = Organization(clock=lambda: now[0])

    def ask(method: str, path: str, body: object = None) -> Any:
        return org.respond(method, f"{ORG}/{path}", [], body).body

    project = next(entry["id"] for entry in ask("GET", "projects")["data"] if entry["name"] == "Billing")
    asked = {"email": "ida.berg@example.com", "role": "reader", "projects": [{"id": project, "role": "owner"}]}
    invite = ask("POST", "invites", asked)["id"]
    now[0] += ACCEPT_SECONDS - 1
    assert ask("GET", f"invites/{invite}")["status"] == "pending"
    now[0] += 1
    assert ask("GET", f"invites/{invite}")["accepted_at"] == NOW + ACCEPT_SECONDS
    (user,) = [user for user in ask("GET", f"projects/{project}/users")["data"] if user["email"] == asked["email"]]
    assert (user["name"], user["role"]) == ("Ida Berg", "owner")
    newest = ask("GET", "audit_logs")["data"][0]
    assert (newest["type"], newest["actor"]["session"]["user"]["email"]) == ("invite.accepted", asked["email"])


def test_a_withdrawn_invite_brings_nobody() -> None:
    now = [NOW]
    org = Organization(clock=lambda: now[0])
    invite = org.respond("POST", f"{ORG}/invites", [], {"email": "x@example.com", "role": "reader"}).body["id"]
    org.respond("DELETE", f"{ORG}/invites/{invite}", [], None)
    now[0] += 10 * ACCEPT_SECONDS
    assert "x@example.com" not in str(org.respond("GET", f"{ORG}/users", [], None).body)


def test_order_turns_a_list_around(api: Api) -> None:
    ascending = [entry["id"] for entry in api.all(f"{ORG}/roles", order="asc")]
    descending = [entry["id"] for entry in api.all(f"{ORG}/roles", order="desc")]
    assert ascending == descending[::-1]


def test_usage_comes_in_buckets_and_pages(api: Api) -> None:
    day = 24 * 60 * 60
    start = 1_789_000_000 // day * day
    query = {"start_time": str(start), "end_time": str(start + 5 * day), "limit": "2"}
    first = api.ask("GET", f"{ORG}/usage/completions", query)
    assert (first["object"], len(first["data"]), first["has_more"]) == ("page", 2, True)
    second = api.ask("GET", f"{ORG}/usage/completions", {**query, "page": first["next_page"]})
    assert second["data"][0]["start_time"] == first["data"][-1]["end_time"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nonsense", None, 404),
        ("PUT", f"{ORG}/roles", {}, 405),
        ("POST", f"{ORG}/roles", {"role_name": "x"}, 400),
        ("POST", f"{ORG}/roles", {"role_name": "x", "permissions": [], "colour": "red"}, 400),
        ("POST", f"{ORG}/roles", None, 400),
        ("POST", f"{ORG}/groups", {"name": ""}, 400),
        ("GET", f"{ORG}/roles/role_nothing", None, 404),
    ],
)
def test_a_wrong_request_gets_the_apis_error_body(method: str, path: str, body: object, status: int, api: Api) -> None:
    error = api(method, path, body, expect=status)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]


def test_an_unknown_query_parameter_is_refused(api: Api) -> None:
    assert "colour" in api("GET", f"{ORG}/roles", expect=400, colour="red")["error"]["message"]


def test_a_refused_call_changes_nothing(api: Api) -> None:
    before = api.all(f"{ORG}/roles")
    api("POST", f"{ORG}/roles", {"role_name": "x"}, expect=400)
    assert api.all(f"{ORG}/roles") == before


def test_reset_forgets_every_change(api: Api) -> None:
    before = api.all(f"{ORG}/groups")
    api("POST", f"{ORG}/groups", {"name": "x"})
    api.org.reset()
    assert api.all(f"{ORG}/groups") == before
