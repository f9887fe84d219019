"""A rule may demand that whoever approves says why: by each way of asking, for calls and plans, kept in the journal."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from admin_mcp.channels.terminal import TerminalChannel
from admin_mcp.channels.two_step import Confirmation, TwoStepAsk, TwoStepConfirm
from admin_mcp.cli.main import main
from admin_mcp.errors import ApprovalDenied, ApprovalPending, ApprovalUnavailable
from admin_mcp.gate.approval import Approval, Question
from admin_mcp.gate.forms import LONGEST_REASON, Reply, form_schema, judge
from admin_mcp.gate.policy import CHANGES, Policy, Rule
from admin_mcp.gate.preview import Preview
from admin_mcp.gate.storage import GateStorage
from tests.channels.desk import Desk
from tests.gate.conftest import NewWorld
from tests.gate.plan_world import Drafted, PlanWorld, approving
from tests.gate.questions import question, records
from tests.gate.world import APPROVE, AtOnce, World

pytestmark = pytest.mark.anyio

WHY = "asked for by the auditors"
RULE = Rule("say why", "confirm", effects=CHANGES, reason=True)
DEMANDING = Policy.standard(read_only=False, rules=[RULE])
UPDATE: dict[str, Any] = {"role_id": "role_1", "description": "new"}


def demanding(*, typed: bool = False) -> Question:
    asked = question(typed=typed)
    preview = asked.preview.model_copy(update={"wants_reason": True})
    return Question(asked.key, asked.tool, asked.arguments, preview)


def decided(kept: GateStorage) -> list[tuple[object, object, object]]:
    """Return what was decided, where, and why."""
    found = [record.fields for record in kept.journal.records() if record.kind == "decided"]
    return [(each.get("decision"), each.get("via"), each.get("reason")) for each in found]


def because(reason: str) -> Any:
    def reply(approval: Approval) -> Reply:
        typed = approval.preview.typed
        return Reply("accept", {"decision": "approve", "reason": reason, **({"typed_text": typed[0]} if typed else {})})

    return reply


async def test_a_form_asks_for_it_and_rejecting_takes_none() -> None:
    schema = form_schema(demanding().preview)
    assert schema["properties"]["reason"]["maxLength"] == LONGEST_REASON
    assert schema["required"] == ["decision"]
    assert "reason" not in form_schema(question().preview)["properties"]


async def test_what_was_said_is_kept_on_one_line_in_the_persons_words(new_world: NewWorld) -> None:
    world = new_world(policy=DEMANDING)
    await world.call(world.make("update_role", **UPDATE), AtOnce(because(f"  {WHY},\nsee 7 ")))
    assert decided(world.storage) == [("approved", "elicit", f"{WHY}, see 7")]


async def test_a_form_without_it_decides_nothing_and_says_what_is_wanted(new_world: NewWorld) -> None:
    world = new_world(policy=DEMANDING)
    with pytest.raises(ApprovalDenied, match="No reason was given") as caught:
        await world.call(world.make("update_role", **UPDATE), AtOnce(APPROVE))
    assert "3 to 500 visible" in caught.value.hint


async def test_the_admin_key_in_a_reason_is_never_written(new_world: NewWorld) -> None:
    world = new_world(policy=DEMANDING)
    key = "sk-admin-test-0123456789"
    await world.call(world.make("update_role", **UPDATE), AtOnce(because(f"with {key}")))
    assert key not in str(decided(world.storage))


async def test_a_phrase_gives_no_reason_so_two_steps_are_refused(new_world: NewWorld) -> None:
    free = new_world()
    with pytest.raises(ApprovalPending) as asked:
        await free.call(free.make("update_role", **UPDATE), TwoStepAsk())
    earlier = free.storage.approvals.get(asked.value.message.split()[1])
    assert earlier
    assert earlier.phrase
    strict = new_world(beside=free, policy=DEMANDING)
    for person in (TwoStepAsk(), TwoStepConfirm(Confirmation(earlier.id, earlier.phrase))):
        with pytest.raises(ApprovalUnavailable, match=r"say why they approve this change \(say why\)") as caught:
            await strict.call(strict.make("update_role", **UPDATE), person)
        assert "--approval auto or local" in caught.value.hint
    assert strict.changes == []


async def test_no_phrase_approves_what_demands_a_reason(tmp_path: Path) -> None:
    approval, _ = records(tmp_path).approvals.open(demanding(), "two-step")
    assert judge(Reply("accept", {"phrase": approval.phrase}), approval).event == "void"


async def test_a_server_that_asks_nobody_refuses_what_demands_a_reason(new_world: NewWorld) -> None:
    world = new_world(policy=DEMANDING, confirm=False)
    with pytest.raises(ApprovalUnavailable, match="must say why"):
        await world.call(world.make("update_role", **UPDATE), None)
    assert world.changes == []


async def test_an_approval_without_it_does_not_fit_where_one_is_demanded_now(new_world: NewWorld) -> None:
    free = new_world()
    call = free.make("update_role", **UPDATE)
    approval = await _approved_unsent(free)
    strict = new_world(beside=free, policy=DEMANDING)
    await strict.call(call, AtOnce(because(WHY), channel="local"))
    assert strict.state(approval.id) == "void"
    assert ("approved", "local", WHY) in decided(strict.storage)
    assert len(strict.changes) == 1


async def _approved_unsent(world: World) -> Approval:
    """Have the change approved while its call ends before it is sent."""

    def leaves(approval: Approval) -> None:
        world.storage.approvals.apply(approval.id, "approve", via="page")
        raise ApprovalPending("pending", hint="wait")

    person = AtOnce(leaves, channel="local")
    with pytest.raises(ApprovalPending):
        await world.call(world.make("update_role", **UPDATE), person)
    return person.seen[0]


@pytest.mark.parametrize("typed", [True, False])
async def test_a_terminal_asks_for_it(tmp_path: Path, *, typed: bool) -> None:
    kept = records(tmp_path)
    answers = ["Support" if typed else "approve", WHY]
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return answers[len(prompts) - 1]

    approval, _ = kept.approvals.open(demanding(typed=typed), "local")
    await TerminalChannel(kept.approvals, lambda _: None, ask).ask(approval)
    assert prompts[1].startswith("Why you approve this (3 to 500 characters")
    assert decided(kept) == [("approved", "terminal", WHY)]


async def test_at_a_terminal_no_reason_is_no_approval(tmp_path: Path) -> None:
    kept = records(tmp_path)
    approval, _ = kept.approvals.open(demanding(), "local")
    channel = TerminalChannel(kept.approvals, lambda _: None, lambda text: "" if "Why" in text else "approve")
    with pytest.raises(ApprovalDenied, match="no reason of 3 to 500"):
        await channel.ask(approval)
    assert [decision for decision, _, _ in decided(kept)] == ["void"]


async def test_the_page_asks_for_it_and_takes_no_answer_without(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "state")
    approval, _ = desk.storage.approvals.open(demanding(), "local")
    csrf = await desk.enter(approval)
    page = (await desk.browser.get(desk.path(approval))).text
    assert 'name="reason"' in page
    assert 'for="reason"' in page
    for reason in ("", "no", "\u200b\u200b\u200b"):
        assert await desk.post(approval, csrf, decision="approve", reason=reason) == 422
    assert desk.state(approval) == "pending"
    assert await desk.post(approval, csrf, decision="approve", reason="\U0001f600" * LONGEST_REASON) == 303
    assert decided(desk.storage) == [("approved", "page", "\U0001f600" * LONGEST_REASON)]
    await desk.browser.aclose()
    desk.server.stop()


async def test_the_page_has_no_such_field_where_none_is_demanded(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "state")
    approval = desk.ask()
    await desk.enter(approval)
    assert 'name="reason"' not in (await desk.browser.get(desk.path(approval))).text
    await desk.browser.aclose()
    desk.server.stop()


async def test_the_journals_commands_show_it(tmp_path: Path) -> None:
    kept = records(tmp_path / "state")
    approval, _ = kept.approvals.open(demanding(), "local")
    kept.approvals.apply(approval.id, "approve", via="page", reason=WHY)
    for command in (["list"], ["show", approval.id]):
        result = CliRunner().invoke(main, ["journal", *command], env={"ADMIN_MCP_STATE_DIR": str(tmp_path / "state")})
        assert WHY in result.stdout


async def test_a_stored_approval_of_before_reads_as_one_without() -> None:
    before = question().preview
    text = before.model_dump_json(exclude={"wants_reason"})
    assert Preview.model_validate_json(text) == before
    assert before.drift != demanding(typed=True).preview.drift


STEPS = (Drafted("create_group", {"name": "x"}), Drafted("create_project", {"name": "y"}))


@pytest.mark.parametrize(
    "rule",
    [
        Rule("say why", "confirm", tools=("create_project",), reason=True),
        Rule("say why", "confirm", tools=("apply_plan",), reason=True),
        Rule("say why", "confirm", steps=2, reason=True),
    ],
)
async def test_a_plan_demands_it_where_the_rule_for_it_or_for_a_step_does(tmp_path: Path, rule: Rule) -> None:
    here = PlanWorld(tmp_path, policy=Policy.standard(read_only=False, rules=[rule]))
    plan = await here.plan(*STEPS)
    with pytest.raises(ApprovalDenied, match="No reason was given"):
        await here.apply(plan, approving())
    with pytest.raises(ApprovalUnavailable, match="must say why"):
        await here.apply(plan, TwoStepAsk())
    assert here.wire.changes == []
    assert (await here.apply(plan, AtOnce(because(WHY)))).stopped is None
    assert ("approved", "elicit", WHY) in decided(here.world.storage)


async def test_a_plan_approved_without_is_asked_about_anew_where_it_is_demanded_now(tmp_path: Path) -> None:
    free = PlanWorld(tmp_path)
    plan = await free.plan(*STEPS)

    def leaves(approval: Approval) -> None:
        free.world.storage.approvals.apply(approval.id, "approve", via="page")
        raise ApprovalPending("pending", hint="wait")

    with pytest.raises(ApprovalPending):
        await free.apply(plan, AtOnce(leaves, channel="local"))
    strict = free.restarted(policy=DEMANDING)
    assert (await strict.apply(plan, AtOnce(because(WHY), channel="local"))).stopped is None
    told = decided(strict.world.storage)
    assert ("void", None, "it was approved without the reason that is demanded now") in told
    assert ("approved", "local", WHY) in told


async def test_a_struck_step_leaves_the_demand(tmp_path: Path) -> None:
    here = PlanWorld(tmp_path, policy=DEMANDING)
    plan = await here.plan(*STEPS)

    def leaves(approval: Approval) -> None:
        raise ApprovalPending(approval.id, hint="wait")

    person = AtOnce(leaves, channel="local")
    with pytest.raises(ApprovalPending):
        await here.apply(plan, person)
    here.world.storage.plans.strike(plan.id, [1], via="page")
    now = here.world.storage.approvals.get(person.seen[0].id)
    assert now
    assert now.preview.wants_reason
    assert len(now.preview.steps) == 1
