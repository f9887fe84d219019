"""The gate's verdicts: who gets through, who doesn't, and what leaves in each case."""

import anyio
import pytest

from admin_mcp.errors import (
    ApiError,
    ApprovalDenied,
    ApprovalPending,
    ApprovalUnavailable,
    CallError,
    Conflict,
    InvalidInput,
    NotFound,
    PolicyDenied,
)
from admin_mcp.gate.approval import APPROVED_SECONDS, PENDING_SECONDS, REJECTED_SECONDS, Approval
from admin_mcp.gate.forms import Reply
from admin_mcp.gate.policy import CHANGES, Policy, Rule
from tests.gate.conftest import NewWorld
from tests.gate.world import APPROVE, REJECT, AskedError, AtOnce, Later

pytestmark = pytest.mark.anyio

READ = ("get_role", {"role_id": "role_1"})
UPDATE = ("update_role", {"role_id": "role_1", "description": "new"})
DELETE = ("delete_role", {"role_id": "role_1"})
ALLOW_ALL = Policy((Rule("allow all", "allow"),))
DENY_ALL = Policy((Rule("deny all", "deny"),))
NO_RULES = Policy(())

TYPED = Reply("accept", {"decision": "approve", "typed_text": "Role_1"})
WHY = Policy.standard(read_only=False, rules=[Rule("say why", "confirm", effects=CHANGES, reason=True)])


def because(reason: object, **more: object) -> AtOnce:
    return AtOnce(Reply("accept", {"decision": "approve", "reason": reason, **more}))


@pytest.mark.parametrize(
    ("call", "policy", "confirm", "person", "refusal"),
    [
        # reads
        (READ, None, True, None, None),
        (READ, DENY_ALL, True, None, PolicyDenied),
        (READ, DENY_ALL, False, None, PolicyDenied),
        (READ, NO_RULES, True, None, PolicyDenied),
        # changes that need no person
        (UPDATE, ALLOW_ALL, True, None, None),
        (DELETE, ALLOW_ALL, True, None, None),
        (UPDATE, None, False, None, None),
        (DELETE, None, False, None, None),
        (UPDATE, DENY_ALL, False, AtOnce(APPROVE), PolicyDenied),
        (UPDATE, Policy.standard(read_only=True), False, AtOnce(APPROVE), PolicyDenied),
        (UPDATE, NO_RULES, True, AtOnce(APPROVE), PolicyDenied),
        # changes that need one
        (UPDATE, None, True, None, ApprovalUnavailable),
        (UPDATE, None, True, AtOnce(APPROVE), None),
        (UPDATE, None, True, AtOnce(REJECT), ApprovalDenied),
        (UPDATE, None, True, AtOnce(Reply("decline")), ApprovalDenied),
        (UPDATE, None, True, AtOnce(Reply("cancel")), ApprovalDenied),
        (UPDATE, None, True, AtOnce(Reply("accept", None)), ApprovalDenied),
        (UPDATE, None, True, AtOnce(Reply("accept", {})), ApprovalDenied),
        (UPDATE, None, True, AtOnce(Reply("accept", {"decision": "Approve"})), ApprovalDenied),
        (UPDATE, None, True, AtOnce(Reply("accept", {"decision": True})), ApprovalDenied),
        (UPDATE, None, True, AtOnce(Reply("accept", {"decision": "approve", "all": True})), ApprovalDenied),
        (UPDATE, None, True, AtOnce(Reply("decline", {"decision": "approve"})), ApprovalDenied),
        # changes that need text
        (DELETE, None, True, AtOnce(APPROVE), ApprovalDenied),
        (DELETE, None, True, AtOnce(Reply("accept", {"decision": "approve", "typed_text": "role"})), ApprovalDenied),
        (DELETE, None, True, AtOnce(Reply("accept", {"decision": "approve", "typed_text": None})), ApprovalDenied),
        (DELETE, None, True, AtOnce(TYPED), None),
        # changes whose rule demands a reason
        (UPDATE, WHY, True, because("asked for in review 7"), None),
        (UPDATE, WHY, True, because("\u05db\u05d9 \u05db\u05df\u05d5"), None),
        (UPDATE, WHY, True, because("yes" + "." * 497), None),
        (UPDATE, WHY, True, because("yes" + "." * 498), ApprovalDenied),
        (UPDATE, WHY, True, because("no"), ApprovalDenied),
        (UPDATE, WHY, True, because("  a  \n "), ApprovalDenied),
        (UPDATE, WHY, True, because(""), ApprovalDenied),
        (UPDATE, WHY, True, because(None), ApprovalDenied),
        (UPDATE, WHY, True, because(["why"]), ApprovalDenied),
        (UPDATE, WHY, True, because("a\u200bb\u202ec"), ApprovalDenied),
        (UPDATE, WHY, True, because("\u2800\u2800\u2800"), ApprovalDenied),
        (UPDATE, WHY, True, because("a good reason", decision="reject"), ApprovalDenied),
        (UPDATE, WHY, True, because("a good reason", note="x"), ApprovalDenied),
        (UPDATE, WHY, True, AtOnce(APPROVE), ApprovalDenied),
        (UPDATE, WHY, True, None, ApprovalUnavailable),
        (UPDATE, WHY, False, None, ApprovalUnavailable),
        (UPDATE, None, True, because("nobody wanted one"), ApprovalDenied),
        (DELETE, WHY, True, because("it is unused"), ApprovalDenied),
        (DELETE, WHY, True, AtOnce(TYPED), ApprovalDenied),
        (DELETE, WHY, True, because("it is unused", typed_text="Role_1"), None),
    ],
)
async def test_the_verdict_table(
    call: tuple[str, dict[str, object]],
    policy: Policy | None,
    confirm: bool,
    person: AtOnce | None,
    refusal: type[CallError] | None,
    new_world: NewWorld,
) -> None:
    world = new_world(policy=policy, confirm=confirm)
    tool, arguments = call
    made = world.make(tool, **arguments)
    if refusal is None:
        await world.call(made, person)
        assert len(world.changes) == (tool != "get_role")
    else:
        with pytest.raises(refusal) as caught:
            await world.call(made, person)
        assert type(caught.value) is refusal
        assert world.changes == []


