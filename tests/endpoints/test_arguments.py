"""Wrong arguments get one error that names each field, what came, and what is allowed."""

import pytest

from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.errors import InvalidInput


def refusal(tool: str, **arguments: object) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        parse_arguments(compiled_catalog().endpoint(tool), arguments)
    return caught.value


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("list_roles", {"limit": 1001}, "limit: got 1001; must be at most 1000"),
        ("list_roles", {"limit": -1}, "limit: got -1; must be at least 0"),
        ("list_roles", {"limit": "5"}, 'limit: got "5"; must be a whole number, not quoted'),
        ("list_roles", {"limit": True}, "limit: got true; must be a whole number"),
        ("list_roles", {"limit": 1.5}, "limit: got 1.5; must be a whole number"),
        ("list_roles", {"order": "up"}, "order: got \"up\"; must be one of 'asc' or 'desc'"),
        ("create_role", {"role_name": "x"}, "permissions is missing"),
        ("create_role", {"role_name": "x", "permissions": "all"}, 'permissions: got "all"; must be an array'),
        ("create_role", {"role_name": "x", "permissions": [1]}, "permissions[0]: got 1; must be a string"),
        ("create_group", {"name": ""}, 'name: got ""; must have at least 1 characters'),
        ("activate_certificates", {"certificate_ids": []}, "certificate_ids: got []; must have at least 1 items"),
        ("list_projects", {"include_archived": "yes"}, 'include_archived: got "yes"; must be true or false'),
        ("list_audit_logs", {"event_types": ["project.create"]}, "such as 'project.created'"),
        ("create_project", {"name": "x", "residency": "GLOBAL", "geography": "US"}, "geography"),
        ("create_project_user", {"project_id": "p", "role": "member"}, "email"),
        (
            "create_project_user",
            {"project_id": "p", "role": "Key manager", "email": "a@b.c"},
            "role: got \"Key manager\"; must be one of 'owner' or 'member'",
        ),
        ("update_project_user", {"project_id": "p", "user_id": "u", "role": "reader"}, "'owner' or 'member'"),
        ("update_user", {"user_id": "u", "role": "Key manager"}, "'owner' or 'reader'"),
        ("update_project_api_key", {"project_id": "p", "api_key_id": "k", "expires_in_seconds": 0}, "at least 1"),
        (
            "create_service_account_api_key",
            {"project_id": "p", "service_account_id": "s", "expires_in_seconds": -1},
            "1",
        ),
        ("create_project_service_account", {"project_id": "p", "name": "ci", "expires_in_seconds": 0}, "at least 1"),
        ("update_project", {"project_id": "p", "geography": "EU"}, "geography changes nothing any more"),
        (
            "get_costs",
            {"start_time": "2026-10-01"},
            'start_time: got "2026-10-01"; must be a whole number: unix seconds, for this date 1790812800',
        ),
        ("get_costs", {"start_time": 1, "end_time": "2026-10-01T02:00:00+02:00"}, "for this date 1790812800"),
        ("get_usage_decisions", {"start_time": 1, "end_time": "2026-10-01T00:00Z"}, "for this date 1790812800"),
        ("get_costs", {"start_time": "2026-13-01"}, 'got "2026-13-01"; must be a whole number, not quoted'),
        ("get_costs", {"start_time": "1790812800"}, 'got "1790812800"; must be a whole number, not quoted'),
        ("get_costs", {"start_time": "20261001"}, "must be a whole number, not quoted"),
        (
            "list_audit_logs",
            {"effective_at": {"gte": "2026-10-01"}},
            'effective_at.gte: got "2026-10-01"; must be a whole number: unix seconds, for this date 1790812800',
        ),
    ],
)
def test_each_bad_field_is_explained(tool: str, arguments: dict[str, object], says: str) -> None:
    assert says in refusal(tool, **arguments).message


@pytest.mark.parametrize("name", ["\ud800", "a\udfffb"])
def test_text_that_is_no_unicode_is_refused(name: str) -> None:
    assert "name" in refusal("create_group", name=name).message


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_have_is_refused(number: float) -> None:
    told = refusal(
        "create_federation_rule",
        workload_identity_provider_id="wip_1",
        attribute_matchers={"level": number},
        project_id="proj_1",
        service_account_id="user-1",
    )
    assert "attribute_matchers" in told.message


def test_an_unknown_argument_is_named_with_the_nearest_real_one() -> None:
    assert (
        "rolename is not an argument of this tool (did you mean role_name?)"
        in refusal("create_role", rolename="x", permissions=[]).message
    )


def test_all_bad_fields_come_in_one_error_with_the_tools_arguments() -> None:
    told = refusal("update_role", role_id="a/b", nonsense=1, permissions=3)
    assert all(field in told.message for field in ("role_id", "nonsense", "permissions"))
    assert told.hint.startswith("Nothing was sent.")


def test_of_very_many_bad_fields_the_first_are_named_and_the_rest_counted() -> None:
    error = refusal("create_role", role_name="x", permissions=[1] * 40)
    assert "permissions[7]: got 1" in error.message
    assert "permissions[8]" not in error.message
    assert error.message.endswith("; and 32 more")


def test_a_long_value_is_not_echoed_whole() -> None:
    assert len(refusal("get_role", role_id="x" * 10_000).message) < 400


def test_whole_numbers_written_as_floats_are_taken() -> None:
    call = parse_arguments(compiled_catalog().endpoint("list_roles"), {"limit": 20.0})
    assert call.model_dump(exclude_unset=True) == {"limit": 20}


def test_a_value_of_very_many_is_answered_with_near_ones_and_how_the_others_begin() -> None:
    error = refusal("list_audit_logs", event_types=["role.assigment.deleted"])
    assert "event_types[0]: got" in error.message
    assert "'role.assignment.deleted'" in error.message
    assert "they begin with api_key, certificate" in error.message
    assert error.message.endswith("tenant")
