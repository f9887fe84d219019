"""Plans: one approval for exactly what was shown, each step once, in order, and nothing lost when something ends."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from admin_mcp.errors import (
    ApprovalDenied,
    ApprovalPending,
    ApprovalUnavailable,
    CallError,
    Conflict,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
)
from admin_mcp.gate.approval import PLAN_APPROVED_SECONDS
from admin_mcp.gate.forms import LONGEST_FORM, Reply
from admin_mcp.gate.plan import LIFE_SECONDS, MOST_STEPS
from tests.gate.plan_world import Drafted, KilledError, PlanWorld, approving, steps, untouched
from tests.gate.world import REJECT, AskedError, AtOnce, Later

pytestmark = pytest.mark.anyio


async def test_a_plan_is_asked_about_once_and_sent_in_order(here: PlanWorld) -> None:
    plan = await here.plan(*await steps(here))
    assert here.wire.changes == []
    person = approving()
    applied = await here.apply(plan, person)
    assert applied.stopped is None
    assert len(person.seen) == 1
    made = applied.answers[1]["id"]
    assert [path for _, path in here.wire.changes] == [
        "/organization/projects",
        f"/organization/projects/{made}/users",
        f"/organization/projects/{plan.step(3).arguments['project_id']}",
        "/organization/groups",
        f"/organization/groups/{applied.answers[4]['id']}/users",
    ]
    assert here.states(plan) == ["done"] * 5
    assert [told.split(" ")[0] for told in here.told] == ["0/5", "1/5", "2/5", "3/5", "4/5"]
    again = AtOnce(None)
    assert (await here.apply(plan, again)).stopped is None
    assert (again.seen, len(here.wire.changes)) == ([], 5)


async def test_the_question_shows_every_step_the_gravest_first_with_totals_and_the_text_that_says_the_worst(
    here: PlanWorld,
) -> None:
    roles = [role for role in (await here.read("list_roles"))["data"] if not role["predefined_role"]]
    plan = await here.plan(*await steps(here), Drafted("delete_role", {"role_id": roles[0]["id"]}), title="Lab")
    person = AtOnce(REJECT)
    with pytest.raises(ApprovalDenied):
        await here.apply(plan, person)
    preview = person.seen[0].preview
    assert preview.title == "Plan “Lab”: 2 to add, 1 to change, 1 to remove, 2 grants"
    assert [step.section for step in preview.steps] == [
        "Takes away",
        "Gives access",
        "Gives access",
        "Changes",
        "Adds",
        "Adds",
    ]
    assert preview.typed == ("remove 1, grant 2",)
    for step in plan.steps:
        assert step.preview.title in preview.text
        assert step.preview.request in preview.text
    assert "(new, step 1)" in preview.text
    assert "it is theirs" in preview.text
    assert here.wire.changes == []


WRONG: list[tuple[list[Drafted], type[CallError], str]] = [
    ([], InvalidInput, "at least one step"),
    ([Drafted("create_group", {"name": "x"})] * (MOST_STEPS + 1), InvalidInput, "at most 50 steps"),
    ([Drafted("delete_role", {"role_id": f"role_{n}"}) for n in range(11)], InvalidInput, "at most 10 things"),
    ([Drafted("create_grup", {"name": "x"})], InvalidInput, "Step 1: there is no tool 'create_grup'.*create_group"),
    ([Drafted("ad_project_user", {})], InvalidInput, r"Step 1: .* mean (?!.*get_project_user).*create_project_user"),
    ([Drafted("list_users", {})], InvalidInput, "Step 1: list_users only reads"),
    ([Drafted("apply_plan", {"plan_id": "x"})], InvalidInput, "Step 1: there is no tool 'apply_plan'"),
    ([Drafted("create_group", {"nam": "x"})], InvalidInput, "Step 1: create_group: .*nam"),
    (
        [Drafted("create_group", {"name": "x"}), Drafted("delete_group", {"group_id": {"from_step": 2}})],
        InvalidInput,
        "Step 2: it refers to step 2, which is not before it",
    ),
    ([Drafted("delete_group", {"group_id": {"from_step": 0}})], InvalidInput, "refers to step 0"),
    ([Drafted("delete_group", {"group_id": {"from_step": "1"}})], InvalidInput, "A reference is"),
    (
        [
            Drafted("create_group", {"name": "x"}),
            Drafted("delete_group", {"group_id": {"from_step": 1, "field": "value"}}),
        ],
        InvalidInput,
        "A reference is",
    ),
    ([Drafted("delete_group", {"group_id": "~step.1.id~"})], InvalidInput, "how this server writes a reference"),
    ([Drafted("delete_group", {"group_id": "group_none"})], NotFound, "Step 1: "),
]


@pytest.mark.parametrize(("wrong", "kind", "says"), WRONG, ids=[says for _, _, says in WRONG])
async def test_what_can_be_no_plan_is_refused_with_the_step_and_nothing_is_sent_or_kept(
    here: PlanWorld, wrong: list[Drafted], kind: type[CallError], says: str
) -> None:
    with pytest.raises(kind, match=says) as caught:
        await here.plan(*wrong)
    assert caught.value.hint
    assert here.wire.changes == []
    assert here.world.storage.plans.all() == []


async def test_a_step_that_would_change_nothing_is_refused_or_left_out_with_a_note(here: PlanWorld) -> None:
    project = (await here.read("list_projects"))["data"][1]
    idle = Drafted("update_project", {"project_id": project["id"], "name": project["name"]})
    with pytest.raises(Conflict, match=r"Step 1 .* would change nothing"):
        await here.plan(idle)
    plan = await here.plan(idle, Drafted("create_group", {"name": "x"}), skip_idle=True)
    assert [step.number for step in plan.steps] == [2]
    assert "so already" in plan.notes[0]
    with pytest.raises(Conflict, match="Nothing is left to do"):
        await here.plan(idle, skip_idle=True)


async def test_an_id_that_is_no_plans_is_not_found(here: PlanWorld) -> None:
    plan = await here.plan(Drafted("create_group", {"name": "x"}))
    with pytest.raises(NotFound, match="no plan plan_x"):
        await here.apply(plan.model_copy(update={"id": "plan_x"}), approving())


async def test_a_plan_of_another_system_or_a_day_old_is_not_applied(here: PlanWorld, tmp_path: Path) -> None:
    plan = await here.plan(Drafted("create_group", {"name": "x"}))
    elsewhere = PlanWorld(tmp_path, beside=here, system="other")
    with pytest.raises(Conflict, match="made for another system"):
        await elsewhere.apply(plan, approving())
    here.world.now += LIFE_SECONDS
    with pytest.raises(Conflict, match="more than a day old"):
        await here.apply(plan, approving())
    assert here.wire.changes == []


async def test_what_has_changed_since_the_plan_was_made_stops_it_before_anybody_is_asked(here: PlanWorld) -> None:
    plan = await here.plan(*await steps(here))
    project = plan.step(3).arguments["project_id"]
    await here.world.call(here.world.make("update_project", project_id=project, name="Elsewhere"), approving())
    person = approving()
    with pytest.raises(Conflict, match=r"Step 3: .*Elsewhere"):
        await here.apply(plan, person)
    assert person.seen == []
    assert len(here.wire.changes) == 1


async def test_what_changes_between_approval_and_a_step_stops_the_plan_at_that_step(here: PlanWorld) -> None:
    plan = await here.plan(*await steps(here))
    project = plan.step(3).arguments["project_id"]
    meddled: list[int] = []

    def meddle(number: int) -> httpx.Response | None:
        if number == 2 and not meddled:
            meddled.append(number)
            here.wire.organization.respond(  # somebody else, through no server of ours
                "POST", f"/organization/projects/{project}", [], {"name": "Elsewhere"}
            )
        return None

    here.wire.after_change = meddle
    applied = await here.apply(plan, approving())
    assert isinstance(applied.stopped, Conflict)
    assert applied.at == 3
    assert here.states(plan) == ["done", "done", "open", "open", "open"]


async def test_a_step_that_the_api_refuses_ends_the_plan_and_is_never_sent_again(here: PlanWorld) -> None:
    here.wire.on_change = lambda number: httpx.Response(400, json={"error": {"message": "no"}}) if number == 2 else None
    plan = await here.plan(*await steps(here))
    applied = await here.apply(plan, approving())
    assert applied.at == 2
    assert here.states(plan) == ["done", "refused", "open", "open", "open"]
    here.wire.on_change = untouched
    with pytest.raises(Conflict, match="ended at step 2, which was not made"):
        await here.apply(plan, approving())
    assert len(here.wire.changes) == 1


async def test_a_step_that_never_left_is_sent_when_the_plan_goes_on_without_asking_again(here: PlanWorld) -> None:
    plan = await here.plan(*await steps(here))

    def cut(number: int) -> httpx.Response | None:
        if number == 3:
            raise httpx.ConnectError("no route")
        return None

    here.wire.on_change = cut
    applied = await here.apply(plan, approving())
    assert applied.at == 3
    assert here.states(plan) == ["done", "done", "open", "open", "open"]
    here.wire.on_change = untouched
    person = approving()
    assert (await here.apply(plan, person)).stopped is None
    assert person.seen == []
    assert here.states(plan) == ["done"] * 5
    assert len(here.wire.changes) == 5


async def test_an_approval_that_ran_out_on_the_way_is_asked_for_anew_for_what_is_left(here: PlanWorld) -> None:
    plan = await here.plan(*await steps(here))

    def late(number: int) -> httpx.Response | None:
        if number == 2:
            here.world.now += PLAN_APPROVED_SECONDS
        return None

    here.wire.after_change = late
    applied = await here.apply(plan, approving())
    assert isinstance(applied.stopped, ApprovalDenied)
    assert here.states(plan) == ["done", "done", "open", "open", "open"]
    here.wire.after_change = untouched
    person = approving()
    assert (await here.apply(plan, person)).stopped is None
    assert [step.number for step in person.seen[0].preview.steps] == [5, 3, 4]
    assert len(here.wire.changes) == 5


async def test_a_step_whose_answer_was_lost_is_settled_by_a_read_before_the_plan_goes_on(here: PlanWorld) -> None:
    plan = await here.plan(*await steps(here))

    def lose(number: int) -> httpx.Response | None:
        return httpx.Response(502) if number == 3 else None

    here.wire.after_change = lose
    applied = await here.apply(plan, approving())
    assert isinstance(applied.stopped, OutcomeUnknown)
    here.wire.after_change = untouched
    person = approving()
    assert (await here.apply(plan, person)).stopped is None
    assert here.states(plan) == ["done"] * 5
    assert len(here.wire.changes) == 5


async def test_a_step_that_no_read_can_settle_ends_the_plan(here: PlanWorld) -> None:
    plan = await here.plan(*await steps(here))
    here.wire.after_change = lambda number: httpx.Response(502) if number == 4 else None
    await here.apply(plan, approving())
    here.wire.after_change = untouched
    with pytest.raises(OutcomeUnknown, match="Nobody knows whether step 4"):
        await here.apply(plan, approving())
    assert len(here.wire.changes) == 4


async def test_two_servers_that_apply_one_plan_send_each_step_once(here: PlanWorld, tmp_path: Path) -> None:
    plan = await here.plan(*await steps(here))
    other = PlanWorld(tmp_path, beside=here)
    refused: list[CallError] = []

    class Meanwhile(AtOnce):
        async def ask(self, approval: Any) -> Reply | None:
            try:
                await other.apply(plan, approving())
            except CallError as error:
                refused.append(error)
            return await super().ask(approval)

    assert (await here.apply(plan, Meanwhile(approving().reply))).stopped is None
    assert "being applied by another call" in refused[0].message
    assert len(here.wire.changes) == 5


async def test_an_approval_of_one_plan_fits_no_other_and_no_single_change(here: PlanWorld) -> None:
    one = await here.plan(Drafted("create_group", {"name": "x"}))
    other = await here.plan(Drafted("create_group", {"name": "y"}))
    with pytest.raises(AskedError) as asked:
        await here.apply(one, Later())
    here.world.storage.approvals.apply(asked.value.approval.id, "approve")
    with pytest.raises(AskedError):
        await here.apply(other, Later())
    with pytest.raises(AskedError):
        await here.world.call(here.world.make("create_group", name="x"), Later())
    assert here.wire.changes == []


async def test_a_plan_too_long_for_a_form_is_refused_where_only_a_form_may_ask(here: PlanWorld) -> None:
    class Short(AtOnce):
        pass

    from admin_mcp.channels.selector import OfferedChannels  # noqa: PLC0415 - beside its use

    plan = await here.plan(*(Drafted("create_group", {"name": f"{number:03}{'x' * 200}"}) for number in range(30)))
    from admin_mcp.gate.plan_applying import PlanApplying  # noqa: PLC0415

    async def report(done: float, total: float | None, message: str) -> None:
        del done, total, message

    def none(*, too_long: bool = False, by_client: bool = False) -> Any:
        del too_long, by_client
        raise AssertionError("a form is the only way here")

    offered = OfferedChannels("elicit", Short(None), none)
    with pytest.raises(ApprovalUnavailable, match=f"a form holds {LONGEST_FORM}"):
        await PlanApplying(here.world.gate, here.world.connection).apply(plan.id, offered, report, lambda: None)


@pytest.mark.parametrize("point", range(1, 6))
@pytest.mark.parametrize("when", ["before it is sent", "after it was made"])
async def test_a_process_that_is_killed_at_any_step_leaves_a_plan_that_goes_on(
    tmp_path: Path, point: int, when: str
) -> None:
    here = PlanWorld(tmp_path / "state")
    plan = await here.plan(*await steps(here))

    def kill(number: int) -> httpx.Response | None:
        if number == point:
            raise KilledError
        return None

    if when == "before it is sent":
        here.wire.on_change = kill
    else:
        here.wire.after_change = kill
    with pytest.raises(KilledError):
        await here.apply(plan, approving())
    here.wire.on_change = here.wire.after_change = untouched
    again = here.restarted()
    sent = len(here.wire.changes)
    # A create whose answer was lost no read can settle; what was not made ends the plan as well.
    goes_on = when == "after it was made" and point in {2, 3, 5}
    if goes_on:
        assert (await again.apply(plan, approving())).stopped is None
        assert len(here.wire.changes) == 5
    else:
        with pytest.raises((OutcomeUnknown, Conflict), match=f"step {point}"):
            await again.apply(plan, approving())
        assert len(here.wire.changes) == sent
    paths = [path for _, path in here.wire.changes]
    assert len(paths) == len(set(paths))
    sending = [record.change for record in again.world.journal() if record.kind == "sending"]
    assert len(sending) == len(set(sending))


async def test_a_pending_plan_is_kept_for_the_next_call(here: PlanWorld) -> None:
    plan = await here.plan(Drafted("create_group", {"name": "x"}))

    class Away:
        channel = "local"
        asks_once = False
        dies_with_call = False
        answers = None

        async def ask(self, approval: Any) -> None:
            del approval
            raise ApprovalPending("not yet", hint="later")

    with pytest.raises(ApprovalPending):
        await here.apply(plan, Away())  # type: ignore[arg-type]  # its channel is a plain string
    (approval,) = here.world.storage.approvals.all()
    here.world.storage.approvals.apply(approval.id, "approve", via="page")
    assert (await here.apply(plan, Away())).stopped is None  # type: ignore[arg-type]


async def test_what_a_step_has_changed_is_still_seen_by_the_steps_after_it(here: PlanWorld) -> None:
    """Its answer has an id as well, but not of something that the plan made."""
    first, second = (await here.read("list_groups"))["data"][:2]
    plan = await here.plan(
        Drafted("update_group", {"group_id": first["id"], "name": second["name"].upper()}),
        Drafted("delete_group", {"group_id": second["id"]}),  # which has a namesake by then
    )
    applied = await here.apply(plan, approving())
    assert applied.stopped is None
    assert here.states(plan) == ["done", "done"]