@pytest.mark.parametrize("status", [200, 403, 404, 500])
async def test_a_change_that_needs_no_approval_is_read_once_to_be_undone_and_sent_all_the_same(
    new_world: NewWorld, status: int
) -> None:
    world = new_world(policy=ALLOW_ALL)
    world.statuses["/organization/roles/role_1"] = status
    await world.call(world.make(*UPDATE[:1], **UPDATE[1]), None)
    assert set(world.reads) == {"/organization/roles/role_1"}
    assert len(world.changes) == 1
    before = next(record for record in world.journal() if record.kind == "sending").fields["before"]
    assert ("not_kept" in before) is (status != 200)


async def test_a_denial_names_its_rule(new_world: NewWorld) -> None:
    world = new_world(policy=DENY_ALL)
    with pytest.raises(PolicyDenied, match="deny all"):
        await world.call(world.make("get_role", role_id="r"), None)


async def test_an_approval_given_for_one_call_does_not_fit_another(new_world: NewWorld) -> None:
    world = new_world()
    with pytest.raises(AskedError) as asked:
        await world.call(world.make("update_role", role_id="role_1", description="new"), Later())
    with pytest.raises(ApprovalDenied):
        await world.call(
            world.make("update_role", role_id="role_2", description="new"), Later(asked.value.approval.id, APPROVE)
        )
    assert world.changes == []


async def test_a_change_is_shown_whole_or_refused(new_world: NewWorld) -> None:
    world = new_world()
    long = [*("api.groups.read" for _ in range(500)), "api.everything.write"]
    person = AtOnce(APPROVE)
    await world.call(world.make("create_role", role_name="x", permissions=long), person)
    assert person.seen[0].preview.text.count("api.everything.write") == 2
    with pytest.raises(InvalidInput, match="longer than"):
        await world.call(world.make("create_role", role_name="x", permissions=long * 4), person)
    assert len(world.changes) == len(person.seen) == 1


