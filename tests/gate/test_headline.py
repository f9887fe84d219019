"""What a change comes to, in one sentence, and what it really does."""

from typing import Any

import pytest

from admin_mcp.api.request import build_request
from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.base import Effect, Endpoint
from admin_mcp.gate.effects import effect_of, effects_of, possible_effects
from admin_mcp.gate.headline import headline
from admin_mcp.gate.preview import build_preview
from admin_mcp.gate.reads import plan_reads
from admin_mcp.gate.snapshot import Lookup, Snapshot
from tests.contract.cases import CASES
from tests.contract.examples import smallest

CATALOG = compiled_catalog()
ANA = {"id": "u", "name": "Ana", "email": "ana@example.com", "role": "reader"}
ANA_SHOWN = "“Ana” <ana@example.com> (u)"
NOT_LOOKED = "its roles in projects were not looked up"
BILLING = {"id": "p", "name": "Billing"}
ADMIN = {"id": "r", "name": "Admin", "permissions": ["api.keys.write"], "predefined_role": False}
READER = {"id": "r", "name": "Viewer", "permissions": ["api.usage.read"], "predefined_role": False}
SUPPORT = {"id": "g", "name": "Support"}
KEY = {
    "id": "k",
    "name": "ci",
    "redacted_value": "sk-...abcd",
    "last_used_at": 1_790_000_000,
    "owner": {"type": "user", "user": {"id": "u", "name": "Ana", "email": "ana@example.com"}},
}
PROVIDER = {"id": "w", "name": "Pipelines"}
ACCOUNT = {"id": "s", "name": "deploy", "role": "member"}


def make(tool: str, **arguments: Any) -> Endpoint:
    return CATALOG.endpoint(tool).model_validate(arguments)


def seen(call: Endpoint, state: Lookup | None, names: dict[str, Lookup], roles: Lookup | None = None) -> Snapshot:
    plan = plan_reads(call, CATALOG)
    return Snapshot(state, plan.own, names, once=plan.once, roles=roles)


@pytest.mark.parametrize(
    ("call", "state", "names", "sentence", "effect"),
    [
        (
            make("update_user", user_id="u", role="owner"),
            ANA,
            {},
            "Make “Ana” <ana@example.com> (u) an OWNER of the organization (now reader)",
            "grant",
        ),
        (
            make("update_user", user_id="u", role="reader"),
            {**ANA, "role": "owner"},
            {},
            f"Take ownership of the organization from {ANA_SHOWN}: reader instead of owner",
            "update",
        ),
        (
            make("create_invite", email="eve@example.com", role="owner", projects=[{"id": "p", "role": "owner"}]),
            None,
            {"projects[0].id": BILLING},
            "Invite <eve@example.com> to the organization as OWNER, with project “Billing” (p) as OWNER",
            "grant",
        ),
        (
            make("delete_project_api_key", project_id="p", api_key_id="k"),
            KEY,
            {"project_id": BILLING},
            "Delete API key “ci” (k) of “Ana” <ana@example.com> (u) in project “Billing” (p)",
            "destroy",
        ),
        (
            make("add_group_user", group_id="g", user_id="u"),
            "absent",
            {"group_id": SUPPORT, "user_id": ANA},
            f"Put {ANA_SHOWN} into group “Support” (g): they get all that it may do (the role “Admin”; {NOT_LOOKED})",
            "grant",
        ),
        (
            make("assign_user_role", user_id="u", role_id="r"),
            "absent",
            {"user_id": ANA, "role_id": ADMIN},
            f"Give {ANA_SHOWN} the role “Admin” (r) (a role with power to change things) in the organization",
            "grant",
        ),
        (
            make("update_role", role_id="r", permissions=["api.usage.read", "api.keys.write"]),
            READER,
            {},
            "Let everyone who has role “Viewer” (r) in the organization do more: api.keys.write",
            "grant",
        ),
        (
            make("update_role", role_id="r", permissions=[]),
            READER,
            {},
            "Change role “Viewer” (r) in the organization: permissions",
            "update",
        ),
        (
            make("update_project_service_account", project_id="p", service_account_id="s", role="owner"),
            ACCOUNT,
            {"project_id": BILLING},
            "Make service account “deploy” (s) an OWNER of project “Billing” (p) (now member)",
            "grant",
        ),
        (
            make(
                "create_federation_rule",
                workload_identity_provider_id="w",
                project_id="p",
                service_account_id="s",
                attribute_matchers={},
            ),
            None,
            {"workload_identity_provider_id": PROVIDER, "project_id": BILLING, "service_account_id": ACCOUNT},
            "Let outside workloads of “Pipelines” (w) act as service account “deploy” (s) in project “Billing” (p)",
            "grant",
        ),
        (
            make("update_workload_identity_provider", workload_identity_provider_id="w", issuer="https://evil.example"),
            PROVIDER,
            {},
            "Change which outside workloads are trusted through “Pipelines” (w): issuer",
            "grant",
        ),
        (
            make("update_project_spend_limit", project_id="p", currency="USD", interval="month", threshold_amount=1),
            "absent",
            {"project_id": BILLING},
            "Limit the spending of project “Billing” (p) to 0.01 USD a month (no limit now)",
            "update",
        ),
        (
            make("delete_user", user_id="u"),
            ANA,
            {},
            "Remove “Ana” <ana@example.com> (u) from the organization",
            "destroy",
        ),
        (make("archive_project", project_id="p"), BILLING, {}, "Archive project “Billing” (p) for good", "destroy"),
        (make("create_project", name="Ops"), None, {}, "Create project “Ops”", "create"),
    ],
    ids=lambda value: type(value).SPEC.name if isinstance(value, Endpoint) else "",
)
def test_the_headline_is_the_consequence(
    call: Endpoint, state: Lookup | None, names: dict[str, Lookup], sentence: str, effect: Effect
) -> None:
    roles = {"data": [ADMIN]} if type(call).SPEC.name == "add_group_user" else None
    looked = seen(call, state, names, roles)
    assert headline(call, looked) == sentence
    assert effect_of(call, looked) == effect
    raises = effect == "grant"
    shown = build_preview(call, build_request(call), looked, catalog=CATALOG, target="the test system")
    assert not raises or shown.typed
    assert effects_of(call, looked) in possible_effects(CATALOG.tool(type(call).SPEC.name))


