"""Which tools a server offers, and what they cost."""

import json
from fnmatch import fnmatchcase

import pytest
from mcp.shared.exceptions import MCPError

from admin_mcp.cli.tool_pages import summary, tokens
from admin_mcp.endpoints.schema import META_EFFECT, META_ENDPOINT, META_RESOURCE, Json
from admin_mcp.errors import SettingsError
from admin_mcp.gate.policy_file import sample_policy
from admin_mcp.tools.definitions import every_definition
from admin_mcp.tools.selection import Selection
from admin_mcp.tools.toolsets import PRESETS, members, toolsets
from tests.cli.test_main import run
from tests.recorder import Recorder
from tests.sessions import ERAS, KEY, session

TOOLS = every_definition()
RESOURCES = {tool["_meta"][META_RESOURCE] for tool in TOOLS if META_ENDPOINT in tool["_meta"]}


def names(selection: Selection) -> list[str]:
    return [tool["name"] for tool in selection.of(TOOLS)]


def test_nothing_chosen_means_every_tool() -> None:
    assert Selection().of(TOOLS) == list(TOOLS)
    assert Selection("all").of(TOOLS) == list(TOOLS)


def test_each_resource_is_in_a_preset_and_no_glob_of_a_preset_is_idle() -> None:
    globs = [glob for preset in PRESETS.values() for glob in preset]
    assert {name for name in RESOURCES if any(fnmatchcase(name, glob) for glob in globs)} == RESOURCES
    assert [glob for glob in globs if not any(fnmatchcase(name, glob) for name in RESOURCES)] == []


def test_read_is_the_reading_tools_of_all_resources() -> None:
    assert names(Selection("read")) == names(Selection(read_only=True))


def test_projects_is_the_projects_and_all_that_is_in_them_and_the_lists_they_need() -> None:
    inside = members(TOOLS, "projects")
    own = {tool["_meta"][META_RESOURCE] for tool in inside if tool["_meta"][META_RESOURCE].startswith("project")}
    assert own == {name for name in RESOURCES if name.startswith("project")}
    endpoints = [tool for tool in inside if META_ENDPOINT in tool["_meta"]]
    brought = {tool["name"] for tool in endpoints if tool["_meta"][META_RESOURCE] not in own}
    assert brought == {"list_users", "list_groups", "list_certificates", "list_external_keys"}


def test_toolsets_are_joined_and_keep_the_catalogs_order() -> None:
    both = names(Selection("users, costs"))
    assert both == [
        "get_costs", "list_project_api_keys", "list_projects",
        "list_roles", "list_users", "get_user", "update_user", "delete_user",
    ]  # fmt: skip
    assert names(Selection("costs,users")) == both


def test_tools_alone_are_the_whole_selection_and_beside_toolsets_come_on_top() -> None:
    assert set(names(Selection(tools="get_user,list_u*"))) == {"get_user", "list_users", "list_user_roles"}
    assert set(names(Selection("groups", tools="get_costs"))) == {*names(Selection("groups")), "get_costs"}


def test_what_is_excluded_goes_last() -> None:
    assert "delete_user" not in names(Selection("users", tools="delete_user", exclude="delete_*"))


