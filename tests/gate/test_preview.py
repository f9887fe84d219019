"""What a person is shown: the target by name, what changes, whether it can be undone, and where."""

import pytest

from admin_mcp.api.request import build_request
from admin_mcp.catalog import compiled_catalog
from admin_mcp.catalog.hints import verification
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.gate.preview import Preview, build_preview
from admin_mcp.gate.reads import plan_reads
from admin_mcp.gate.snapshot import Lookup, Namesakes, Snapshot
from tests.contract.cases import CASES
from tests.contract.examples import smallest

CATALOG = compiled_catalog()
DOCUMENTED = {case.name: case.documented for case in CASES}


def make(tool: str, **arguments: object) -> Endpoint:
    return CATALOG.endpoint(tool).model_validate(arguments)


def preview(
    call: Endpoint,
    *,
    state: Lookup | None = None,
    names: dict[str, Lookup] | None = None,
    roles: Lookup | None = None,
    namesakes: Namesakes = "none",
) -> Preview:
    plan = plan_reads(call, CATALOG)
    seen = Snapshot(state, plan.own, names or {}, once=plan.once, roles=roles, namesakes=namesakes)
    return build_preview(call, build_request(call), seen, catalog=CATALOG, target="the test system")


@pytest.mark.parametrize(
    ("tool", "arguments", "state", "own", "names"),
    [
        ("update_role", {"role_id": "r", "role_name": "x"}, "get_role", "role_id", {}),
        ("create_role", {"role_name": "x", "permissions": []}, None, None, {}),
        (
            "update_organization_data_retention",
            {"retention_type": "zero_data_retention"},
            "get_organization_data_retention",
            None,
            {},
        ),
        (
            "assign_user_role",
            {"user_id": "u", "role_id": "r"},
            "get_user_role",
            None,
            {"user_id": "get_user", "role_id": "get_role"},
        ),
        ("unassign_user_role", {"user_id": "u", "role_id": "r"}, "get_user_role", "role_id", {"user_id": "get_user"}),
        (
            "assign_project_group_role",
            {"project_id": "p", "group_id": "g", "role_id": "r"},
            "get_project_group_role",
            None,
            {"project_id": "get_project", "group_id": "get_group", "role_id": "get_project_role"},
        ),
        ("archive_project", {"project_id": "p"}, "get_project", "project_id", {}),
        (
            "add_project_group",
            {"project_id": "p", "group_id": "g", "role": "role_1"},
            "get_project_group",
            None,
            {"project_id": "get_project", "group_id": "get_group", "role": "get_project_role"},
        ),
        (
            "create_service_account_api_key",
            {"project_id": "p", "service_account_id": "s"},
            "get_project_service_account",
            "service_account_id",
            {"project_id": "get_project"},
        ),
        (
            "delete_project_spend_limit",
            {"project_id": "p"},
            "get_project_spend_limit",
            None,
            {"project_id": "get_project"},
        ),
        (
            "create_project_role",
            {"project_id": "p", "role_name": "x", "permissions": []},
            None,
            None,
            {"project_id": "get_project"},
        ),
        (
            "activate_certificates",
            {"certificate_ids": ["c", "d"]},
            None,
            None,
            {"certificate_ids[0]": "get_certificate", "certificate_ids[1]": "get_certificate"},
        ),
    ],
)
def test_the_reads_of_a_change_are_the_thing_itself_and_what_it_names(
    tool: str, arguments: dict[str, object], state: str | None, own: str | None, names: dict[str, str]
) -> None:
    plan = plan_reads(make(tool, **arguments), CATALOG)
    assert (type(plan.state).SPEC.name if plan.state else None) == state
    assert plan.own == own
    assert {name: type(read).SPEC.name for name, read in plan.names.items()} == names


def test_every_change_of_one_thing_that_can_be_read_is_previewed_by_reading_it() -> None:
    for endpoint in CATALOG.endpoints:
        method, _, path = endpoint.partition(" ")
        found = CATALOG.find(endpoint)
        reader = CATALOG.find(f"GET {path}")
        if method == "GET" or reader is None or "data" in reader.SPEC.returns.model_fields:
            continue
        assert found is not None
        call = found.model_construct(
            _fields_set=set(found.SPEC.path_fields), **dict.fromkeys(found.SPEC.path_fields, "x")
        )
        plan = plan_reads(call, CATALOG)
        assert type(plan.state) is reader, found.SPEC.name


def test_an_update_shows_each_field_before_and_after() -> None:
    shown = preview(
        make("update_role", role_id="r", role_name="Auditors", description="new"),
        state={"id": "r", "name": "Audit", "description": "old", "permissions": ["a"]},
    )
    assert shown.lines[0].startswith("Change role “Audit” (r) in the organization: ")
    assert shown.lines[1:5] == (
        "Role: “Audit” (r)",
        "The role allows: a",
        "Set description: “old” -> “new”",
        "Set role_name: “Audit” -> “Auditors”",
    )
    assert "Undo: by setting the old values again" in shown.lines
    assert "In: the test system" in shown.lines
    assert shown.lines[-1] == 'Request: POST /organization/roles/r {"description":"new","role_name":"Auditors"}'