async def test_an_answer_with_a_made_up_id_is_refused(new_world: NewWorld) -> None:
    world = new_world()
    with pytest.raises(ApprovalDenied):
        await world.call(world.make("update_role", role_id="role_1", description="new"), Later("made-up", APPROVE))
    assert world.changes == []


async def test_identical_calls_share_one_open_question(new_world: NewWorld) -> None:
    world = new_world()
    ids = set()
    for _ in range(3):
        with pytest.raises(AskedError) as asked:
            await world.call(world.make("update_role", role_id="role_1", description="new"), Later())
        ids.add(asked.value.approval.id)
    assert len(ids) == 1


async def test_the_second_of_two_simultaneous_identical_calls_does_not_ask_twice(new_world: NewWorld) -> None:
    world = new_world()
    call = world.make("update_role", role_id="role_1", description="new")
    refused: list[CallError] = []

    class Slow(AtOnce):
        async def ask(self, approval: Approval) -> Reply | None:
            with pytest.raises(ApprovalPending) as second:
                await world.call(call, AtOnce(APPROVE))
            refused.append(second.value)
            return await super().ask(approval)

    await world.call(call, Slow(APPROVE))
    assert len(refused) == 1
    assert len(world.changes) == 1


async def test_a_second_answer_to_the_same_question_is_refused(new_world: NewWorld) -> None:
    world = new_world()
    call = world.make("update_role", role_id="role_1", description="new")
    with pytest.raises(AskedError) as asked:
        await world.call(call, Later())
    answer = Later(asked.value.approval.id, APPROVE)
    await world.call(call, answer)
    with pytest.raises(ApprovalDenied):
        await world.call(call, answer)
    assert len(world.changes) == 1


async def test_an_answer_after_ten_minutes_is_too_late(new_world: NewWorld) -> None:
    world = new_world()
    call = world.make("update_role", role_id="role_1", description="new")
    with pytest.raises(AskedError) as asked:
        await world.call(call, Later())
    world.now += PENDING_SECONDS
    with pytest.raises(ApprovalDenied):
        await world.call(call, Later(asked.value.approval.id, APPROVE))
    assert world.changes == []


async def test_a_form_answered_too_late_is_refused(new_world: NewWorld) -> None:
    world = new_world()

    def dawdle(_: Approval) -> Reply:
        world.now += PENDING_SECONDS
        return APPROVE

    with pytest.raises(ApprovalDenied):
        await world.call(world.make("update_role", role_id="role_1", description="new"), AtOnce(dawdle))
    assert world.changes == []


async def test_a_rejection_stands_for_ten_minutes(new_world: NewWorld) -> None:
    world = new_world()
    call = world.make("update_role", role_id="role_1", description="new")
    with pytest.raises(ApprovalDenied):
        await world.call(call, AtOnce(REJECT))
    second = AtOnce(APPROVE)
    with pytest.raises(ApprovalDenied):
        await world.call(call, second)
    assert second.seen == []
    world.now += REJECTED_SECONDS
    await world.call(call, second)
    assert len(world.changes) == 1


async def test_a_renamed_target_does_not_lift_a_rejection(new_world: NewWorld) -> None:
    world = new_world()
    call = world.make("update_role", role_id="role_1", description="new")
    with pytest.raises(ApprovalDenied):
        await world.call(call, AtOnce(REJECT))
    world.names["role_1"] = "Renamed"
    with pytest.raises(ApprovalDenied, match="rejected this same change"):
        await world.call(call, AtOnce(APPROVE))


