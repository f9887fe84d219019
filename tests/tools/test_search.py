"""Four tools that lead to all others, and no way round the gate."""

import json
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from admin_mcp.catalog import compiled_catalog
from admin_mcp.cli.tool_pages import tokens
from admin_mcp.endpoints.schema import META_EFFECT, META_RESOURCE, Json
from admin_mcp.errors import InvalidInput
from admin_mcp.tools.definitions import every_definition
from admin_mcp.tools.search import CALL_CHANGE, CALL_READ, Inner, Names, Query, describe, find, parse, search_tools
from admin_mcp.tools.search_index import SearchIndex
from benchmarks.search import quality, queries, searched
from tests.recorder import Recorder
from tests.sessions import APPROVE, ERAS, KEY, REJECT, session

TOOLS = every_definition()
INDEX = SearchIndex(TOOLS)
UPDATE = {"name": "update_role", "arguments": {"role_id": "role_1", "description": "new"}}


def found(query: str, limit: int = 5) -> list[str]:
    return [tool["name"] for tool in find(INDEX, Query(query=query, limit=limit))["tools"]]


def test_what_people_ask_for_in_their_own_words_is_found() -> None:
    built, measured = (quality(searched(TOOLS, queries(part))) for part in ("build", "measure"))
    assert built.hit_1 >= 0.82
    assert measured.hit_1 >= 0.7
    assert measured.hit_5 >= 0.92
    assert measured.mrr >= 0.78


def test_the_queries_that_only_measure_are_many_and_no_others() -> None:
    assert len(queries("measure")) >= 80
    assert not queries("measure").keys() & queries("build").keys()


def test_the_queries_ask_for_tools_of_every_resource() -> None:
    expected = {name for part in ("build", "measure") for names in queries(part).values() for name in names}
    asked = {tool["_meta"][META_RESOURCE] for tool in TOOLS if tool["name"] in expected}
    assert asked == {tool["_meta"][META_RESOURCE] for tool in TOOLS}


def test_a_job_is_found_although_it_has_no_endpoint() -> None:
    job = {
        "name": "plan_party",
        "description": "Draft a party for somebody who leaves.",
        "inputSchema": {"properties": {}},
        "_meta": {META_EFFECT: "read", META_RESOURCE: "playbooks"},
    }
    assert SearchIndex([*TOOLS, job]).ranked("party plan")[0] is job


@pytest.mark.parametrize(
    "query",
    [
        "Benutzer zum Projekt hinzufügen",
        "liste alle Benutzer",
        "supprimer un utilisateur du projet",
        "créer une clé API",
        "lista de usuarios",
        "adicionar membro ao projeto",
        "elimina un progetto",
        "voeg gebruiker toe",
        "удалить пользователя",
        "删除用户",
        "ユーザーを削除",
        "weather in paris",
        "the",
        "42",
        "???",
    ],
)
def test_what_is_not_understood_is_answered_with_nothing_and_says_what_the_search_knows(query: str) -> None:
    nothing = find(INDEX, Query(query=query))
    assert nothing["tools"] == []
    assert "English" in nothing["hint"]


def test_a_foreign_name_in_an_english_query_does_no_harm() -> None:
    assert "create_project_user" in found("add José to the project")


@pytest.mark.parametrize(
    ("query", "tool"),
    [
        ("lst projct rols", "list_project_roles"),
        ("certifcates", "list_certificates"),
        ("who deleted what, ip address", "list_audit_logs"),
        ("who can create API keys", "list_roles"),
    ],
)
def test_slips_and_roundabout_words_lead_to_the_tool(query: str, tool: str) -> None:
    assert tool in found(query)


def test_a_tools_name_inside_other_words_comes_first_only_if_it_is_that_name() -> None:
    assert found("what does get_user_role do", limit=1) == ["get_user_role"]
    assert found("our findings about certificates", limit=1) != ["find"]


def test_an_index_is_made_once() -> None:
    index = SearchIndex(TOOLS)
    index.ranked("roles")
    made = dict(vars(index))
    index.ranked("who deleted the certificate")
    assert all(vars(index)[name] is part for name, part in made.items())


@pytest.mark.parametrize("tool", [tool["name"] for tool in TOOLS])
def test_every_tool_is_found_first_by_its_own_name(tool: str) -> None:
    assert found(tool, limit=1) == [tool]