def test_a_field_that_will_be_emptied_is_said_to_be() -> None:
    call = make(
        "update_federation_rule", workload_identity_provider_id="w", workload_identity_federation_rule_id="f", name=None
    )
    shown = preview(call, state={"id": "f", "name": "Nightly"})
    assert "Set name: “Nightly” -> nothing (null: this empties the field)" in shown.lines


def test_a_grant_names_who_gets_what_and_how_to_undo_it() -> None:
    shown = preview(
        make("assign_user_role", user_id="u", role_id="r"),
        state="absent",
        names={
            "user_id": {
                "id": "u",
                "name": "Ana",
                "email": "ana@example.com",
                "role": "reader",
                "projects": {"data": [{"id": "p", "name": "Billing", "role": "owner"}, {"id": "q"}]},
            },
            "role_id": {"id": "r", "name": "Audit", "permissions": ["api.usage.read"]},
        },
    )
    assert shown.title == "Give “Ana” <ana@example.com> (u) the role “Audit” (r) in the organization"
    assert "User: “Ana” <ana@example.com> (u)" in shown.lines
    assert "Role in the organization now: reader" in shown.lines
    assert "Their projects: q, “Billing” as owner" in shown.lines
    assert "Role: “Audit” (r)" in shown.lines
    assert "The role allows: api.usage.read" in shown.lines
    assert "Now: not there yet" in shown.lines
    assert "Undo: with unassign_user_role" in shown.lines
    assert shown.typed == ()


def test_the_name_of_a_new_key_is_not_shown_as_a_change_of_the_account_it_is_for() -> None:
    call = make("create_service_account_api_key", project_id="p", service_account_id="s", name="nightly")
    assert "Set name: “nightly”" in preview(call, state={"id": "s", "name": "ci"}).lines


def test_each_of_several_things_is_named() -> None:
    names: dict[str, Lookup] = {"certificate_ids[0]": {"id": "c", "name": "Edge"}, "certificate_ids[1]": "absent"}
    shown = preview(make("activate_certificates", certificate_ids=["c", "d"]), names=names)
    assert shown.lines[1:3] == ("Certificate 1: “Edge” (c)", "Certificate 2: d (not found)")


def test_money_is_shown_in_cents_and_dollars() -> None:
    call = make(
        "create_organization_spend_alert",
        currency="USD",
        interval="month",
        threshold_amount=123456,
        notification_channel={"type": "email", "recipients": ["a@example.com"]},
    )
    assert "Set threshold_amount: 123456 US cents (1234.56 USD)" in preview(call).lines