async def test_a_target_renamed_before_the_answer_voids_the_question(new_world: NewWorld) -> None:
    world = new_world()
    call = world.make("update_role", role_id="role_1", description="new")

    def rename(_: Approval) -> Reply:
        world.names["role_1"] = "Renamed"
        return APPROVE

    with pytest.raises(Conflict, match=r"“Role_1” .* is now “Renamed”"):
        await world.call(call, AtOnce(rename))
    assert world.changes == []
    await world.call(call, AtOnce(APPROVE))
    assert len(world.changes) == 1


async def test_a_volatile_field_is_no_drift(new_world: NewWorld) -> None:
    world = new_world()

    def wait(_: Approval) -> Reply:
        world.now += 1  # last_used_at follows the clock
        return APPROVE

    await world.call(world.make("update_role", role_id="role_1", description="new"), AtOnce(wait))
    assert len(world.changes) == 1


async def test_an_approval_that_met_a_failing_recheck_can_be_used_for_five_minutes(new_world: NewWorld) -> None:
    world = new_world()
    call = world.make("update_role", role_id="role_1", description="new")

    def break_reads(_: Approval) -> Reply:
        world.statuses["/organization/roles/role_1"] = 418
        return APPROVE

    with pytest.raises(ApiError):
        await world.call(call, AtOnce(break_reads))
    assert world.changes == []
    world.statuses.clear()
    world.now += APPROVED_SECONDS - 1
    unneeded = AtOnce(REJECT)
    await world.call(call, unneeded)
    assert unneeded.seen == []
    assert len(world.changes) == 1


async def test_an_unused_approval_ends_after_five_minutes(new_world: NewWorld) -> None:
    world = new_world()
    call = world.make("update_role", role_id="role_1", description="new")

    def break_reads(_: Approval) -> Reply:
        world.statuses["/organization/roles/role_1"] = 418
        return APPROVE

    with pytest.raises(ApiError):
        await world.call(call, AtOnce(break_reads))
    world.statuses.clear()
    world.now += APPROVED_SECONDS
    asked = AtOnce(Reply("decline"))
    with pytest.raises(ApprovalDenied):
        await world.call(call, asked)
    assert len(asked.seen) == 1


async def test_an_unreadable_target_is_shown_as_such_and_may_be_changed(new_world: NewWorld) -> None:
    world = new_world()
    world.statuses["/organization/roles/role_1"] = 403
    person = AtOnce(APPROVE)
    await world.call(world.make("update_role", role_id="role_1", description="new"), person)
    assert "unreadable" in person.seen[0].preview.text
    assert len(world.changes) == 1


async def test_a_target_that_is_not_there_refuses_the_change_unasked(new_world: NewWorld) -> None:
    world = new_world()
    world.statuses["/organization/roles/role_1"] = 404
    person = AtOnce(APPROVE)
    with pytest.raises(NotFound):
        await world.call(world.make("update_role", role_id="role_1", description="new"), person)
    assert person.seen == []


async def test_a_cancelled_call_voids_its_question(new_world: NewWorld) -> None:
    world = new_world()
    call = world.make("update_role", role_id="role_1", description="new")
    opened: list[Approval] = []

    class Silent(AtOnce):
        async def ask(self, approval: Approval) -> Reply | None:
            opened.append(approval)
            scope.cancel()
            await anyio.sleep_forever()
            raise AssertionError

    with anyio.CancelScope() as scope:
        await world.call(call, Silent(APPROVE))
    voided = world.storage.approvals.get(opened[0].id)
    assert voided is not None
    assert voided.state == "void"
    with pytest.raises(ApprovalDenied):
        await world.call(call, Later(opened[0].id, APPROVE))
    assert world.changes == []


async def test_a_sandbox_approval_never_fits_a_real_call(new_world: NewWorld) -> None:
    sandbox = new_world(system="sandbox")
    real = new_world(system="real", beside=sandbox)
    call = sandbox.make("update_role", role_id="role_1", description="new")
    with pytest.raises(AskedError) as asked:
        await sandbox.call(call, Later())
    with pytest.raises(ApprovalDenied):
        await real.call(call, Later(asked.value.approval.id, APPROVE))
    assert real.changes == []