def test_a_finding_tells_what_a_choice_needs() -> None:
    (tool,) = find(INDEX, Query(query="get_user_role", limit=1))["tools"]
    assert tool["effect"] == "read"
    assert tool["required"] == ["user_id", "role_id"]
    assert tool["optional"] == []
    assert tool["description"]


def test_nothing_found_says_what_there_is() -> None:
    nothing = find(INDEX, Query(query="zzz"))
    assert nothing["tools"] == []
    assert "users" in nothing["hint"]


def test_a_description_has_the_whole_schema() -> None:
    (shown,) = describe(TOOLS, Names(names=["update_role"]))["tools"]
    compiled = compiled_catalog().tool("update_role")
    assert shown["inputSchema"] == compiled["inputSchema"]
    assert shown["effect"] == "update"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="Did you mean update_role"):
        describe(TOOLS, Names(names=["update_roles"]))


@pytest.mark.parametrize(
    ("kind", "tool", "arguments", "said"),
    [
        (Query, "search_tools", {}, "query is missing"),
        (Query, "search_tools", {"query": ""}, "query: "),
        (Query, "search_tools", {"query": "x", "limit": 21}, "limit: "),
        (Names, "describe_tools", {"names": []}, "names: "),
        (Inner, "call_read", {"name": "get_user", "arguments": "{}"}, "arguments: "),
        (Inner, "call_change", {"name": "update_role", "confirmed": True}, "confirmed is not an argument"),
    ],
)
def test_wrong_arguments_are_named(kind: type[Query | Names | Inner], tool: str, arguments: Json, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        parse(kind, tool, arguments)
    assert f"Arguments of {tool}" in caught.value.hint


def test_the_four_are_annotated_for_what_they_do_and_cost_little() -> None:
    hints = {tool["name"]: tool["annotations"] for tool in search_tools()}
    assert [name for name, hint in hints.items() if not hint["readOnlyHint"]] == [CALL_CHANGE]
    assert [name for name, hint in hints.items() if hint["destructiveHint"]] == [CALL_CHANGE]
    assert [name for name, hint in hints.items() if hint["openWorldHint"]] == [CALL_READ, CALL_CHANGE]
    assert tokens(search_tools()) <= 1200


def api(recorder: Recorder) -> dict[str, str]:
    return {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url}


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_an_agent_searches_reads_and_changes_with_a_persons_consent(era: str, recorder: Recorder) -> None:
    async with session(era, "--search", env=api(recorder), answers=[REJECT, APPROVE]) as running:
        listed = [tool.name for tool in (await running.client.list_tools()).tools]
        best = await running.call("search_tools", query="change a role's description", limit=3)
        shown = await running.call("describe_tools", names=["update_role"])
        read = await running.call("call_read", name="get_role", arguments={"role_id": "role_1"})
        rejected = await running.error(
            "call_change", name="update_role", arguments={"role_id": "role_2", "description": "x"}
        )
        changed = await running.call("call_change", **UPDATE)
    assert listed == ["search_tools", "describe_tools", "call_read", "call_change"]
    assert "update_role" in [tool["name"] for tool in best["tools"]]
    assert shown["tools"][0]["name"] == "update_role"
    assert read["id"] == changed["id"] == "thing_1"
    assert rejected["kind"] == "approval_denied"
    assert "POST /organization/roles/role_1" in running.asked[-1].message
    assert [request.path for request in recorder.requests if request.changes] == ["/v1/organization/roles/role_1"]


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_each_way_takes_only_what_it_is_annotated_for(era: str, recorder: Recorder) -> None:
    async with session(era, "--search", env=api(recorder)) as running:
        change = await running.error("call_read", **UPDATE)
        read = await running.error("call_change", name="get_role", arguments={"role_id": "role_1"})
        missing = await running.error("call_read", name="get_rolle")
        nested = await running.error("call_change", name="call_change", arguments=UPDATE)
        with pytest.raises(
            MCPError, match=r"Unknown tool: list_roles\..* Call it through call_read: {\"name\": \"list_roles"
        ):
            await running.client.call_tool("list_roles", {})
        with pytest.raises(MCPError, match=r"Unknown tool: list_rolls\..* Find the right name with search_tools\."):
            await running.client.call_tool("list_rolls", {})
        with pytest.raises(MCPError, match=r"Unknown tool: update_role\..* Call it through call_change"):
            await running.client.call_tool("update_role", {"role_id": "role_1", "description": "new"})
    assert "call_change" in change["hint"]
    assert "call_read" in read["hint"]
    assert "get_role" in missing["message"]
    assert {each["kind"] for each in (change, read, missing, nested)} == {"invalid_input"}
    assert recorder.requests == []
    assert running.asked == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--read-only"], "read-only"),
        (["--toolsets", "users"], "started without"),
        (["--exclude-tools", "update_*"], "started"),
    ],
)
async def test_read_only_and_selections_see_the_tool_inside(flags: list[str], said: str, recorder: Recorder) -> None:
    async with session(ERAS[0], "--search", *flags, env=api(recorder)) as running:
        error = await running.error("call_change", **UPDATE)
        found_now = await running.call("search_tools", query="update role", limit=20)
    assert error["kind"] == "policy_denied"
    assert said in error["message"]
    assert "update_role" not in [tool["name"] for tool in found_now["tools"]]
    assert recorder.requests == []


