"""The gate across channels, processes and failures: who may answer what, and what is refused."""

from typing import Any

import anyio
import httpx
import pytest

from admin_mcp.api.request import build_request
from admin_mcp.channels.two_step import Confirmation, TwoStepAsk, TwoStepConfirm
from admin_mcp.errors import (
    ApprovalDenied,
    ApprovalPending,
    ApprovalUnavailable,
    Conflict,
    PolicyDenied,
    StateUnavailable,
)
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.forms import Reply
from admin_mcp.gate.policy import Channel, Policy, Rule
from tests.gate.conftest import NewWorld
from tests.gate.world import APPROVE, UPDATE, AskedError, AtOnce, Later, World

pytestmark = pytest.mark.anyio


class Elsewhere:
    """A person at this machine who decides while the call waits, in the way ``decide`` does it."""

    channel: Channel = "local"
    asks_once = False
    dies_with_call = False
    answers = None

    def __init__(self, world: World, *events: str) -> None:
        self.world = world
        self.events = events

    async def ask(self, approval: Approval) -> Reply | None:
        for event in self.events:
            self.world.storage.approvals.apply(approval.id, event, via="page")  # type: ignore[arg-type]
        return None


class Waiting:
    """A person at this machine who has not decided when the call must end."""

    channel: Channel = "local"
    asks_once = False
    dies_with_call = False
    answers = None

    def __init__(self) -> None:
        self.seen: list[Approval] = []

    async def ask(self, approval: Approval) -> Reply | None:
        self.seen.append(approval)
        raise ApprovalPending("pending", hint="wait")


async def pending(world: World, tool: str = "update_role", **arguments: Any) -> Approval:
    """Make a call that is left pending on this machine, and return its approval."""
    waiting = Waiting()
    with pytest.raises(ApprovalPending):
        await world.call(world.make(tool, **(arguments or UPDATE)), waiting)
    return waiting.seen[0]


async def test_decided_elsewhere_while_the_call_waits_it_goes_on(new_world: NewWorld) -> None:
    world = new_world()
    await world.call(world.make("update_role", **UPDATE), Elsewhere(world, "approve"))
    assert len(world.changes) == 1


@pytest.mark.parametrize("events", [("reject",), ("void",), ("expire",), ("approve", "reject"), ()])
async def test_any_other_end_of_the_wait_sends_nothing(new_world: NewWorld, events: tuple[str, ...]) -> None:
    world = new_world()
    with pytest.raises(ApprovalDenied):
        await world.call(world.make("update_role", **UPDATE), Elsewhere(world, *events))
    assert world.changes == []


async def test_approved_after_the_call_ended_the_same_call_executes_once_from_any_process(new_world: NewWorld) -> None:
    world = new_world()
    approval = await pending(world)
    world.close()
    other = new_world(beside=world)
    other.storage.approvals.apply(approval.id, "approve", via="terminal")
    await other.call(other.make("update_role", **UPDATE), Waiting())
    assert len(world.changes) == 1
    await pending(other)
    assert len(world.changes) == 1


async def test_two_processes_with_one_approval_send_one_change(new_world: NewWorld) -> None:
    first = new_world()
    second = new_world(beside=first)
    approval = await pending(first)
    first.storage.approvals.apply(approval.id, "approve")
    denied: list[Exception] = []

    async def call(world: World) -> None:
        try:
            await world.call(world.make("update_role", **UPDATE), Waiting())
        except (ApprovalDenied, ApprovalPending) as error:
            denied.append(error)

    async with anyio.create_task_group() as group:
        group.start_soon(call, first)
        group.start_soon(call, second)
    assert len(first.changes) == 1
    assert len(denied) == 1


async def test_a_target_that_changed_after_the_approval_voids_it_and_says_what_changed(new_world: NewWorld) -> None:
    world = new_world()
    approval = await pending(world)
    world.storage.approvals.apply(approval.id, "approve")
    world.names["role_1"] = "Renamed"
    with pytest.raises(Conflict, match=r"Role: “Role_1” \(role_1\) is now “Renamed” \(role_1\)"):
        await world.call(world.make("update_role", **UPDATE), Waiting())
    assert world.state(approval.id) == "void"
    assert world.changes == []
    (decided,) = [record for record in world.journal() if record.fields.get("decision") == "void"]
    assert "Renamed" in decided.fields["reason"]


async def test_a_cancelled_call_leaves_a_local_question_open(new_world: NewWorld) -> None:
    world = new_world()
    seen: list[Approval] = []

    class Slow(Waiting):
        async def ask(self, approval: Approval) -> Reply | None:
            seen.append(approval)
            scope.cancel()
            await anyio.sleep_forever()
            raise AssertionError

    with anyio.CancelScope() as scope:
        await world.call(world.make("update_role", **UPDATE), Slow())
    assert world.state(seen[0].id) == "pending"


async def test_a_question_of_one_channel_cannot_be_answered_through_another(new_world: NewWorld) -> None:
    world = new_world()
    call = world.make("update_role", **UPDATE)
    local = await pending(world)
    with pytest.raises(ApprovalDenied):
        await world.call(call, Later(local.id, APPROVE))
    with pytest.raises(ApprovalDenied):
        await world.call(call, TwoStepConfirm(Confirmation(local.id, "confirm-00000000")))
    with pytest.raises(AskedError) as asked:
        await world.call(call, Later())
    with pytest.raises(ApprovalDenied):
        await world.call(call, TwoStepConfirm(Confirmation(asked.value.approval.id, "")))
    assert world.changes == []
    assert world.state(local.id) == "pending"