@pytest.mark.parametrize(
    ("tool", "arguments", "state", "names", "typed"),
    [
        ("delete_role", {"role_id": "r"}, {"id": "r", "name": "Audit"}, {}, ("Audit", "r")),
        ("delete_role", {"role_id": "r"}, "unreadable", {}, ("r",)),
        ("delete_role", {"role_id": "r"}, {"id": "r", "name": "A\u202eudit"}, {}, ("r",)),
        ("delete_role", {"role_id": "r"}, {"id": "r", "name": " "}, {}, ("r",)),
        (
            "unassign_user_role",
            {"user_id": "u", "role_id": "r"},
            {"id": "r", "name": "Audit"},
            {"user_id": {"id": "u", "name": "Ana", "email": "ana@example.com"}},
            ("ana@example.com",),
        ),
        ("unassign_user_role", {"user_id": "u", "role_id": "r"}, {"id": "r", "name": "Audit"}, {}, ("u",)),
        ("archive_project", {"project_id": "p"}, {"id": "p", "name": "Billing"}, {}, ("Billing", "p")),
        ("update_organization_data_retention", {"retention_type": "zero_data_retention"}, None, {}, ("organization",)),
        (
            "update_project_data_retention",
            {"project_id": "p", "retention_type": "none"},
            {"type": "none"},
            {"project_id": {"id": "p", "name": "Billing"}},
            ("Billing", "p"),
        ),
        ("delete_organization_spend_limit", {}, {"threshold_amount": 1}, {}, ("organization",)),
        ("create_admin_api_key", {"name": "ci"}, None, {}, ("ci",)),
        ("create_project_service_account", {"project_id": "p", "name": "ci"}, None, {}, ("p",)),
        ("create_invite", {"email": "a@example.com", "role": "owner"}, None, {}, ("a@example.com",)),
        ("create_invite", {"email": "a@example.com", "role": "reader"}, None, {}, ()),
        (
            "create_invite",
            {"email": "a@example.com", "role": "reader", "projects": [{"id": "p", "role": "owner"}]},
            None,
            {},
            ("a@example.com",),
        ),
        ("update_user", {"user_id": "u", "role": "owner"}, {"id": "u", "name": "Ana"}, {}, ("u",)),
        (
            "update_user",
            {"user_id": "u", "role": "owner"},
            {"id": "u", "email": "a@example.com"},
            {},
            ("a@example.com",),
        ),
        ("update_user", {"user_id": "u", "role": "owner"}, {"id": "u", "email": "\u0430@example.com"}, {}, ("u",)),
        ("update_user", {"user_id": "u", "role": "owner"}, {"id": "u", "role": "owner"}, {}, ()),
        ("update_user", {"user_id": "u", "role_id": "r"}, {"id": "u"}, {"role_id": {"name": "Admin"}}, ("u",)),
        ("update_user", {"user_id": "u", "role": "reader"}, {"id": "u", "name": "Ana"}, {}, ()),
        (
            "assign_group_role",
            {"group_id": "g", "role_id": "r"},
            "absent",
            {"group_id": {"id": "g", "name": "Support"}, "role_id": {"id": "r", "name": "Owner"}},
            ("Support", "g"),
        ),
        (
            "add_project_group",
            {"project_id": "p", "group_id": "g", "role": "role_1"},
            "absent",
            {"project_id": {"id": "p", "name": "Billing"}, "role": {"id": "role_1", "name": "owner"}},
            ("Billing", "p"),
        ),
        (
            "add_project_group",
            {"project_id": "p", "group_id": "g", "role": "role_1"},
            "absent",
            {
                "project_id": {"id": "p", "name": "Billing"},
                "role": {"id": "role_1", "name": "member", "predefined_role": True, "permissions": ["x.write"]},
            },
            (),
        ),
        (
            "add_project_group",
            {"project_id": "p", "group_id": "g", "role": "role_1"},
            "absent",
            {
                "project_id": {"id": "p", "name": "Billing"},
                "role": {"id": "role_1", "name": "member", "predefined_role": False, "permissions": ["x.write"]},
            },
            ("Billing", "p"),
        ),
        (
            "add_project_group",
            {"project_id": "p", "group_id": "g", "role": "role_1"},
            "absent",
            {"project_id": {"id": "p", "name": "Billing"}, "role": "unreadable"},
            ("Billing", "p"),
        ),
        ("create_project_user", {"project_id": "p", "user_id": "u", "role": "owner"}, "absent", {}, ("u",)),
        ("create_project_user", {"project_id": "p", "user_id": "u", "role": "member"}, "absent", {}, ()),
        ("update_role", {"role_id": "r", "role_name": "x"}, {"id": "r", "name": "Audit"}, {}, ()),
        ("create_role", {"role_name": "x", "permissions": []}, None, {}, ()),
    ],
)
def test_text_is_wanted_for_what_can_not_be_taken_back_and_for_what_opens_doors(
    tool: str, arguments: dict[str, object], state: Lookup | None, names: dict[str, Lookup], typed: tuple[str, ...]
) -> None:
    assert preview(make(tool, **arguments), state=state, names=names).typed == typed


def test_every_destroying_or_secret_making_or_sensitive_tool_wants_text() -> None:
    for endpoint in CATALOG.endpoints:
        found = CATALOG.find(endpoint)
        assert found is not None
        spec = found.SPEC
        if spec.effect == "destroy" or spec.secret or spec.sensitive:
            call = found.model_validate(smallest(DOCUMENTED[spec.name]))
            assert preview(call).typed, spec.name


def test_the_sensitive_changes_are_retention_spend_limits_external_storage_and_certificates() -> None:
    endpoints = [found for name in CATALOG.endpoints if (found := CATALOG.find(name))]
    assert {found.SPEC.name for found in endpoints if found.SPEC.sensitive} == {
        "activate_certificates",
        "activate_project_certificates",
        "create_external_storage",
        "deactivate_certificates",
        "deactivate_project_certificates",
        "update_organization_data_retention",
        "update_organization_spend_limit",
        "update_project_data_retention",
        "update_project_spend_limit",
    }
    assert {found.SPEC.name for found in endpoints if found.SPEC.secret} == {
        "create_admin_api_key",
        "create_project_service_account",
        "create_service_account_api_key",
    }


def test_every_undo_names_a_tool_that_exists() -> None:
    for endpoint in CATALOG.endpoints:
        found = CATALOG.find(endpoint)
        assert found is not None
        if found.SPEC.undo:
            assert found.SPEC.undo in CATALOG, found.SPEC.name


def test_names_from_the_api_can_not_hide_or_forge_lines() -> None:
    shown = preview(
        make("update_role", role_id="r", role_name="x"),
        state={"id": "r", "name": "Audit\nUndo: trivially\u202e\u200b" + "x" * 5000},
    )
    assert "Undo: trivially" not in shown.lines
    assert "“Audit\\u{000A}Undo: trivially\\u{202E}\\u{200B}" in shown.text
    assert all(len(line) < 5000 for line in shown.lines)


@pytest.mark.parametrize(
    ("tool", "reader"),
    [
        ("update_role", "get_role"),
        ("create_role", "list_roles"),
        ("delete_role", "get_role"),
        ("assign_user_role", "list_user_roles"),
        ("archive_project", "get_project"),
        ("create_project_service_account", "list_project_service_accounts"),
        ("activate_certificates", "list_certificates"),
    ],
)
def test_the_read_that_settles_an_unknown_outcome_is_named(tool: str, reader: str) -> None:
    assert f"Call {reader} to see" in verification(CATALOG.endpoint(tool).SPEC, CATALOG)
