"""Rules and guardrails see a plan as a whole, and each step as the ones before leave things."""

from pathlib import Path

import pytest

from admin_mcp.errors import (
    ApprovalUnavailable,
    NotFound,
    PolicyDenied,
)
from admin_mcp.gate.policy import Policy, Rule
from tests.gate.plan_world import Drafted, PlanWorld, approving, steps
from tests.gate.world import AtOnce

pytestmark = pytest.mark.anyio


def ruled(*rules: Rule) -> Policy:
    return Policy.standard(read_only=False, rules=rules)


async def test_a_rule_can_deny_a_step_a_plan_by_its_size_or_what_it_does(tmp_path: Path) -> None:
    cases = [
        (Rule("no groups", "deny", tools=("create_group",)), "create_group", "no groups"),
        (Rule("small plans", "deny", tools=("apply_plan",), steps=2), "apply_plan", "small plans"),
        (Rule("no grants by plan", "deny", tools=("apply_plan",), effects=frozenset(["grant"])), "", "no grants"),
    ]
    for number, (rule, _, says) in enumerate(cases):
        here = PlanWorld(tmp_path / str(number), policy=ruled(rule))
        with pytest.raises(PolicyDenied, match=says):
            await here.apply(await here.plan(*await steps(here)), approving())
        assert here.wire.changes == []


async def test_a_rule_about_plans_leaves_single_changes_and_smaller_plans_alone(tmp_path: Path) -> None:
    here = PlanWorld(tmp_path, policy=ruled(Rule("small plans", "deny", steps=2)))
    assert (await here.apply(await here.plan(Drafted("create_group", {"name": "x"})), approving())).stopped is None
    await here.world.call(here.world.make("create_group", name="y"), approving())
    assert len(here.wire.changes) == 2


async def test_rules_demand_the_channel_of_a_plan_and_this_machine_where_they_demand_two(tmp_path: Path) -> None:
    rules = (
        Rule("groups by form", "confirm", tools=("create_group",), channel="elicit"),
        Rule("projects here", "confirm", tools=("create_project",), channel="local"),
    )
    here = PlanWorld(tmp_path, policy=ruled(*rules))
    plan = await here.plan(Drafted("create_group", {"name": "x"}), Drafted("create_project", {"name": "y"}))
    with pytest.raises(ApprovalUnavailable):
        await here.apply(plan, approving())
    person = approving()
    person.channel = "local"
    assert (await here.apply(plan, AtOnce(person.reply, channel="local"))).stopped is None


async def test_a_plan_of_changes_that_are_all_allowed_asks_nobody(tmp_path: Path) -> None:
    rule = Rule("groups are free", "allow", tools=("create_group", "apply_plan"))
    here = PlanWorld(tmp_path, policy=ruled(rule))
    plan = await here.plan(Drafted("create_group", {"name": "x"}), Drafted("create_group", {"name": "y"}))
    assert (await here.apply(plan, None)).stopped is None
    mixed = await here.plan(Drafted("create_group", {"name": "z"}), Drafted("create_project", {"name": "z"}))
    with pytest.raises(ApprovalUnavailable):
        await here.apply(mixed, None)
    assert len(here.wire.changes) == 2


async def test_the_last_owner_is_kept_unless_an_earlier_step_makes_another(here: PlanWorld) -> None:
    users = (await here.read("list_users", limit=100))["data"]
    owners = [user["id"] for user in users if user["role"] == "owner"]
    other = next(user["id"] for user in users if user["role"] != "owner")
    demote = [Drafted("update_user", {"user_id": owner, "role": "reader"}) for owner in owners]
    with pytest.raises(PolicyDenied, match=rf"Step {len(owners)}: .*last_owner"):
        await here.plan(*demote)
    plan = await here.plan(Drafted("update_user", {"user_id": other, "role": "owner"}), *demote)
    assert (await here.apply(plan, approving())).stopped is None
    assert here.states(plan) == ["done"] * len(plan.steps)


async def test_a_later_step_is_shown_as_the_earlier_ones_leave_things(here: PlanWorld) -> None:
    project = (await here.read("list_projects"))["data"][1]
    plan = await here.plan(
        Drafted("update_project", {"project_id": project["id"], "name": "One"}),
        Drafted("update_project", {"project_id": project["id"], "name": "Two"}),
    )
    assert plan.step(2).preview.changes["name"].before == "“One”"
    assert (await here.apply(plan, approving())).stopped is None
    user = (await here.ids("list_users"))[3]
    with pytest.raises(NotFound, match=r"Step 2: .*taken away by an earlier step"):
        await here.plan(
            Drafted("delete_user", {"user_id": user}), Drafted("update_user", {"user_id": user, "role": "reader"})
        )


async def test_steps_about_one_person_do_not_trip_over_each_other(here: PlanWorld) -> None:
    user = next(row for row in (await here.read("list_users", limit=100))["data"] if row["role"] != "owner")
    memberships = []
    for project in (await here.read("list_projects", limit=100))["data"]:
        members = (await here.read("list_project_users", project_id=project["id"], limit=100))["data"]
        if any(member["id"] == user["id"] for member in members):
            memberships.append(project["id"])
    assert memberships
    plan = await here.plan(
        *(Drafted("delete_project_user", {"project_id": each, "user_id": user["id"]}) for each in memberships),
        Drafted("delete_user", {"user_id": user["id"]}),
    )
    assert (await here.apply(plan, approving())).stopped is None
    assert here.states(plan) == ["done"] * (len(memberships) + 1)
