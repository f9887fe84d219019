"""What was changed can be put back, exactly or to the same effect; and where it can't, the reason is said."""

import json
import random
import re
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admin_mcp.errors import Conflict, InvalidInput
from admin_mcp.gate.before_image import LONGEST_IMAGE, before_image, kept_of_answer
from admin_mcp.gate.reversal import Reversal, reversal, same
from admin_mcp.gate.snapshot import Lookup, Snapshot
from admin_mcp.gate.undoable import undoable
from tests.contract.cases import CASES, Case
from tests.contract.examples import smallest
from tests.gate.undoing import CATALOG, Done, World, calls_of, furnished, renamed
from tests.sandbox.walk import items

pytestmark = pytest.mark.anyio

CHANGING = [case for case in CASES if case.implemented.SPEC.mutates]
RESTORED = [case for case in CHANGING if undoable(case.implemented, CATALOG).kind != "none"]
EXACT = [case for case in RESTORED if undoable(case.implemented, CATALOG).kind == "exact"]
HOPELESS = [case for case in CHANGING if case not in RESTORED]
MADE_AGAIN = {case.name for case in RESTORED if undoable(case.implemented, CATALOG).way == "make_again"}
ENOUGH = 4
NOTHING_TO_UNDO = r"It changed nothing|It had no \w+( and no \w+)* before, and once set, that can't be emptied"


def named(cases: list[Case]) -> list[Any]:
    return [pytest.param(case, id=case.name) for case in cases]


async def changes(case: Case) -> AsyncIterator[tuple[World, World, Done]]:
    """Calls of a tool that are taken, in no order: the world before, the world after, and what was done."""
    starts = [World(), await furnished()]
    calls = [(start, call) for start in starts for call in calls_of(case, start.org)]
    random.Random(case.name).shuffle(calls)  # noqa: S311 - a choice that is the same in every run
    for start, call in calls:
        world = start.copy()
        if done := await world.make(call):
            yield start, world, done


@pytest.mark.parametrize("case", named(RESTORED))
async def test_whatever_is_changed_and_undone_is_as_it_was(case: Case) -> None:
    """All that the API shows is compared; what is made again counts under the id it had."""
    undone = 0
    async for start, world, done in changes(case):
        if refusal := refused(world, done):
            assert re.search(NOTHING_TO_UNDO, refusal), done
            continue
        assert await world.moved(done) is None, done
        made = await world.undo(done)
        after = world.readings()
        if case.name in MADE_AGAIN:
            after = renamed(after, str(list(done.arguments.values())[-1]), made[0])
        assert after == start.shown, done
        if (undone := undone + 1) == ENOUGH:
            return
    assert undone


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(EXACT), st.randoms(use_true_random=False)), min_size=2, max_size=5))
def test_many_exact_changes_undone_in_reverse_leave_everything_as_it_was(
    drawn: list[tuple[Case, random.Random]],
) -> None:
    anyio.run(partial(_there_and_back, drawn))


async def _there_and_back(drawn: list[tuple[Case, random.Random]]) -> None:
    start = await furnished()
    world, made = start.copy(), []
    for case, chance in drawn:
        calls = list(calls_of(case, world.org))
        tried = world.copy()
        done = await tried.make(chance.choice(calls)) if calls else None
        if done and not refused(tried, done):
            world = tried
            made.append(done)
    for done in reversed(made):
        assert await world.moved(done) is None, done
        await world.undo(done)
    assert world.readings() == start.shown


def refused(world: World, done: Done) -> str | None:
    """Why a change can't be undone."""
    try:
        world.steps(done)
    except Conflict as refusal:
        return refusal.message
    return None


@pytest.mark.parametrize("case", named(HOPELESS))
def test_what_nothing_can_undo_is_refused_with_the_reason_in_the_table(case: Case) -> None:
    with pytest.raises(Conflict, match="can't be undone") as refusal:
        reversal(case.name, smallest(case.documented), {}, {"id": "x"}, CATALOG)
    assert undoable(case.implemented, CATALOG).reason in refusal.value.message


@pytest.mark.parametrize("case", named(RESTORED))
def test_a_change_from_before_anything_was_recorded_is_not_undone(case: Case) -> None:
    with pytest.raises(Conflict, match="Nothing was recorded of the state before it"):
        reversal(case.name, smallest(case.documented), None, {"id": "x"}, CATALOG)


@pytest.mark.parametrize("tool", ["no_such_tool", "list_users"])
def test_what_is_no_change_is_no_input_for_an_undo(tool: str) -> None:
    with pytest.raises(InvalidInput, match="is not a tool that changes something"):
        reversal(tool, {}, {}, {}, CATALOG)


