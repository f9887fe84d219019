"""What was made through the gate is undone by a plan, as far as it can be, and nobody else's work with it."""

import pytest

from admin_mcp.errors import Conflict, NotFound
from admin_mcp.gate.undoing import Undoing
from tests.gate.plan_world import Drafted, PlanWorld, approving, some_steps

pytestmark = pytest.mark.anyio


async def first(here: PlanWorld, tool: str, number: int = 1) -> str:
    identity: str = (await here.read(tool))["data"][number]["id"]
    return identity


def last_change(here: PlanWorld) -> str:
    return [record.change for record in here.world.journal() if record.kind == "outcome"][-1]


async def test_a_single_change_is_undone_to_what_it_was(here: PlanWorld) -> None:
    project = await first(here, "list_projects")
    before = await here.read("get_project", project_id=project)
    await here.world.call(here.world.make("update_project", project_id=project, name="Other"), approving())
    undone = await Undoing(here.world.gate).of_change(last_change(here))
    plan = await here.plan(*undone.steps)
    assert (await here.apply(plan, approving())).stopped is None
    assert await here.read("get_project", project_id=project) == before


async def test_what_somebody_has_changed_since_is_not_undone(here: PlanWorld) -> None:
    project = await first(here, "list_projects")
    await here.world.call(here.world.make("update_project", project_id=project, name="Other"), approving())
    change = last_change(here)
    here.wire.organization.respond("POST", f"/organization/projects/{project}", [], {"name": "Theirs"})
    with pytest.raises(Conflict, match="can't be undone any more"):
        await Undoing(here.world.gate).of_change(change)


async def test_what_nothing_restores_is_refused_with_the_reason(here: PlanWorld) -> None:
    project = await first(here, "list_projects")
    await here.world.call(here.world.make("archive_project", project_id=project), approving())
    with pytest.raises(Conflict, match="archive_project can't be undone"):
        await Undoing(here.world.gate).of_change(last_change(here))


async def test_a_change_that_is_unknown_or_was_not_made_is_not_undone(here: PlanWorld) -> None:
    with pytest.raises(NotFound, match="no change nothing"):
        await Undoing(here.world.gate).of_change("nothing")
    plan = await here.plan(Drafted("create_group", {"name": "x"}))
    with pytest.raises(Conflict, match="Nothing of plan"):
        await Undoing(here.world.gate).of_plan(plan, here.world.storage.plans.progress(plan))


async def test_a_plan_is_undone_last_step_first_and_what_stays_is_said(here: PlanWorld) -> None:
    users = (await here.ids("list_users"))[2:]
    project = await first(here, "list_projects")
    before = await here.read("get_project", project_id=project)
    groups = (await here.read("list_groups", limit=100))["data"]
    plan = await here.plan(*some_steps(users, project))
    assert (await here.apply(plan, approving())).stopped is None
    undone = await Undoing(here.world.gate).of_plan(plan, here.world.storage.plans.progress(plan))
    assert [step.tool for step in undone.steps][:2] == ["remove_group_user", "delete_group"]
    assert undone.steps[-1].tool == "archive_project"  # nothing takes a project away for good
    back = await here.plan(*undone.steps, notes=undone.notes)
    assert (await here.apply(back, approving())).stopped is None
    assert await here.read("get_project", project_id=project) == before
    assert (await here.read("list_groups", limit=100))["data"] == groups


async def test_two_changes_of_one_thing_in_a_plan_are_undone_in_turn(here: PlanWorld) -> None:
    project = await first(here, "list_projects")
    before = await here.read("get_project", project_id=project)
    renames = (Drafted("update_project", {"project_id": project, "name": name}) for name in ("One", "Two"))
    plan = await here.plan(*renames)
    assert (await here.apply(plan, approving())).stopped is None
    undone = await Undoing(here.world.gate).of_plan(plan, here.world.storage.plans.progress(plan))
    back = await here.plan(*undone.steps)
    assert (await here.apply(back, approving())).stopped is None
    assert await here.read("get_project", project_id=project) == before
