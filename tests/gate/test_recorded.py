"""What happens to a change is recorded before and after it, however it ends."""

from typing import Any

import anyio
import httpx
import pytest

from admin_mcp.api.request import build_request
from admin_mcp.errors import (
    ApiError,
    ApprovalDenied,
    NetworkError,
    OutcomeUnknown,
    PolicyDenied,
)
from admin_mcp.gate.forms import Reply
from admin_mcp.gate.policy import Policy, Rule
from admin_mcp.tools.plan_tools import as_change
from tests.gate.conftest import NewWorld
from tests.gate.world import APPROVE, REJECT, UPDATE, AtOnce, Only, World

pytestmark = pytest.mark.anyio


def kinds(world: World) -> list[str]:
    return [record.kind for record in world.journal()]


async def test_an_approved_change_is_recorded_before_and_after(new_world: NewWorld) -> None:
    world = new_world()
    seen: list[list[str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(kinds(world))
        return httpx.Response(200, json={"id": "done"}, headers={"x-request-id": "req_7"}, request=request)

    world.api.fail = answer
    await world.call(world.make("update_role", **UPDATE), AtOnce(APPROVE))
    assert seen == [["asked", "decided", "sending"]]
    asked, decided, sending, outcome = world.journal()
    assert len({record.change for record in world.journal()}) == 1
    assert "“old” -> “new”" in asked.fields["preview"]
    assert (asked.fields["tool"], asked.fields["channel"]) == ("update_role", "elicit")
    assert (decided.fields["decision"], decided.fields["via"]) == ("approved", "elicit")
    assert sending.fields["request"] == "POST /organization/roles/role_1"
    assert sending.fields["target"] == "the test system"
    assert (outcome.fields["outcome"], outcome.fields["request_id"]) == ("done", "req_7")


async def test_a_change_that_nobody_was_asked_about_says_by_what_it_was_allowed(new_world: NewWorld) -> None:
    world = new_world(confirm=False)
    await world.call(world.make("update_role", **UPDATE), None)
    allowed = new_world(beside=world, policy=Policy.standard(read_only=False, rules=[Rule("mine", "allow")]))
    await allowed.call(world.make("update_role", **UPDATE), None)
    sending = [record.fields for record in world.journal() if record.kind == "sending"]
    assert [fields["allowed_by"] for fields in sending] == ["--approval none", "mine"]
    assert sending[0]["body"] == '{"description":"new"}'


def refuse(request: httpx.Request) -> httpx.Response:
    return httpx.Response(422, json={"error": {"message": "bad description"}}, request=request)


def crash(request: httpx.Request) -> httpx.Response:
    return httpx.Response(500, json={}, request=request)


def cut(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("gone", request=request)


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no", request=request)


@pytest.mark.parametrize(
    ("fail", "error", "outcome"),
    [
        (refuse, ApiError, "refused"),
        (crash, OutcomeUnknown, "outcome_unknown"),
        (cut, OutcomeUnknown, "outcome_unknown"),
        (unreachable, NetworkError, "not_sent"),
    ],
)
async def test_each_way_a_sent_change_can_end_is_recorded_and_kept_for_the_page(
    new_world: NewWorld, fail: Any, error: type[Exception], outcome: str
) -> None:
    world = new_world()

    async def at_once(_: float) -> None:
        return None

    world.client._sleep = at_once
    world.api.fail = fail
    with pytest.raises(error):
        await world.call(world.make("update_role", **UPDATE), AtOnce(APPROVE))
    last = world.journal()[-1]
    assert (last.kind, last.fields["outcome"]) == ("outcome", outcome)
    found = world.storage.approvals.get(last.change)
    assert found
    assert found.result
    assert found.result.outcome == outcome


@pytest.mark.parametrize(("sent", "outcome"), [(True, "outcome_unknown"), (False, "not_sent")])
async def test_a_call_cancelled_while_sending_is_recorded(new_world: NewWorld, sent: bool, outcome: str) -> None:
    world = new_world()
    call = world.make("update_role", **UPDATE)
    wire = build_request(call)
    with anyio.CancelScope() as scope:
        async with world.gate.admitted(call, wire, Only(AtOnce(APPROVE))) as admission:
            if sent:
                world.permits.redeem(admission.permit, wire.digest(world.target.system))
            scope.cancel()
            await anyio.sleep_forever()
    last = world.journal()[-1]
    assert (last.kind, last.fields["outcome"]) == ("outcome", outcome)


async def test_refusals_are_recorded_with_their_reason(new_world: NewWorld) -> None:
    denying = new_world(policy=Policy.standard(read_only=False, rules=[Rule("no", "deny", tools=("delete_*",))]))
    with pytest.raises(PolicyDenied):
        await denying.call(denying.make("delete_role", role_id="role_1"), None)
    with pytest.raises(ApprovalDenied):
        await denying.call(denying.make("update_role", **UPDATE), AtOnce(REJECT))
    refused = [record.fields for record in denying.journal() if record.kind == "refused"]
    assert [(fields["tool"], fields["reason"]) for fields in refused] == [
        ("delete_role", "policy_denied"),
        ("update_role", "approval_denied"),
    ]


async def test_every_record_names_the_system_it_is_of(new_world: NewWorld) -> None:
    world = new_world()
    await world.call(world.make("update_role", **UPDATE), AtOnce(APPROVE))
    with pytest.raises(ApprovalDenied):
        await world.call(world.make("update_role", **{**UPDATE, "description": "other"}), AtOnce(REJECT))
    unasked = new_world(confirm=False, beside=world)
    await unasked.call(unasked.make("update_role", **UPDATE), None)
    world.storage.journal.write("sending", "lost", by="x", target=world.target.label)
    assert world.storage.journal.settle(lambda _: True)
    found = world.journal()
    assert {record.kind for record in found} == {"asked", "decided", "sending", "outcome", "refused"}
    assert {record.fields.get("target") for record in found} == {"the test system"}


async def test_a_model_is_told_of_a_change_that_was_never_sent_only_what_it_was_about(new_world: NewWorld) -> None:
    world = new_world(policy=Policy.standard(read_only=False, rules=[Rule("no", "deny", tools=("delete_*",))]))
    with pytest.raises(PolicyDenied):
        await world.call(world.make("delete_role", role_id="role_secret"), None)
    told = as_change(world.journal(), world.gate)
    assert (told["tool"], told["state"]) == ("delete_role", "refused")
    assert "role_secret" not in str(told)


async def test_a_denied_read_and_a_read_only_server_write_nothing(new_world: NewWorld) -> None:
    world = new_world(policy=Policy.standard(read_only=True, rules=[Rule("no", "deny", tools=("get_role",))]))
    for tool in ("get_role", "delete_role"):
        with pytest.raises(PolicyDenied):
            await world.call(world.make(tool, role_id="role_1"), None)
    assert not world.storage.database.exists


async def test_blast_radius_is_shown_and_never_blocks(new_world: NewWorld) -> None:
    world = new_world()
    listed = "/organization/groups/group_1/users"
    typed = Reply("accept", {"decision": "approve", "typed_text": "Group_1"})
    delete = world.make("delete_group", group_id="group_1")
    shown: list[str] = []
    for body, status in (
        ({"data": [{}, {}], "has_more": False}, 200),
        ({"data": [{}] * 100, "has_more": True}, 200),
        ({"data": None}, 200),
        ({}, 403),
    ):
        world.api.bodies[listed], world.statuses[listed] = body, status
        person = AtOnce(typed)
        await world.call(delete, person)
        shown.append(person.seen[0].preview.affected["users"])
    unknown = "unknown (could not be read)"
    assert shown == ["2", "100 or more", unknown, unknown]
    assert len(world.changes) == 4