def test_recorded_arguments_that_the_tool_does_not_take_are_refused() -> None:
    with pytest.raises(InvalidInput, match="group_id is missing"):
        reversal("update_group", {"name": "x"}, {"fields": {"name": "y"}}, {}, CATALOG)


def image(tool: str, state: Lookup | None, more: dict[str, Lookup] | None = None, **arguments: object) -> Any:
    call = CATALOG.endpoint(tool).model_validate(arguments)
    return before_image(call, Snapshot(state, None, {}), more or {}, CATALOG)


def test_an_update_keeps_the_old_values_of_what_it_sets_and_nothing_else() -> None:
    state: Any = {"id": "r", "name": "Old", "description": None, "permissions": ["b", "a"], "token": "sk-secret"}
    kept = image("update_role", state, role_id="r", role_name="New", permissions=None)
    assert kept == {"fields": {"role_name": "Old"}}
    steps = reversal("update_role", {"role_id": "r", "role_name": "New"}, kept, {}, CATALOG)
    assert [(step.tool, step.arguments) for step in steps] == [("update_role", {"role_id": "r", "role_name": "Old"})]


def test_what_was_empty_is_emptied_again_where_null_does_that_and_refused_where_it_does_not() -> None:
    kept = image("update_role", {"name": "R", "description": None}, role_id="r", description="new")
    (step,) = reversal("update_role", {"role_id": "r", "description": "new"}, kept, {}, CATALOG)
    assert step.arguments == {"role_id": "r", "description": None}
    kept = image("update_certificate", {"name": None}, certificate_id="c", name="new")
    with pytest.raises(Conflict, match="It had no name before, and once set, that can't be emptied"):
        reversal("update_certificate", {"certificate_id": "c", "name": "new"}, kept, {}, CATALOG)


LIMIT: dict[str, Any] = {"currency": "USD", "interval": "month", "threshold_amount": 700}


def test_a_limit_where_there_was_none_is_removed_again() -> None:
    kept = image("update_organization_spend_limit", "absent", None, **LIMIT)
    (step,) = reversal("update_organization_spend_limit", LIMIT, kept, {}, CATALOG)
    assert (step.tool, step.arguments) == ("delete_organization_spend_limit", {})


def test_a_setting_that_can_not_be_unset_is_not_undone_where_there_was_none() -> None:
    given_before: dict[str, Any] = {"project_id": "p", "retention_type": "zero_data_retention"}
    kept = image("update_project_data_retention", "absent", **given_before)
    with pytest.raises(Conflict, match="Nothing was set before, and once set, it can't be unset"):
        reversal("update_project_data_retention", given_before, kept, {}, CATALOG)


def test_an_old_value_that_the_tool_does_not_take_is_refused_and_named() -> None:
    given_before: dict[str, Any] = {"project_id": "p", "user_id": "u", "role": "member"}
    kept = image("update_project_user", {"role": "auditor"}, **given_before)
    with pytest.raises(Conflict, match=r"What was there before can't be set by update_project_user: .*auditor"):
        reversal("update_project_user", given_before, kept, {}, CATALOG)


@pytest.mark.parametrize("state", ["unreadable", None])
def test_what_could_not_be_read_before_is_not_put_back(state: Lookup | None) -> None:
    kept = image("update_group", state, group_id="g", name="New")
    with pytest.raises(Conflict, match="what was there before could not be read"):
        reversal("update_group", {"group_id": "g", "name": "New"}, kept, {}, CATALOG)


def test_a_long_state_is_not_kept_and_the_reason_is() -> None:
    long: Any = {"name": "R", "permissions": ["é" * 100] * 200}
    kept = image("update_role", long, role_id="r", permissions=["a"])
    assert len(json.dumps(kept)) < LONGEST_IMAGE
    with pytest.raises(Conflict, match="what was there before is longer than 16,384 bytes"):
        reversal("update_role", {"role_id": "r", "permissions": ["a"]}, kept, {}, CATALOG)


def test_half_a_surrogate_is_kept_as_it_is() -> None:
    kept = image("update_group", {"name": "\ud800"}, group_id="g", name="New")
    assert json.loads(json.dumps(kept)) == {"fields": {"name": "\ud800"}}


def test_no_secret_of_an_answer_is_kept() -> None:
    answer: Any = {"id": "user-1", "api_key": {"id": "key_1", "value": "sk-svcacct-1"}, "value": "sk-1"}
    assert kept_of_answer(answer) == {"id": "user-1"}
    assert kept_of_answer({"id": None, "value": "sk-1"}) == {}


def test_without_the_id_of_what_was_made_it_is_not_removed() -> None:
    with pytest.raises(Conflict, match="The id of what it made is not known"):
        reversal("create_group", {"name": "x"}, {}, {}, CATALOG)


