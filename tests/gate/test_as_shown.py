"""What is approved is what was shown: all of it is compared again, under the lock, and before a second sending."""

from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from admin_mcp.errors import CallError, Conflict, PolicyDenied
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.forms import Reply
from admin_mcp.gate.policy import Policy, Rule
from tests.gate.conftest import NewWorld
from tests.gate.world import APPROVE, AtOnce, World

pytestmark = pytest.mark.anyio


def typing(text: str) -> Reply:
    return Reply("accept", {"decision": "approve", "typed_text": text})


def meanwhile(world: World, change: Any, reply: Reply) -> AtOnce:
    """A person who approves after something changed that they were shown."""

    def answer(_: Approval) -> Reply:
        change(world)
        return reply

    return AtOnce(answer)


def more_users(world: World) -> None:
    world.api.bodies["/organization/groups/group_1/users"] = {"data": [{"id": str(n)} for n in range(80)]}


def more_power(world: World) -> None:
    world.api.bodies["/organization/roles/role_1"] = {"id": "role_1", "name": "R", "permissions": ["a.read", "b.write"]}


def other_end(world: World) -> None:
    world.api.bodies["/organization/roles/role_1"] = {"id": "role_1", "name": "R", "description": "x" * 3000 + "b"}


def more_roles(world: World) -> None:
    world.api.bodies["/organization/groups/group_1/roles"] = {"data": [{"id": "r", "name": "Admin"}]}


def a_namesake(world: World) -> None:
    world.api.bodies["/organization/groups"] = {"data": [{"id": "group_2", "name": "GROUP_1"}], "has_more": False}


@pytest.mark.parametrize(
    ("tool", "arguments", "change", "typed"),
    [
        ("delete_group", {"group_id": "group_1"}, more_users, "Group_1"),
        ("assign_user_role", {"user_id": "user_1", "role_id": "role_1"}, more_power, "user_1"),
        ("update_role", {"role_id": "role_1", "description": "new"}, other_end, None),
        ("add_group_user", {"group_id": "group_1", "user_id": "user_1"}, more_roles, "user_1"),
        ("delete_group", {"group_id": "group_1"}, a_namesake, "Group_1"),
    ],
)
async def test_whatever_was_shown_and_is_no_longer_so_stops_the_change(
    tool: str, arguments: dict[str, Any], change: Any, typed: str | None, new_world: NewWorld
) -> None:
    world = new_world()
    world.api.bodies["/organization/roles/role_1"] = {
        "id": "role_1",
        "name": "R",
        "description": "x" * 3000 + "a",
        "permissions": ["a.read"],
    }
    reply = typing(typed) if typed else APPROVE
    with pytest.raises(Conflict, match="has changed since"):
        await world.call(world.make(tool, **arguments), meanwhile(world, change, reply))
    assert world.changes == []


