"""A plan gets smaller by the steps that are struck out of it, until it is approved."""

import pytest

from admin_mcp.errors import (
    Conflict,
    InvalidInput,
)
from admin_mcp.gate.forms import Reply
from tests.gate.plan_world import PlanWorld, approving, steps
from tests.gate.world import AskedError, Later

pytestmark = pytest.mark.anyio


async def test_struck_steps_are_not_sent_and_what_is_approved_is_the_smaller_plan(here: PlanWorld) -> None:
    plan = await here.plan(*await steps(here))
    later = Later()
    with pytest.raises(AskedError) as asked:
        await here.apply(plan, later)
    approval = asked.value.approval
    smaller = here.world.storage.plans.strike(plan.id, [3], via="page")
    assert smaller.digest != plan.digest
    now = here.world.storage.approvals.get(approval.id)
    assert now is not None
    assert now.question.key == smaller.digest
    assert "Renamed" not in now.preview.text
    reply = Reply("accept", {"decision": "approve", "typed_text": now.preview.typed[0]})
    applied = await here.apply(plan, Later(answers=approval.id, reply=reply))
    assert applied.stopped is None
    assert here.states(plan) == ["done", "done", "struck", "done", "done"]
    assert not [path for _, path in here.wire.changes if path.endswith(plan.step(3).arguments["project_id"])]


async def test_a_step_that_others_need_a_step_that_is_not_there_and_the_last_one_can_not_be_struck_out(
    here: PlanWorld,
) -> None:
    plan = await here.plan(*await steps(here))
    plans = here.world.storage.plans
    with pytest.raises(InvalidInput, match="Step 2 needs what step 1 makes"):
        plans.strike(plan.id, [1], via="page")
    with pytest.raises(InvalidInput, match="no step 9"):
        plans.strike(plan.id, [9], via="page")
    with pytest.raises(InvalidInput, match="No step would be left"):
        plans.strike(plan.id, [1, 2, 3, 4, 5], via="page")
    assert (await here.apply(plan, approving())).stopped is None
    with pytest.raises(Conflict, match="being applied, or was"):
        plans.strike(plan.id, [3], via="page")


async def test_an_approved_plan_is_struck_no_smaller(here: PlanWorld) -> None:
    plan = await here.plan(*await steps(here))
    person = Later()
    with pytest.raises(AskedError) as asked:
        await here.apply(plan, person)
    here.world.storage.approvals.apply(asked.value.approval.id, "approve")
    with pytest.raises(Conflict, match="approved already"):
        here.world.storage.plans.strike(plan.id, [3], via="page")