@pytest.mark.parametrize(
    ("tool", "state", "arguments"),
    [
        ("add_group_user", {"id": "u"}, {"group_id": "g", "user_id": "u"}),
        ("assign_user_role", {"id": "r", "assignment_sources": None}, {"user_id": "u", "role_id": "r"}),
        (
            "assign_user_role",
            {"id": "r", "assignment_sources": [{"principal_id": "u", "principal_type": "user"}]},
            {"user_id": "u", "role_id": "r"},
        ),
    ],
)
def test_what_was_there_before_is_not_taken_away(tool: str, state: Lookup, arguments: dict[str, Any]) -> None:
    with pytest.raises(Conflict, match="It was there before"):
        reversal(tool, arguments, image(tool, state, **arguments), {}, CATALOG)


def test_a_role_that_came_through_a_group_only_was_not_there_before() -> None:
    given_now: dict[str, Any] = {"user_id": "u", "role_id": "r"}
    through: Any = {"id": "r", "assignment_sources": [{"principal_id": "g", "principal_type": "group"}]}
    (step,) = reversal("assign_user_role", given_now, image("assign_user_role", through, **given_now), {}, CATALOG)
    assert (step.tool, step.arguments) == ("unassign_user_role", given_now)


async def test_a_first_role_that_let_somebody_into_a_project_is_undone_by_ending_the_membership() -> None:
    world = World()
    project = items(world.org, "/organization/projects", {})[1]["id"]
    roles = items(world.org, "/projects/{project_id}/roles", {"project_id": project})
    inside = {
        user["id"] for user in items(world.org, "/organization/projects/{project_id}/users", {"project_id": project})
    }
    outside = next(user["id"] for user in items(world.org, "/organization/users", {}) if user["id"] not in inside)
    done = await world.change("assign_project_user_role", project_id=project, user_id=outside, role_id=roles[0]["id"])
    assert [step.tool for step in world.steps(done)] == ["delete_project_user"]
    del done.before["member"]
    with pytest.raises(Conflict, match="Whether the role brought membership"):
        world.steps(done)


ROLES: Any = {"data": [{"id": "r-owner", "name": "owner"}, {"id": "r-usage", "name": "Usage"}], "has_more": False}


def role_change(**arguments: object) -> tuple[Reversal, ...]:
    change = {"user_id": "u", **arguments}
    kept = image("update_user", {"role": "owner"}, {"roles": ROLES}, **change)
    return reversal("update_user", change, kept, {}, CATALOG)


def test_a_role_by_name_is_replaced_by_the_old_one() -> None:
    (step,) = role_change(role="reader")
    assert (step.tool, step.arguments) == ("update_user", {"user_id": "u", "role_id": "r-owner"})


def test_a_role_by_id_is_taken_away_again_and_the_old_one_given_first() -> None:
    given_back, taken = role_change(role_id="r-new")
    assert (given_back.tool, given_back.arguments["role_id"]) == ("assign_user_role", "r-owner")
    assert (taken.tool, taken.arguments["role_id"]) == ("unassign_user_role", "r-new")


def test_a_role_that_was_held_besides_stays() -> None:
    (step,) = role_change(role_id="r-usage")
    assert (step.tool, step.arguments["role_id"]) == ("assign_user_role", "r-owner")


@pytest.mark.parametrize("roles", ["unreadable", {**ROLES, "has_more": True}, {"data": [{"id": "x", "name": "y"}]}])
def test_a_role_change_is_not_undone_where_the_roles_before_are_not_known(roles: Lookup) -> None:
    change: dict[str, Any] = {"user_id": "u", "role_id": "r-new"}
    kept = image("update_user", {"role": "owner"}, {"roles": roles}, **change)
    with pytest.raises(Conflict, match="held before is not known"):
        reversal("update_user", change, kept, {}, CATALOG)


def test_only_what_was_switched_is_switched_back() -> None:
    rows: Any = {"data": [{"id": "a", "active": True}, {"id": "b", "active": False}], "has_more": False}
    kept = image("activate_certificates", None, {"rows": rows}, certificate_ids=["a", "b"])
    (step,) = reversal("activate_certificates", {"certificate_ids": ["a", "b"]}, kept, {}, CATALOG)
    assert (step.tool, step.arguments) == ("deactivate_certificates", {"certificate_ids": ["b"]})


def test_true_and_one_are_not_the_same_and_null_is_left_out() -> None:
    assert not same(True, 1)
    assert same({"a": None, "b": {"c": None}}, {"b": {}})
    assert not same({"a": ["b", {}]}, {"a": [{}, "b"]})