@pytest.mark.anyio
async def test_the_operators_rules_see_the_tool_inside(recorder: Recorder, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[rules]]\nname = "no roles"\ntools = ["update_role"]\ndecision = "deny"\n', "utf-8")
    policy.chmod(0o600)
    async with session(ERAS[0], "--search", "--config", str(policy), env=api(recorder)) as running:
        error = await running.error("call_change", **UPDATE)
    assert error["kind"] == "policy_denied"
    assert "no roles" in error["message"]


@pytest.mark.anyio
async def test_two_step_goes_on_top_of_the_four(recorder: Recorder) -> None:
    async with session(ERAS[0], "--search", "--approval", "two-step", env=api(recorder)) as running:
        listed = [tool.name for tool in (await running.client.list_tools()).tools]
        pending = await running.error("call_change", **UPDATE)
        words = pending["hint"].split()
        given = {"id": words[words.index("id") + 1], "phrase": words[words.index("phrase") + 1]}
        changed = await running.call("confirm_change", **given)
    assert listed[-1] == "confirm_change"
    assert changed["id"] == "thing_1"
    assert len([request for request in recorder.requests if request.changes]) == 1


@pytest.mark.anyio
async def test_lists_are_fetched_whole_through_call_read() -> None:
    async with session(ERAS[0], "--search", "--sandbox") as running:
        answer = await running.call("call_read", name="list_users", arguments={"fetch_all": True})
    assert answer["paging"]["complete"] is True
    assert json.dumps(answer)


@pytest.mark.parametrize(
    "query",
    [
        "Benutzer löschen",
        "wie viel haben wir ausgegeben",
        "crear un proyecto nuevo",
        "mostrar los costes del mes pasado",
        "créer une clé API",
        "supprimer un utilisateur",
        "ユーザーを削除する",
        "プロジェクトを作成",
        "удалить пользователя",
        "删除用户",
        "excluir usuario do projeto",
        "elimina utente",
        "usuń użytkownika",
        "프로젝트 만들기",
        "حذف مستخدم",
    ],
)
def test_a_query_in_another_language_finds_nothing_and_is_told_to_be_english(query: str) -> None:
    answer = find(INDEX, Query(query=query))
    assert answer["tools"] == []
    assert "English words" in answer["hint"]
    assert "users" in answer["hint"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("tool", "arguments", "said", "taken"),
    [
        (
            "call_read",
            {"tool_name": "list_users"},
            "name is missing; tool_name is not an argument of this tool (did you mean name?)",
            "name (required), arguments",
        ),
        (
            "call_read",
            {"name": "list_users", "limit": 5},
            "limit is not an argument of this tool",
            "name (required), arguments",
        ),
        ("call_change", {"name": 3}, "name: got 3; must be a string", "name (required), arguments"),
        ("search_tools", {}, "query is missing", "query (required), limit"),
        ("search_tools", {"query": "x", "limit": 99}, "limit: got 99; must be at most 20", "query (required), limit"),
        (
            "describe_tools",
            {"tools": ["x"]},
            "tools is not an argument of this tool (did you mean names?)",
            "names (required)",
        ),
    ],
)
async def test_wrong_arguments_of_the_four_are_told_as_those_of_every_tool(
    recorder: Recorder, tool: str, arguments: dict[str, Any], said: str, taken: str
) -> None:
    async with session(ERAS[0], "--search", env=api(recorder)) as running:
        error = await running.error(tool, **arguments)
    assert said in error["message"]
    assert f"Arguments of {tool}: {taken}." in error["hint"]
    assert ("stands in its arguments" in error["hint"]) is tool.startswith("call_")
