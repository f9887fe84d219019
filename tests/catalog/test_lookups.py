"""Where the ids that a tool takes come from: worked out from the paths, and there in every toolset that needs it."""

import re

import pytest

from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.schema import META_EFFECT, META_ENDPOINT, META_LOOKUPS, META_RESOURCE, Json
from admin_mcp.tools.selection import Selection
from admin_mcp.tools.toolsets import PRESETS, members, toolsets
from tests.contract.cases import Case, every_tool
from tests.contract.examples import is_id
from tests.contract.facts import Shape

TOOLS = compiled_catalog().tools
EVERY = {tool["name"]: tool for tool in TOOLS}
GIVES = {
    (tool["name"], name)
    for tool in TOOLS
    for name in re.findall(r"where (?:the )?(\w+) (?:for \w+ or \w+ )?comes? from", tool["description"])
}
"""What the descriptions say of where an id comes from: another source than the paths."""


def lookups(name: str) -> list[str]:
    found: list[str] = EVERY[name]["_meta"].get(META_LOOKUPS, [])
    return found


@pytest.mark.parametrize(
    ("tool", "given_by"),
    [
        ("get_user", {"list_users"}),
        ("list_users", set()),
        ("add_group_user", {"list_groups", "list_users"}),
        ("remove_group_user", {"list_groups", "list_group_users"}),
        ("assign_user_role", {"list_users", "list_roles"}),
        ("assign_project_user_role", {"list_projects", "list_project_users", "list_project_roles"}),
        ("unassign_project_group_role", {"list_projects", "list_project_groups", "list_project_group_roles"}),
        ("create_project_user", {"list_projects", "list_users"}),
        ("add_project_group", {"list_projects", "list_groups", "list_project_roles"}),
        ("activate_project_certificates", {"list_projects", "list_project_certificates", "list_certificates"}),
        ("create_invite", {"list_projects"}),
        ("update_project", {"list_projects", "list_external_keys"}),
        ("create_external_storage", {"list_projects"}),
        (
            "create_federation_rule",
            {"list_workload_identity_providers", "list_projects", "list_project_service_accounts"},
        ),
        ("create_service_account_api_key", {"list_projects", "list_project_service_accounts"}),
        ("get_costs", {"list_projects", "list_project_api_keys"}),
        ("get_usage_completions", {"list_projects", "list_project_api_keys", "list_users"}),
        ("get_usage_vector_stores", {"list_projects"}),
        ("list_audit_logs", {"list_projects"}),
    ],
)
def test_a_tools_ids_come_from_these_lists(tool: str, given_by: set[str]) -> None:
    assert set(lookups(tool)) == given_by


@every_tool
def test_what_gives_ids_is_another_list(case: Case) -> None:
    for name in lookups(case.name):
        assert name.startswith("list_")
        assert name != case.name
        assert EVERY[name]["_meta"][META_EFFECT] == "read"


@every_tool
def test_a_tool_has_a_list_for_each_kind_of_id_it_needs(case: Case) -> None:
    """Counted from the documented names: every id in the path, and for a change every id in the body."""
    fields = case.documented.body if case.documented.method != "GET" else ()
    needed = [*case.documented.path_params, *(field.name for field in fields if _is_of_this_api(field))]
    assert len(lookups(case.name)) >= len(needed)


def _is_of_this_api(field: Shape) -> bool:
    name = getattr(field, "name", "")
    # An outside cloud has ids of its own; they belong to one type of the union each. A model's id is its name.
    return (
        (is_id(name) or getattr(field, "identifies", False))
        and not getattr(field, "only_when_type", ())
        and name not in {"model_ids", "external_id"}
    )


@pytest.mark.parametrize(("tool", "name"), sorted(GIVES))
def test_where_a_description_says_that_an_id_comes_from_is_where_it_is_looked_up(tool: str, name: str) -> None:
    own = EVERY[tool]["_meta"][META_ENDPOINT].partition(" ")[2]
    takers = [one for one in TOOLS if f"{own}/{{{name}}}" in one["_meta"][META_ENDPOINT]]
    assert all(tool in lookups(one["name"]) for one in takers)
    assert any(tool in lookups(one["name"]) for one in TOOLS) or not takers


def test_the_descriptions_were_understood() -> None:
    assert {("list_projects", "project_id"), ("list_roles", "role_id"), ("list_users", "user_id")} <= GIVES


@pytest.mark.parametrize("toolset", toolsets(TOOLS))
@pytest.mark.parametrize("read_only", [False, True])
def test_a_toolset_does_not_dead_end(toolset: str, *, read_only: bool) -> None:
    tools = Selection(toolset, read_only=read_only).of(TOOLS)
    names = {tool["name"] for tool in tools}
    for tool in tools:
        assert set(lookups(tool["name"])) <= names


@pytest.mark.parametrize("toolset", list(dict.fromkeys([*PRESETS, *(tool["_meta"][META_RESOURCE] for tool in TOOLS)])))
def test_what_a_toolset_brings_along_changes_nothing(toolset: str) -> None:
    own = PRESETS.get(toolset, (toolset,))
    brought = [tool for tool in members(TOOLS, toolset) if not _is_of(tool, own)]
    assert all(tool["_meta"][META_EFFECT] == "read" and tool["name"].startswith("list_") for tool in brought)


def _is_of(tool: Json, globs: tuple[str, ...]) -> bool:
    patterns = (re.escape(glob).replace(r"\*", ".*") for glob in globs)
    return any(re.fullmatch(pattern, tool["_meta"][META_RESOURCE]) for pattern in patterns)


@pytest.mark.parametrize(
    ("toolset", "brings"),
    [
        ("security", {"list_projects"}),
        ("spend", {"list_projects", "list_users", "list_project_api_keys"}),
        ("projects", {"list_users", "list_groups", "list_certificates"}),
        ("people", {"list_projects"}),
        ("users", {"list_roles"}),
        ("project_users", {"list_projects", "list_users"}),
        ("costs", {"list_projects", "list_project_api_keys"}),
        ("usage", {"list_projects", "list_project_api_keys", "list_users"}),
        ("audit_logs", {"list_projects"}),
    ],
)
def test_a_toolset_brings_the_lists_it_needs(toolset: str, brings: set[str]) -> None:
    names = {tool["name"] for tool in Selection(toolset).of(TOOLS)}
    assert brings <= names


def test_an_id_that_only_narrows_a_read_brings_its_list_and_no_more() -> None:
    assert {tool["name"] for tool in Selection("costs").of(TOOLS)} == {
        "get_costs",
        "list_projects",
        "list_project_api_keys",
    }


def test_tools_that_are_named_bring_nothing_and_what_is_excluded_stays_away() -> None:
    assert [tool["name"] for tool in Selection(tools="get_project_user").of(TOOLS)] == ["get_project_user"]
    beside = {tool["name"] for tool in Selection("costs", tools="get_project_user").of(TOOLS)}
    assert beside == {"get_costs", "list_projects", "list_project_api_keys", "get_project_user"}
    assert "list_projects" not in {tool["name"] for tool in Selection("spend", exclude="list_projects").of(TOOLS)}


def test_a_toolset_in_read_only_brings_what_its_reads_need_alone() -> None:
    assert {tool["name"] for tool in Selection("users", read_only=True).of(TOOLS)} == {"list_users", "get_user"}