def test_read_only_takes_changes_out_of_a_toolset() -> None:
    assert {tool["_meta"][META_EFFECT] for tool in Selection("people", read_only=True).of(TOOLS)} == {"read"}


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (Selection("peple"), "--toolsets: there is no toolset 'peple'. Did you mean people?"),
        (Selection("users,cost"), "--toolsets: there is no toolset 'cost'. Did you mean costs?"),
        (Selection(tools="list_user"), "--tools: there is no tool 'list_user'. Did you mean list_users"),
        (Selection(tools="fetch_*"), "--tools: there is no tool 'fetch_*'."),
        (Selection(exclude="delete_usr"), "--exclude-tools: there is no tool 'delete_usr'. Did you mean delete_user"),
        (Selection("costs", exclude="get_*,list_*"), "leave no tool"),
    ],
)
def test_a_name_that_fits_nothing_is_an_error_with_the_nearest(selection: Selection, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        selection.of(TOOLS)
    assert said in str(caught.value)


@pytest.mark.parametrize("command", [["serve"], ["tools"], ["policy", "explain", "get_user"]])
def test_a_wrong_selection_ends_every_command_before_it_begins(command: list[str]) -> None:
    code, out, err = run("--toolsets", "peple", *command)
    assert (code, out) == (2, "")
    assert "Did you mean people?" in err


def test_the_cost_is_told_for_the_selection_and_for_each_toolset() -> None:
    _, out, _ = run("tools", "--toolsets", "users")
    assert out.startswith(f"This selection: 5 tools, about {tokens(Selection('users').of(TOOLS)):,} tokens")
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line}
    for name in toolsets(TOOLS):
        inside = Selection(name).of(TOOLS)
        assert rows[name] == [str(len(inside)), f"{tokens(inside):,}"]
    assert rows["--search,"][-2] == "4"


def test_the_summary_ends_without_a_blank_line() -> None:
    search: list[Json] = []
    assert summary(list(TOOLS), TOOLS, search) == summary(list(TOOLS), TOOLS, search).rstrip()


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_a_server_lists_the_selection_and_refuses_the_rest_as_policy(era: str, recorder: Recorder) -> None:
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url, "ADMIN_MCP_TOOLSETS": "users,roles"}
    async with session(era, "--exclude-tools", "delete_*", env=env) as running:
        listed = [tool.name for tool in (await running.client.list_tools()).tools]
        left_out = [await running.error(tool, **given) for tool, given in OUTSIDE]
        with pytest.raises(MCPError, match=r"Unknown tool: get_users\. Did you mean get_user"):
            await running.client.call_tool("get_users", {})
    assert listed == names(Selection("users,roles", exclude="delete_*"))
    assert {error["kind"] for error in left_out} == {"policy_denied"}
    said = [error["message"].partition("started without this tool, which is in --toolsets ")[2] for error in left_out]
    assert [text.partition(")")[0] for text in said] == ["spend", "people", "people", "projects or security"]
    assert recorder.requests == []
    assert run("journal", "list")[1] == ""  # what can't be called at all is no event


OUTSIDE: list[tuple[str, Json]] = [
    ("get_costs", {}),
    ("delete_user", {"user_id": "user_1"}),
    ("list_groups", {}),
    ("list_project_api_keys", {"project_id": "proj_1"}),
]


def test_policy_explain_names_the_selection_and_where_the_tool_is() -> None:
    _, out, _ = run("--toolsets", "users", "policy", "explain", "get_costs")
    assert "decides      selection: this server was started without this tool, which is in --toolsets spend\n" in out
    assert "get_costs (read): refused" in out
    _, out, _ = run("--toolsets", "users", "policy", "explain", "get_user")
    assert "selection" not in out


def test_json_is_the_selection_as_a_client_gets_it() -> None:
    _, out, _ = run("tools", "--json", "--toolsets", "users")
    assert json.loads(out) == {"tools": Selection("users").of(TOOLS)}


@pytest.mark.parametrize("flag", ["--tools", "--exclude-tools"])
def test_the_command_that_a_wrong_tools_name_leads_to_lists_the_names(flag: str) -> None:
    _, _, err = run(flag, "lst_users", "tools")
    command = err.partition("`openai-admin-mcp ")[2].partition("`")[0]
    assert all(f"`{tool['name']}`" in run(*command.split())[1] for tool in TOOLS)


def test_the_command_that_a_wrong_toolsets_name_leads_to_lists_the_toolsets() -> None:
    _, _, err = run("--toolsets", "peple", "tools")
    command = err.partition("`openai-admin-mcp ")[2].partition("`")[0]
    assert set(toolsets(TOOLS)) <= set(run(*command.split())[1].split())


def test_the_command_in_the_sample_policy_lists_the_names() -> None:
    command = sample_policy().partition("with * for any part: openai-admin-mcp ")[2].partition("   ")[0]
    assert all(f"`{tool['name']}`" in run(*command.split())[1] for tool in TOOLS)
