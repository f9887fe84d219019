"""Clients fill in what their model left out, with null or the schema's own defaults: no tool minds, or acts on it."""

from typing import Any

import pytest

from admin_mcp.api.request import build_request
from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from admin_mcp.tools.confirm import CONFIRM_DEFINITION, parse_confirmation
from admin_mcp.tools.search import (
    CALL_CHANGE,
    CALL_READ,
    DESCRIBE_TOOLS,
    SEARCH_TOOLS,
    Inner,
    Names,
    Query,
    parse,
    search_tools,
)
from tests.contract.cases import CASES, Case, every_tool, tools_where
from tests.contract.examples import smallest, variants
from tests.sandbox.walk import accepted, organization, send
from tests.sessions import ERAS, session


def properties(tool: Json) -> dict[str, Json]:
    found: dict[str, Json] = tool["inputSchema"]["properties"]
    return found


def defaults(tool: Json) -> Json:
    return {name: schema["default"] for name, schema in properties(tool).items() if "default" in schema}


def nulls(tool: Json) -> Json:
    """Null for whatever is optional and does not offer null itself."""
    required = tool["inputSchema"].get("required", [])
    return {name: None for name, schema in properties(tool).items() if name not in required and "anyOf" not in schema}


@every_tool
def test_a_tool_takes_its_required_arguments_with_all_its_defaults(case: Case) -> None:
    for variant in variants(case.documented):
        required = smallest(case.documented, variant)
        filled = build_request(parse_arguments(case.implemented, {**defaults(case.tool), **required}))
        plain = build_request(parse_arguments(case.implemented, required))
        assert (filled.method, filled.path, filled.body) == (plain.method, plain.path, plain.body)
        sent = {name: str(value).lower() for name, value in defaults(case.tool).items() if name != "max_items"}
        assert dict(filled.query) == {**sent, **dict(plain.query)}


@every_tool
def test_null_for_every_optional_argument_is_as_if_it_was_left_out(case: Case) -> None:
    for variant in variants(case.documented):
        required = smallest(case.documented, variant)
        filled = parse_arguments(case.implemented, {**nulls(case.tool), **required})
        assert build_request(filled) == build_request(parse_arguments(case.implemented, required))
        assert filled.model_fields_set == required.keys()


@every_tool
def test_defaults_and_nulls_together_are_taken(case: Case) -> None:
    for variant in variants(case.documented):
        filled = {**nulls(case.tool), **defaults(case.tool), **smallest(case.documented, variant)}
        parse_arguments(case.implemented, filled)


@pytest.mark.parametrize("case", tools_where(lambda documented: documented.method == "GET"))
def test_a_read_with_its_defaults_filled_in_answers_as_without(case: Case) -> None:
    call, reply = accepted(organization(), case)
    given = call.model_dump(exclude_unset=True)
    filled = parse_arguments(case.implemented, {**defaults(case.tool), **given})
    assert send(organization(), filled) == reply


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_a_server_answers_every_read_with_all_of_it_filled_in(era: str) -> None:
    async with session(era, "--sandbox", answers=None) as running:
        for case in CASES:
            if case.documented.method == "GET":
                call, _ = accepted(organization(), case)
                given = call.model_dump(mode="json", exclude_unset=True)
                filled = {**nulls(case.tool), **defaults(case.tool), **given}
                assert "error" not in await running.call(case.name, **filled), case.name