def test_joining_a_group_wants_text_since_what_it_may_do_in_projects_is_not_known() -> None:
    call = make("add_group_user", group_id="g", user_id="u")
    shown = build_preview(
        call,
        build_request(call),
        seen(call, "absent", {"group_id": SUPPORT, "user_id": ANA}, {"data": []}),
        catalog=CATALOG,
        target="the test system",
    )
    assert shown.typed == ("ana@example.com",)
    assert (
        "The group carries: no organization role; in projects it may be owner, which was not looked up" in shown.lines
    )


def test_a_key_says_when_it_was_last_used_and_that_is_no_drift() -> None:
    call = make("delete_project_api_key", project_id="p", api_key_id="k")
    shown = [
        build_preview(
            call,
            build_request(call),
            seen(call, {**KEY, "last_used_at": used}, {"project_id": BILLING}),
            catalog=CATALOG,
            target="the test system",
        )
        for used in (1_790_000_000, None, 1_790_100_000)
    ]
    assert "Last used: on 2026-09-21" in shown[0].lines
    assert "Last used: never" in shown[1].lines
    assert len({each.drift for each in shown}) == 1


@pytest.mark.parametrize(
    ("tool", "arguments", "line"),
    [
        ("create_admin_api_key", {"name": "x"}, "Expires in seconds: left out: it never expires"),
        (
            "create_service_account_api_key",
            {"project_id": "p", "service_account_id": "s"},
            "Expires in seconds: left out: the key never expires",
        ),
        ("create_invite", {"email": "a@example.com", "role": "reader"}, "Projects: left out: the default project"),
    ],
)
def test_a_default_that_matters_is_said(tool: str, arguments: dict[str, Any], line: str) -> None:
    call = make(tool, **arguments)
    shown = build_preview(call, build_request(call), seen(call, None, {}), catalog=CATALOG, target="the test system")
    assert line in shown.lines


def test_false_flags_are_left_out_and_field_names_are_data() -> None:
    call = make("delete_role", role_id="r")
    shown = build_preview(
        call,
        build_request(call),
        seen(call, {**READER, "x\nUndo: easy": "y", "frozen": False, "kind": "odd"}, {}),
        catalog=CATALOG,
        target="the test system",
    )
    assert "Now: kind: “odd”" in shown.lines
    assert not any("frozen" in line for line in shown.lines)
    assert "Now: x\\u{000A}Undo: easy: “y”" in shown.lines


def test_every_change_has_a_headline_whatever_was_read_about_it() -> None:
    for case in CASES:
        if case.documented.method == "GET":
            continue
        call = case.implemented.model_validate(smallest(case.documented))
        plan = plan_reads(call, CATALOG)
        for found in ({"id": "x", "name": "Thing"}, {}, "absent", "unreadable"):
            looked = Snapshot(
                found if plan.state else None,
                plan.own,
                dict.fromkeys(plan.names, found),
                once=plan.once,
                roles=found if plan.roles else None,
            )
            sentence = headline(call, looked)
            assert sentence[:1].isupper(), case.name
            assert "  " not in sentence, case.name
            assert "None" not in sentence, case.name
