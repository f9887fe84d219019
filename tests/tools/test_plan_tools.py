"""The tools of plans as a client sees them, in both protocol eras, over the server in this very process."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from mcp import Client

from admin_mcp.catalog import compiled_catalog
from admin_mcp.gate.policy import Policy, Rule
from admin_mcp.gate.storage import GateStorage, open_storage
from admin_mcp.server.app import admin_server
from admin_mcp.settings import Settings
from admin_mcp.tools.plan_definitions import plan_definitions
from tests.sessions import ERAS, LEGACY, REJECT

pytestmark = pytest.mark.anyio

PLAN_TOOLS = [definition["name"] for definition in plan_definitions()]
GROUP = {"tool": "create_group", "arguments": {"name": "Lab people"}}
LAB: list[dict[str, Any]] = [{"tool": "create_project", "arguments": {"name": "Lab"}, "why": "a new team"}, GROUP]


def approving(params: types.ElicitRequestFormParams) -> types.ElicitResult:
    """Type what is asked for, and approve."""
    properties = params.requested_schema["properties"]
    typed = properties.get("typed_text", {}).get("description", "").removeprefix("Type exactly: ")
    return types.ElicitResult(
        action="accept", content={"decision": "approve", **({"typed_text": typed} if typed else {})}
    )


class Here:
    """A client of a server in this process, and the person who answers its forms."""

    def __init__(self, client: Client, asked: list[types.ElicitRequestFormParams], storage: GateStorage) -> None:
        self.client = client
        self.asked = asked
        self.storage = storage
        self.progress: list[tuple[float, float | None, str | None]] = []

    async def _report(self, progress: float, total: float | None, message: str | None) -> None:
        self.progress.append((progress, total, message))

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        result = await self.client.call_tool(tool, arguments, progress_callback=self._report)
        assert result.structured_content is not None
        assert result.is_error is ("error" in result.structured_content), result
        answer: dict[str, Any] = result.structured_content
        return answer

    async def error(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        error: dict[str, Any] = (await self.call(tool, **arguments))["error"]
        assert error["hint"]
        return error

    @property
    def sent(self) -> int:
        return sum(record.kind == "sending" for record in self.storage.journal.records())


@asynccontextmanager
async def serving(
    era: str,
    directory: Path,
    *rules: Rule,
    answer: Callable[[types.ElicitRequestFormParams], types.ElicitResult] = approving,
    **given: Any,
) -> AsyncIterator[Here]:
    settings = Settings(sandbox=True, state_dir=directory, **given)
    storage = open_storage(settings)
    policy = Policy.standard(read_only=settings.read_only, rules=rules)
    asked: list[types.ElicitRequestFormParams] = []

    async def elicited(context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        del context
        assert isinstance(params, types.ElicitRequestFormParams)
        asked.append(params)
        return answer(params)

    try:
        async with (
            admin_server(settings, compiled_catalog(), policy, storage) as server,
            Client(server, mode=era, elicitation_callback=elicited) as client,
        ):
            yield Here(client, asked, storage)
    finally:
        storage.process.close()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    async with serving(LEGACY, tmp_path / "state") as running:
        yield running


@pytest.mark.parametrize("era", ERAS)
async def test_a_plan_is_made_shown_listed_applied_and_undone(era: str, tmp_path: Path) -> None:
    async with serving(era, tmp_path / "state") as here:
        plan = await here.call("plan_changes", title="Lab", steps=LAB)
        assert (plan["totals"], plan["state"]) == ("2 to add", "not applied")
        assert [(step["step"], step["does"], step["state"]) for step in plan["steps"]] == [
            (1, "+ Create project “Lab”", "open"),
            (2, "+ Create group “Lab people”", "open"),
        ]
        assert plan["steps"][0]["why"] == "a new team"
        assert plan["plan_id"] in plan["next"]
        shown = await here.call("get_plan", plan_id=plan["plan_id"])
        assert shown == {key: value for key, value in plan.items() if key != "next"}
        (listed,) = (await here.call("list_plans"))["plans"]
        assert listed == {key: shown[key] for key in ("plan_id", "title", "made", "totals", "state")}
        assert (here.asked, here.sent) == ([], 0)
        done = await here.call("apply_plan", plan_id=plan["plan_id"])
        assert done["state"] == "done"
        assert (len(here.asked), here.sent) == (1, 2)
        project = await here.call("get_project", project_id=done["answers"]["1"]["id"])
        assert project["name"] == "Lab"
        changes = (await here.call("list_changes"))["changes"]
        assert {f"{plan['plan_id']}.{number}" for number in (1, 2)} <= {change["change_id"] for change in changes}
        undo = await here.call("undo_plan", plan_id=plan["plan_id"])
        assert [step["tool"] for step in undo["steps"]] == ["delete_group", "archive_project"]
        one = await here.call("undo_change", change_id=f"{plan['plan_id']}.2")
        assert [step["tool"] for step in one["steps"]] == ["delete_group"]
        assert here.sent == 2
        assert (await here.call("apply_plan", plan_id=undo["plan_id"]))["state"] == "done"
        error = await here.error("apply_plan", plan_id=one["plan_id"])
        assert "Step 1: " in error["message"]
        assert here.sent == 4


@pytest.mark.parametrize("era", ERAS)
async def test_each_step_that_is_sent_is_told_as_progress(era: str, tmp_path: Path) -> None:
    async with serving(era, tmp_path / "state") as here:
        plan = await here.call("plan_changes", title="Lab", steps=LAB)
        here.progress.clear()
        await here.call("apply_plan", plan_id=plan["plan_id"])
        assert here.progress == [
            (0, 2, f"Step 1 of plan {plan['plan_id']}: Create project “Lab”"),
            (1, 2, f"Step 2 of plan {plan['plan_id']}: Create group “Lab people”"),
        ]


@pytest.mark.parametrize("era", ERAS)
async def test_a_plan_that_is_rejected_sends_nothing_and_is_not_asked_about_again(era: str, tmp_path: Path) -> None:
    async with serving(era, tmp_path / "state", answer=lambda _: REJECT) as here:
        plan = await here.call("plan_changes", title="Lab", steps=LAB)
        for _ in range(2):
            assert (await here.error("apply_plan", plan_id=plan["plan_id"]))["kind"] == "approval_denied"
        assert (len(here.asked), here.sent) == (1, 0)
        assert (await here.call("get_plan", plan_id=plan["plan_id"]))["state"] == "not applied"


WRONG: list[tuple[Any, str, str]] = [
    ([], "invalid_input", "steps: got []"),
    ([GROUP, {"tool": "create_grup", "arguments": {}}], "invalid_input", "Step 2: there is no tool 'create_grup'"),
    ([GROUP, {"tool": "list_users", "arguments": {}}], "invalid_input", "Step 2: list_users only reads"),
    ([{"tool": "create_group", "arguments": {"nam": 1}}], "invalid_input", "Step 1: create_group: "),
    ([GROUP, {"tool": "delete_group", "arguments": {"group_id": "group_x"}}], "not_found", "Step 2: "),
    ([{"tool": "create_group", "arguments": "{}"}], "invalid_input", "steps[0].arguments: got"),
    ([{**GROUP, "reason": "x"}], "invalid_input", "steps[0].reason is not an argument"),
    ("create_group", "invalid_input", "steps: got"),
]


@pytest.mark.parametrize(("steps", "kind", "says"), WRONG, ids=[says for *_, says in WRONG])
async def test_what_is_wrong_is_told_with_its_step_and_nothing_is_kept(
    here: Here, steps: Any, kind: str, says: str
) -> None:
    error = await here.error("plan_changes", title="x", steps=steps)
    assert error["kind"] == kind
    assert says in error["message"]
    assert error["param"].startswith("steps")
    assert (await here.call("list_plans"))["plans"] == []


@pytest.mark.parametrize("tool", ["get_plan", "apply_plan", "undo_plan"])
@pytest.mark.parametrize("plan_id", ["plan_x", "", "x" * 5000, None, 3, "plan_\u202e", "' OR 1=1 --"])
async def test_an_id_that_is_no_plans_is_one_error(here: Here, tool: str, plan_id: Any) -> None:
    error = await here.error(tool, plan_id=plan_id)
    assert error["kind"] in {"not_found", "invalid_input"}
    assert len(error["message"]) < 300


async def test_a_change_that_is_unknown_or_a_plan_not_applied_can_not_be_undone(here: Here) -> None:
    assert (await here.error("undo_change", change_id="nothing"))["kind"] == "not_found"
    plan = await here.call("plan_changes", title="Lab", steps=LAB)
    assert "Nothing of plan" in (await here.error("undo_plan", plan_id=plan["plan_id"]))["message"]
    assert (await here.call("list_changes"))["changes"] == []


async def test_nulls_and_the_schemas_own_defaults_count_as_left_out(here: Here) -> None:
    steps = [{**GROUP, "why": None}, {"tool": "create_project", "arguments": {"name": "Lab", "geography": None}}]
    plan = await here.call("plan_changes", title="Lab", steps=steps)
    assert "why" not in plan["steps"][0]
    for limit in (None, 20, 1.0):
        assert len((await here.call("list_plans", limit=limit))["plans"]) == 1
        assert (await here.call("list_changes", limit=limit))["changes"] == []
    for wrong in (0, 101, "5", 1.5):
        assert (await here.error("list_plans", limit=wrong))["param"] == "limit"
    assert (await here.error("plan_changes", title=None, steps=LAB))["param"] == "title"
    assert (await here.error("plan_changes", title="x", steps=None))["param"] == "steps"


async def test_the_newest_plans_come_first_and_as_many_as_are_asked_for(here: Here) -> None:
    made = [(await here.call("plan_changes", title=f"{number}", steps=[GROUP]))["plan_id"] for number in range(3)]
    listed = (await here.call("list_plans", limit=2))["plans"]
    assert [plan["plan_id"] for plan in listed] == made[:0:-1]


async def one_project(here: Here) -> dict[str, Any]:
    project: dict[str, Any] = (await here.call("list_projects"))["data"][1]
    return project


@pytest.mark.parametrize("approval", ["elicit", "two-step"])
async def test_of_a_step_whose_target_the_policy_keeps_from_the_model_it_is_told_nothing(
    approval: str, tmp_path: Path
) -> None:
    async with serving(LEGACY, tmp_path / "first") as before:
        project = await one_project(before)
    hidden = Rule("projects are private", "deny", tools=("get_project", "list_projects"))
    async with serving(LEGACY, tmp_path / "state", hidden, approval=approval) as here:
        rename = {"tool": "update_project", "arguments": {"project_id": project["id"], "name": "New"}}
        answers = [await here.call("plan_changes", title="Lab", steps=[rename, GROUP])]
        plan_id = answers[0]["plan_id"]
        assert "keeps from the assistant" in answers[0]["steps"][0]["does"]
        answers += [await here.call("get_plan", plan_id=plan_id), await here.call("list_plans")]
        answers.append(await here.call("apply_plan", plan_id=plan_id))
        here.storage.plans.strike(plan_id, [2], via="terminal") if approval == "two-step" else None
        answers.append(await here.call("apply_plan", plan_id=plan_id))
        answers.append(await here.call("list_changes"))
        answers.append(await here.call("undo_change", change_id=f"{plan_id}.1"))
        assert project["name"] not in str((answers, here.progress))
        if approval == "elicit":
            assert project["name"] in here.asked[0].message
            again = {"tool": "update_project", "arguments": {"project_id": project["id"], "name": "New"}}
            error = await here.error("plan_changes", title="Again", steps=[again])
            assert project["name"] not in str(error)


@pytest.mark.parametrize("era", ERAS)
async def test_in_two_steps_the_second_applies_the_plan_that_the_first_has_shown(era: str, tmp_path: Path) -> None:
    async with serving(era, tmp_path / "state", approval="two-step") as here:
        plan = await here.call("plan_changes", title="Lab", steps=LAB)
        pending = await here.error("apply_plan", plan_id=plan["plan_id"])
        assert pending["kind"] == "approval_pending"
        (approval,) = here.storage.approvals.all()
        told = f"{pending['message']} {pending['hint']}"
        assert "Create project “Lab”" in told
        assert approval.id in told
        assert str(approval.phrase) in told
        assert here.sent == 0
        assert (await here.error("confirm_change", id=approval.id, phrase="confirm-0"))["kind"] == "approval_denied"
        again = await here.error("apply_plan", plan_id=plan["plan_id"])
        assert again["kind"] == "approval_pending"
        current = here.storage.approvals.all()[0]
        done = await here.call("confirm_change", id=current.id, phrase=str(current.phrase))
        assert done["state"] == "done"
        assert here.sent == 2
        replayed = await here.call("confirm_change", id=current.id, phrase=str(current.phrase))
        assert (replayed["state"], replayed["answers"], here.sent) == ("done", {}, 2)


@pytest.mark.parametrize("era", ERAS)
async def test_search_finds_them_and_leads_to_them(era: str, tmp_path: Path) -> None:
    async with serving(era, tmp_path / "state", search=True) as here:
        found = await here.call("search_tools", query="make a plan of several changes", limit=5)
        assert "plan_changes" in [tool["name"] for tool in found["tools"]]
        shown = await here.call("describe_tools", names=PLAN_TOOLS)
        assert [tool["name"] for tool in shown["tools"]] == PLAN_TOOLS
        plan = await here.call("call_read", name="plan_changes", arguments={"title": "Lab", "steps": LAB})
        given = {"plan_id": plan["plan_id"]}
        assert "call_change" in (await here.error("call_read", name="apply_plan", arguments=given))["hint"]
        assert here.sent == 0
        assert (await here.call("call_change", name="apply_plan", arguments=given))["state"] == "done"
        assert (await here.call("call_read", name="get_plan", arguments=given))["state"] == "done"
        assert (await here.call("call_read", name="undo_plan", arguments=given))["state"] == "not applied"


@pytest.mark.parametrize("era", ERAS)
async def test_a_server_that_only_reads_lists_none_of_them_and_applies_nothing(era: str, tmp_path: Path) -> None:
    async with serving(era, tmp_path / "state") as here:
        plan = await here.call("plan_changes", title="Lab", steps=LAB)
    async with serving(era, tmp_path / "state", read_only=True) as here:
        listed = {tool.name for tool in (await here.client.list_tools()).tools}
        assert listed
        assert not listed & set(PLAN_TOOLS)
        assert (await here.error("apply_plan", plan_id=plan["plan_id"]))["kind"] == "policy_denied"
        assert (await here.error("plan_changes", title="Lab", steps=LAB))["kind"] == "policy_denied"
        assert (here.asked, here.sent) == ([], 0)


@pytest.mark.parametrize("era", ERAS)
async def test_their_results_fit_the_schemas_they_list(era: str, tmp_path: Path) -> None:
    """The client validates each result against ``outputSchema`` itself."""
    async with serving(era, tmp_path / "state") as here:
        tools = {tool.name: tool for tool in (await here.client.list_tools()).tools}
        assert set(PLAN_TOOLS) <= set(tools)
        changing = [name for name in PLAN_TOOLS if not tools[name].annotations.read_only_hint]  # type: ignore[union-attr]
        assert changing == ["apply_plan"]
        await here.call("plan_changes", title="Lab", steps=LAB)
