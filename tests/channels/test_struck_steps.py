"""Steps are struck out of a plan on its page, by whoever may decide it and while it waits."""

from typing import Any

import pytest

from admin_mcp.gate.approval import Event
from admin_mcp.gate.plan import Plan
from admin_mcp.gate.plans import question_of
from tests.channels.desk import ELSEWHERE, PlanDesk

pytestmark = pytest.mark.anyio


async def test_one_step_is_struck_out_and_the_smaller_plan_is_approved_with_its_own_text(plans: PlanDesk) -> None:
    csrf = await plans.enter(plans.approval)
    assert "remove 1, grant 1" in (await plans.browser.get(plans.path(plans.approval))).text
    answer = await plans.strike(csrf, "3")
    assert (answer.status_code, answer.headers["location"]) == (303, plans.path(plans.approval))
    assert plans.struck == (3,)
    page = (await plans.browser.get(answer.headers["location"])).text
    assert "Strike out step 3" not in page
    kept = plans.storage.approvals.get(plans.approval.id)
    assert kept is not None
    assert kept.question.key == plans.storage.plans.get("plan_1").digest
    assert [step.number for step in kept.preview.steps] == [2, 1]
    assert await plans.post(plans.approval, csrf, decision="approve", typed_text="remove 1, grant 1") == 422
    assert await plans.post(plans.approval, csrf, decision="approve", typed_text="grant 1") == 303
    assert plans.state(plans.approval) == "approved"


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("1", "Step 2 needs what step 1 makes"),
        ("9", "no step 9"),
        ("0", "no step 0"),
        ("-1", "Choose a step"),
        ("", "Choose a step"),
        ("1e1", "Choose a step"),
        ("²", "Choose a step"),
        ("9" * 3000, "no step 999"),
    ],
)
async def test_what_can_not_be_struck_out_is_told_to_the_person_and_stays(
    plans: PlanDesk, step: str, says: str
) -> None:
    csrf = await plans.enter(plans.approval)
    answer = await plans.strike(csrf, step)
    assert answer.status_code == 422
    assert says in answer.text
    assert plans.struck == ()
    assert plans.state(plans.approval) == "pending"


@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_nothing_from_elsewhere_strikes_out_a_step(plans: PlanDesk, headers: dict[str, str]) -> None:
    csrf = await plans.enter(plans.approval)
    assert (await plans.strike(csrf, "3", headers)).status_code == 403
    assert plans.struck == ()


async def test_striking_out_needs_the_sessions_own_token(plans: PlanDesk) -> None:
    assert (await plans.strike("", "3")).status_code == 403
    other = await plans.enter(plans.approval)
    await plans.enter(plans.approval)
    for csrf in ("", "guess", other):
        assert (await plans.strike(csrf, "3")).status_code == 403
    assert plans.struck == ()


async def test_nothing_is_struck_out_of_what_is_no_plan_or_is_asked_elsewhere(plans: PlanDesk) -> None:
    csrf = await plans.enter(plans.approval)
    single = plans.ask("single")
    answer = await plans.strike(csrf, "3", approval=single)
    assert answer.status_code == 422
    assert "Nothing can be struck out" in answer.text
    assert plans.state(single) == "pending"
    form, _ = plans.storage.approvals.open(question_of(plans.plan, "elicit"), "elicit")
    assert (await plans.strike(csrf, "3", approval=form)).status_code == 404
    assert plans.struck == ()


@pytest.mark.parametrize("event", ["approve", "reject", "void"])
async def test_nothing_is_struck_out_once_it_is_decided_and_the_page_shows_what_was(
    plans: PlanDesk, event: Event
) -> None:
    csrf = await plans.enter(plans.approval)
    plans.storage.approvals.apply(plans.approval.id, event)
    answer = await plans.strike(csrf, "3")
    assert answer.status_code == 422
    assert "Nothing can be struck out of this any more" in answer.text
    assert "Strike out step" not in answer.text
    assert plans.struck == ()


async def test_a_plan_that_is_decided_while_a_step_is_struck_out_is_shown_as_decided(
    plans: PlanDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    csrf = await plans.enter(plans.approval)
    strike = plans.storage.plans.strike

    def just_before(*given: Any, **named: Any) -> Plan:
        plans.storage.approvals.apply(plans.approval.id, "approve")
        return strike(*given, **named)

    monkeypatch.setattr(plans.storage.plans, "strike", just_before)
    answer = await plans.strike(csrf, "3")
    assert "approved already" in answer.text
    assert 'value="approve"' not in answer.text
    assert plans.struck == ()