async def first_step(world: World, tool: str = "update_role", **arguments: Any) -> Approval:
    with pytest.raises(ApprovalPending) as caught:
        await world.call(world.make(tool, **(arguments or UPDATE)), TwoStepAsk())
    found = world.storage.approvals.get(caught.value.message.split()[1])
    assert found
    assert found.phrase
    assert found.phrase in caught.value.hint
    assert found.preview.text in caught.value.message
    return found


async def test_in_two_steps_the_stored_request_is_sent_once(new_world: NewWorld) -> None:
    world = new_world()
    approval = await first_step(world)
    answer = TwoStepConfirm(Confirmation(approval.id, str(approval.phrase)))
    call = world.make("update_role", **UPDATE)
    await world.call(call, answer)
    with pytest.raises(ApprovalDenied):
        await world.call(call, answer)
    assert len(world.changes) == 1


async def test_a_wrong_phrase_ends_the_question(new_world: NewWorld) -> None:
    world = new_world()
    approval = await first_step(world)
    call = world.make("update_role", **UPDATE)
    for phrase in ("confirm-00000000", str(approval.phrase)):
        with pytest.raises(ApprovalDenied):
            await world.call(call, TwoStepConfirm(Confirmation(approval.id, phrase)))
    assert world.changes == []


async def test_two_steps_do_not_serve_where_a_rule_wants_a_person_here(new_world: NewWorld) -> None:
    rule = Rule("here", "confirm", effects=frozenset(["destroy"]), channel="local")
    free, strict = new_world(), None
    approval = await first_step(free, "delete_role", role_id="role_1")
    strict = new_world(beside=free, policy=Policy.standard(read_only=False, rules=[rule]))
    call = strict.make("delete_role", role_id="role_1")
    wire = build_request(call)
    answer = TwoStepConfirm(Confirmation(approval.id, str(approval.phrase)))
    with pytest.raises(ApprovalUnavailable):
        async with strict.gate.admitted(call, wire, answer) as admission:
            await strict.client.send(wire, admission.permit)
    assert strict.changes == []


async def test_a_rule_that_demands_a_channel_is_obeyed_even_with_approval_none(new_world: NewWorld) -> None:
    rule = Rule("here", "confirm", effects=frozenset(["destroy"]), channel="local")
    world = new_world(policy=Policy.standard(read_only=False, rules=[rule]), confirm=False)
    delete = world.make("delete_role", role_id="role_1")
    for person in (None, AtOnce(Reply("accept", {"decision": "approve", "typed_text": "Role_1"}), "elicit")):
        with pytest.raises(ApprovalUnavailable):
            await world.call(delete, person)
    assert world.changes == []
    await world.call(delete, Elsewhere(world, "approve"))
    await world.call(world.make("update_role", **UPDATE), None)
    assert len(world.changes) == 2


async def test_a_rule_for_one_project_decides_only_there(new_world: NewWorld) -> None:
    rule = Rule("not in production", "deny", project_ids=frozenset(["proj_1"]))
    world = new_world(policy=Policy.standard(read_only=False, rules=[rule]), confirm=False)
    for tool, arguments in (("get_project", {}), ("update_project", {"name": "x"})):
        with pytest.raises(PolicyDenied, match="not in production"):
            await world.call(world.make(tool, project_id="proj_1", **arguments), None)
        await world.call(world.make(tool, project_id="proj_2", **arguments), None)
    assert len(world.changes) == 1


# The state fails


def spoil(world: World) -> None:
    world.storage.database.path.write_bytes(b"no database" * 1000)


async def test_with_a_spoilt_state_changes_are_refused_and_reads_go_on(new_world: NewWorld) -> None:
    for confirm in (True, False):
        world = new_world(confirm=confirm)
        world.storage.journal.write("refused", "x")
        spoil(world)
        with pytest.raises(StateUnavailable, match="Nothing was sent"):
            await world.call(world.make("update_role", **UPDATE), AtOnce(APPROVE))
        assert world.changes == []
        await world.call(world.make("get_role", role_id="role_1"), None)


async def test_a_state_that_fails_while_the_person_decides_sends_nothing(new_world: NewWorld) -> None:
    world = new_world()

    def answer(_: Approval) -> Reply:
        spoil(world)
        return APPROVE

    with pytest.raises(StateUnavailable):
        await world.call(world.make("update_role", **UPDATE), AtOnce(answer))
    assert world.changes == []


async def test_a_state_that_fails_after_sending_does_not_hide_what_the_api_said(
    new_world: NewWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world = new_world()

    def answer(request: httpx.Request) -> httpx.Response:
        spoil(world)
        return httpx.Response(200, json={"id": "done"}, request=request)

    world.api.fail = answer
    await world.call(world.make("update_role", **UPDATE), AtOnce(APPROVE))
    assert len(world.changes) == 1
    assert "the journal can't be written" in caplog.text


# The journal