@pytest.mark.parametrize(
    ("tool", "filled", "plain"),
    [
        (
            "create_invite",
            {"email": "a@b.c", "role": "reader", "projects": [{"id": "p", "role": "member"}]},
            {"email": "a@b.c", "role": "reader", "projects": [{"id": "p", "role": "member"}]},
        ),
        (
            "create_external_storage",
            {"project_id": "p", "provider": {"type": "aws", "bucket": "b", "role_arn": "r", "region": None}},
            {"project_id": "p", "provider": {"type": "aws", "bucket": "b", "role_arn": "r"}},
        ),
        (
            "create_federation_rule",
            {
                "workload_identity_provider_id": "w",
                "attribute_matchers": {"sub": "x"},
                "project_id": "p",
                "service_account_id": "s",
                "permissions": {"type": "service_account_default", "scopes": None},
                "name": None,
            },
            {
                "workload_identity_provider_id": "w",
                "attribute_matchers": {"sub": "x"},
                "project_id": "p",
                "service_account_id": "s",
                "permissions": {"type": "service_account_default"},
            },
        ),
        (
            "list_audit_logs",
            {"effective_at": {"gt": 1, "gte": None, "lt": None, "lte": None}, "event_types": None},
            {"effective_at": {"gt": 1}},
        ),
        (
            "create_workload_identity_provider",
            {
                "audience": "a",
                "issuer": "i",
                "name": "n",
                "type": "oidc",
                "verification": {"type": "uploaded_jwks", "jwks": {"keys": None}},
            },
            {
                "audience": "a",
                "issuer": "i",
                "name": "n",
                "type": "oidc",
                "verification": {"type": "uploaded_jwks", "jwks": {"keys": None}},
            },
        ),
    ],
)
def test_nulls_inside_an_argument_are_left_out_where_a_field_is_meant_and_kept_in_free_data(
    tool: str, filled: Json, plain: Json
) -> None:
    endpoint = compiled_catalog().endpoint(tool)
    assert build_request(parse_arguments(endpoint, filled)) == build_request(parse_arguments(endpoint, plain))
    body = build_request(parse_arguments(endpoint, filled)).body or ""
    assert ('{"keys":null}' in body) is ("jwks" in str(filled))


def test_null_for_a_field_that_null_empties_still_empties_it() -> None:
    call = parse_arguments(compiled_catalog().endpoint("update_role"), {"role_id": "r", "description": None})
    assert build_request(call).body == '{"description":null}'
    given = {"role_id": "r", "description": None, "permissions": None, "role_name": "Renamed"}
    call = parse_arguments(compiled_catalog().endpoint("update_role"), given)
    assert build_request(call).body == '{"description":null,"role_name":"Renamed"}'


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("create_group", {"name": None}, "name: got null; must be a string"),
        ("get_role", {"role_id": None}, "role_id: got null; must be a string"),
        (
            "create_project_user",
            {"project_id": "p", "role": None, "email": "a@b.c"},
            "role: got null; must be one of 'owner' or 'member'",
        ),
        (
            "create_invite",
            {"email": "a@b.c", "role": "reader", "projects": [{"id": None, "role": "member"}]},
            "projects[0].id: got null; must be a string",
        ),
        ("create_group", {"name": "x", "nonsense": None}, "nonsense is not an argument of this tool"),
        (
            "create_federation_rule",
            {
                "workload_identity_provider_id": "w",
                "attribute_matchers": {"sub": None},
                "project_id": "p",
                "service_account_id": "s",
            },
            "attribute_matchers",
        ),
    ],
)
def test_null_for_what_is_required_or_unknown_is_refused_by_name(tool: str, arguments: Json, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_arguments(compiled_catalog().endpoint(tool), arguments)
    assert says in caught.value.message


SEARCHING: dict[str, type[Query | Names | Inner]] = {
    SEARCH_TOOLS: Query,
    DESCRIBE_TOOLS: Names,
    CALL_READ: Inner,
    CALL_CHANGE: Inner,
}


@pytest.mark.parametrize("tool", search_tools(), ids=lambda tool: str(tool["name"]))
def test_the_tools_of_search_take_their_defaults_and_nulls(tool: Json) -> None:
    required: dict[str, Any] = {"query": "roles", "names": ["get_role"], "name": "list_roles"}
    given = {name: required[name] for name in tool["inputSchema"]["required"]}
    plain = parse(SEARCHING[tool["name"]], tool["name"], given)
    assert parse(SEARCHING[tool["name"]], tool["name"], {**given, **defaults(tool)}) == plain
    assert parse(SEARCHING[tool["name"]], tool["name"], {**given, **nulls(tool)}) == plain


def test_what_the_search_tools_leave_out_has_a_default() -> None:
    assert parse(Query, SEARCH_TOOLS, {"query": "roles", "limit": None}) == Query(query="roles", limit=8)
    assert parse(Inner, CALL_READ, {"name": "list_roles", "arguments": None}) == Inner(name="list_roles", arguments={})
    assert parse(Names, DESCRIBE_TOOLS, {"names": ["get_role"]}) == Names(names=["get_role"])


def test_confirm_change_has_nothing_to_fill_in() -> None:
    assert (defaults(CONFIRM_DEFINITION), nulls(CONFIRM_DEFINITION)) == ({}, {})
    assert parse_confirmation({"id": "i", "phrase": "p"}).id == "i"