async def test_the_last_look_is_taken_under_the_owners_lock(
    new_world: NewWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = new_world()
    ana = {"id": "user_1", "name": "Ana", "email": "ana@example.com", "role": "reader"}
    world.api.bodies["/organization/users/user_1"] = ana
    guardrails = world.gate.assessment.guardrails
    held = guardrails.held

    def slow(call: Any) -> Any:
        world.api.bodies["/organization/users/user_1"] = {**ana, "email": "eve@example.com"}  # while waiting for it
        return held(call)

    monkeypatch.setattr(guardrails, "held", slow)
    with pytest.raises(Conflict, match=r"ana@example\.com.* is now .*eve@example\.com"):
        await world.call(world.make("delete_user", user_id="user_1"), AtOnce(typing("ana@example.com")))
    assert world.changes == []


def busy(times: int, then: Any = None) -> Any:
    """Answer 429 a number of times, doing something meanwhile."""
    left = [times]

    def answer(request: httpx.Request) -> httpx.Response:
        if left[0]:
            left[0] -= 1
            if then is not None:
                then()
            return httpx.Response(429, json={}, headers={"retry-after": "1"}, request=request)
        return httpx.Response(200, json={"id": "done"}, request=request)

    return answer


async def at_once(_: float) -> None:
    """Wait for nothing."""


async def test_a_change_that_waits_to_be_sent_again_is_looked_at_again(new_world: NewWorld) -> None:
    world = new_world()
    world.client._sleep = at_once
    world.api.fail = busy(1, lambda: world.names.update(role_1="Owners"))
    with pytest.raises(Conflict, match=r"“Role_1” .* is now “Owners”"):
        await world.call(world.make("update_role", role_id="role_1", description="new"), AtOnce(APPROVE))
    assert len(world.changes) == 1  # the one that the API did not take
    last = world.journal()[-1]
    assert (last.kind, last.fields["outcome"]) == ("outcome", "not_sent")


async def test_a_look_that_fails_before_a_second_sending_stops_it(new_world: NewWorld) -> None:
    world = new_world()
    world.client._sleep = at_once
    world.api.fail = busy(1, lambda: world.statuses.update({"/organization/roles/role_1": 418}))
    with pytest.raises(CallError, match="was not sent again"):
        await world.call(world.make("update_role", role_id="role_1", description="new"), AtOnce(APPROVE))
    assert len(world.changes) == 1


async def test_a_change_that_still_looks_as_shown_is_sent_again(new_world: NewWorld) -> None:
    world = new_world()
    world.client._sleep = at_once
    world.api.fail = busy(2)
    await world.call(world.make("update_role", role_id="role_1", description="new"), AtOnce(APPROVE))
    assert len(world.changes) == 3
    assert world.journal()[-1].fields["outcome"] == "done"


async def test_what_changed_is_not_told_to_a_model_that_may_not_read_it(new_world: NewWorld) -> None:
    rule = Rule("no roles", "deny", tools=("get_role",))
    world = new_world(policy=Policy.standard(read_only=False, rules=[rule]))
    renamed = meanwhile(world, lambda world: world.names.update(role_1="Secret"), APPROVE)
    with pytest.raises(Conflict) as caught:
        await world.call(world.make("update_role", role_id="role_1", description="new"), renamed)
    assert "Secret" not in caught.value.message
    assert "Secret" in str(world.journal()[-2].fields)
    with pytest.raises(PolicyDenied):
        await world.call(world.make("get_role", role_id="role_1"), None)


async def test_a_call_that_is_stopped_after_its_form_was_approved_stops_the_change(new_world: NewWorld) -> None:
    world = new_world()
    call = world.make("update_role", role_id="role_1", description="new")
    judged = world.gate.assessment.judged

    with anyio.CancelScope() as scope:

        def approve(_: Approval) -> Reply:
            async def stopped(change: Any) -> Any:
                scope.cancel()
                await anyio.lowlevel.checkpoint()
                return await judged(change)

            world.gate.assessment.judged = stopped  # type: ignore[method-assign]  # the call is stopped at its last look
            return APPROVE

        await world.call(call, AtOnce(approve))
    world.gate.assessment.judged = judged  # type: ignore[method-assign]
    again = AtOnce(Reply("cancel"))
    with pytest.raises(CallError):
        await world.call(call, again)
    assert len(again.seen) == 1
    assert world.changes == []


async def test_a_change_whose_claim_had_to_wait_is_looked_at_once_more(
    new_world: NewWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = new_world()
    monkeypatch.setattr("admin_mcp.gate.sending._LATE_SECONDS", -1.0)
    claim = world.storage.approvals.claim

    def slow(*given: Any) -> Any:
        world.names["role_1"] = "Owners"
        return claim(*given)

    object.__setattr__(world.storage.approvals, "claim", slow)
    with pytest.raises(Conflict, match="is now “Owners”"):
        await world.call(world.make("update_role", role_id="role_1", description="new"), AtOnce(APPROVE))
    assert world.changes == []
    assert world.journal()[-1].fields["outcome"] == "not_sent"


async def test_the_order_in_which_the_api_lists_things_is_no_difference(new_world: NewWorld) -> None:
    world = new_world()
    role = {"id": "role_1", "name": "R", "permissions": ["a.read", "b.write"]}
    world.api.bodies["/organization/roles/role_1"] = role

    def turn(world: World) -> None:
        world.api.bodies["/organization/roles/role_1"] = {**role, "permissions": ["b.write", "a.read"]}

    call = world.make("assign_user_role", user_id="user_1", role_id="role_1")
    await world.call(call, meanwhile(world, turn, typing("user_1")))
    assert len(world.changes) == 1


async def test_a_count_that_can_not_be_read_just_now_keeps_the_approval(new_world: NewWorld) -> None:
    world = new_world()
    call = world.make("delete_group", group_id="group_1")

    def trouble(world: World) -> None:
        world.statuses["/organization/groups/group_1/users"] = 418

    with pytest.raises(CallError):
        await world.call(call, meanwhile(world, trouble, typing("Group_1")))
    world.statuses.clear()
    unneeded = AtOnce(Reply("decline"))
    await world.call(call, unneeded)
    assert unneeded.seen == []
    assert len(world.changes) == 1
