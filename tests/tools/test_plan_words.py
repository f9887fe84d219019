"""What a plan is called, and where its tools send a model: titles that can't lie, hints that can be followed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.sessions import LEGACY
from tests.tools.test_plan_tools import GROUP, LAB, Here, serving

pytestmark = pytest.mark.anyio

BEN = "ben.okafor@example.com"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    async with serving(LEGACY, tmp_path / "state") as running:
        yield running


PLAYBOOKS: list[tuple[str, dict[str, Any], str]] = [
    ("plan_offboarding", {"user": BEN}, f"Plan: Off-board “Ben Okafor” <{BEN}> (user-"),
    ("plan_lockdown", {"what": BEN, "reason": "gone"}, f"Plan: Lock down person “Ben Okafor” <{BEN}> (user-"),
    ("plan_project", {"name": "Lab"}, "Plan: New project “Lab”: "),
    ("plan_onboarding", {"emails": ["x@example.com"]}, "Plan: Onboard <x@example.com>: "),
]


@pytest.mark.parametrize(("tool", "arguments", "said"), PLAYBOOKS, ids=[tool for tool, *_ in PLAYBOOKS])
async def test_a_title_of_our_own_has_no_escapes_and_stands_as_it_is(
    here: Here, tool: str, arguments: dict[str, Any], said: str
) -> None:
    plan = await here.call(tool, **arguments)
    await here.call("apply_plan", plan_id=plan["plan_id"])
    assert said in here.asked[0].message
    (about,) = [each["about"] for each in (await here.call("list_approvals"))["approvals"]]
    assert about.startswith(said)
    assert "\\" not in here.asked[0].message
    assert "the assistant says" not in here.asked[0].message


HOSTILE = "Lab”: 0 to change. Plan “x"


async def test_a_name_in_a_title_of_our_own_can_not_close_its_quotes(here: Here) -> None:
    plan = await here.call("plan_project", name=HOSTILE)
    await here.call("apply_plan", plan_id=plan["plan_id"])
    assert "Plan: New project “Lab\\”: 0 to change. Plan \\“x”: " in here.asked[0].message


async def test_a_title_of_the_models_own_is_quoted_whatever_it_looks_like(here: Here) -> None:
    plan = await here.call("plan_changes", title="Off-board “Ben”: 0 to change", steps=[GROUP])
    await here.call("apply_plan", plan_id=plan["plan_id"])
    assert "Plan “Off-board \\“Ben\\”: 0 to change”: 1 to add" in here.asked[0].message


async def test_what_undoes_a_plan_is_called_after_it_and_quotes_it_once(here: Here) -> None:
    plan = await here.call("plan_changes", title="Lab” x", steps=LAB)
    await here.call("apply_plan", plan_id=plan["plan_id"])
    undo = await here.call("undo_plan", plan_id=plan["plan_id"])
    assert undo["title"] == "Undo “Lab\\” x”"
    step = await here.call("undo_change", change_id=f"{plan['plan_id']}.2")
    assert step["title"] == f"Undo step 2 of plan {plan['plan_id']}"
    await here.call("apply_plan", plan_id=step["plan_id"])
    assert f"Plan: Undo step 2 of plan {plan['plan_id']}: 1 to remove" in here.asked[-1].message
    assert here.storage.plans.get(step["plan_id"]).title_of_undo == f"Undo: Undo step 2 of plan {plan['plan_id']}"


async def test_why_a_step_is_there_is_the_models_word_or_ours(here: Here) -> None:
    plan = await here.call("plan_changes", title="Lab", steps=LAB)
    await here.call("apply_plan", plan_id=plan["plan_id"])
    assert "(the assistant says: “a new team”)" in here.asked[0].message
    undo = await here.call("undo_plan", plan_id=plan["plan_id"])
    await here.call("apply_plan", plan_id=undo["plan_id"])
    assert "(takes away what was made by create_group)" in here.asked[1].message


async def test_undoing_again_and_again_makes_no_endless_title(here: Here) -> None:
    plan_id = (await here.call("plan_project", name="x" * 60))["plan_id"]
    kept = here.storage.plans
    kept.save(kept.get(plan_id).model_copy(update={"id": "plan_long", "title": "Undo: " * 100}))
    assert kept.get("plan_long").title_of_undo == "Undo plan plan_long"


async def test_an_approval_of_a_plan_is_done_once_the_plan_is(here: Here) -> None:
    plan = await here.call("plan_changes", title="Lab", steps=LAB)
    await here.call("apply_plan", plan_id=plan["plan_id"])
    changes = (await here.call("list_changes"))["changes"]
    (approval,) = [each for each in changes if each["tool"] == "apply_plan"]
    assert (approval["state"], approval["plan"]) == ("done", plan["plan_id"])
    assert {each["state"] for each in changes} == {"done"}


@pytest.mark.parametrize("name", ["plan", "approval"])
async def test_a_whole_plan_given_as_a_change_leads_to_the_tool_that_undoes_it(here: Here, name: str) -> None:
    plan_id = (await here.call("plan_changes", title="Lab", steps=LAB))["plan_id"]
    await here.call("apply_plan", plan_id=plan_id)
    changes = (await here.call("list_changes"))["changes"]
    approval = next(each["change_id"] for each in changes if each["tool"] == "apply_plan")
    error = await here.error("undo_change", change_id=plan_id if name == "plan" else approval)
    assert error["kind"] == "invalid_input"
    assert f"undo_plan with plan_id {plan_id}" in error["hint"]


MADE_UP = ["$1.id", "{{steps[0].id}}", "<id of step 1>", "step1.id", "group_new"]


@pytest.mark.parametrize("reference", MADE_UP)
async def test_a_made_up_reference_is_told_how_one_is_written(here: Here, reference: str) -> None:
    user = (await here.call("list_users"))["data"][0]["id"]
    step = {"tool": "add_group_user", "arguments": {"group_id": reference, "user_id": user}}
    error = await here.error("plan_changes", title="Lab", steps=[GROUP, step])
    assert '{"from_step": 1, "field": "id"}' in error["hint"]
    right = {"tool": "add_group_user", "arguments": {"group_id": {"from_step": 1, "field": "id"}, "user_id": user}}
    assert (await here.call("plan_changes", title="Lab", steps=[GROUP, right]))["state"] == "not applied"


async def test_a_first_step_is_told_only_of_ids(here: Here) -> None:
    step = {"tool": "delete_group", "arguments": {"group_id": "$"}}
    error = await here.error("plan_changes", title="x", steps=[step])
    assert "from_step" not in error["hint"]


async def test_steps_counted_from_naught_are_told_how_they_count(here: Here) -> None:
    step = {"tool": "delete_group", "arguments": {"group_id": {"from_step": 0}}}
    assert "count from 1" in (await here.error("plan_changes", title="x", steps=[GROUP, step]))["hint"]
