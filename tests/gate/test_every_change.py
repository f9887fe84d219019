"""Every changing tool, where there is something and where there is nothing yet, however a person is asked."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from admin_mcp.channels.two_step import Confirmation, TwoStepAsk, TwoStepConfirm
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.errors import ApprovalPending, CallError, Conflict, NotFound
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.forms import Reply
from admin_mcp.gate.policy import Channel, Guardrails, Policy
from admin_mcp.sandbox.gateway import Gateway
from admin_mcp.sandbox.transport import SandboxTransport
from tests.contract.cases import CASES, Case
from tests.contract.examples import smallest
from tests.gate.conftest import NewWorld
from tests.gate.world import AtOnce, World
from tests.sandbox.walk import accepted, organization

pytestmark = pytest.mark.anyio

CHANGING = [pytest.param(case, id=case.name) for case in CASES if case.documented.method != "GET"]
POLICY = Policy.standard(read_only=False, guardrails=Guardrails(last_owner=False, own_key=False))
FIRST_VALUES = {
    "update_organization_data_retention",
    "update_organization_spend_limit",
    "update_project_data_retention",
    "update_project_hosted_tool_permissions",
    "update_project_model_permissions",
    "update_project_service_tier_settings",
    "update_project_spend_limit",
}


def approve(approval: Approval) -> Reply:
    typed = approval.preview.typed
    return Reply("accept", {"decision": "approve", **({"typed_text": typed[0]} if typed else {})})


class Here:
    """A person on this machine who approves."""

    channel: Channel = "local"
    asks_once = False
    dies_with_call = False
    answers = None

    def __init__(self, world: World) -> None:
        self.world = world
        self.seen: list[Approval] = []

    async def ask(self, approval: Approval) -> Reply | None:
        self.seen.append(approval)
        self.world.storage.approvals.apply(approval.id, "approve", via="page")
        return None


async def by_form(world: World, call: Endpoint) -> list[Approval]:
    person = AtOnce(approve)
    await world.call(call, person)
    return person.seen


async def on_this_machine(world: World, call: Endpoint) -> list[Approval]:
    person = Here(world)
    await world.call(call, person)
    return person.seen


async def in_two_steps(world: World, call: Endpoint) -> list[Approval]:
    try:
        await world.call(call, TwoStepAsk())
    except ApprovalPending as pending:
        approval = world.storage.approvals.get(pending.message.split()[1])
        assert approval
        stored = world.make(approval.question.tool, **approval.question.arguments)
        await world.call(stored, TwoStepConfirm(Confirmation(approval.id, str(approval.phrase))))
        return [approval]
    raise AssertionError("nobody was asked")


async def unasked(world: World, call: Endpoint) -> list[Approval]:
    await world.call(call, None)
    return []


WAYS: dict[str, Callable[[World, Endpoint], Any]] = {
    "elicit": by_form,
    "local": on_this_machine,
    "two-step": in_two_steps,
    "none": unasked,
}


async def is_so_already(world: World, call: Endpoint) -> bool:
    """Whether an update sets what is set: nobody is asked about that."""
    read = world.catalog.find(f"GET {type(call).SPEC.path}")
    if type(call).SPEC.effect != "update" or read is None:
        return False
    places = {name: getattr(call, name) for name in type(call).SPEC.path_fields}
    try:
        state = await world.connection.read_alone(read.model_validate(places))
    except NotFound:
        return False
    given = call.model_dump(mode="json", exclude_unset=True, exclude=set(places))
    return all(value == state.get(name, state.get(name.rpartition("_")[2])) for name, value in given.items())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CHANGING)
async def test_where_something_is_there_the_change_is_made(case: Case, way: str, new_world: NewWorld) -> None:
    org = organization()
    call, _ = accepted(organization(), case)
    world = new_world(policy=POLICY, confirm=way != "none", transport=SandboxTransport(Gateway(org)))
    if way != "none" and await is_so_already(world, call):
        with pytest.raises(Conflict, match="Nothing would change"):
            await WAYS[way](world, call)
        return
    await WAYS[way](world, call)
    last = world.journal()[-1]
    assert (last.kind, last.fields["outcome"]) == ("outcome", "done")


class Nothing(httpx.AsyncBaseTransport):
    """An organization with one project, and nothing in it. It takes every change."""

    def __init__(self) -> None:
        self.changes = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1/organization").removeprefix("/v1")
        if request.method != "GET":
            self.changes += 1
            return httpx.Response(200, json={"id": "done"}, request=request)
        if path.startswith("/projects/") and path.count("/") == 2:
            return httpx.Response(200, json={"id": path.rpartition("/")[2], "name": "Billing"}, request=request)
        if path.rpartition("/")[2] in {"users", "groups", "roles", "projects", "api_keys", "service_accounts"}:
            return httpx.Response(200, json={"data": [], "has_more": False}, request=request)
        return httpx.Response(404, json={"error": {"message": "nothing"}}, request=request)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "none"])
@pytest.mark.parametrize("case", CHANGING)
async def test_where_nothing_is_there_a_first_value_is_set_and_what_needs_a_thing_says_so(
    case: Case, way: str, new_world: NewWorld
) -> None:
    nothing = Nothing()
    world = new_world(policy=POLICY, transport=nothing)
    call = world.make(case.name, **smallest(case.documented))
    seen: list[Approval] = []
    try:
        seen = await WAYS[way](world, call)
    except NotFound:
        assert nothing.changes == 0
        assert [record.kind for record in world.journal()] == ["refused"]
        assert case.name not in FIRST_VALUES
        assert case.documented.path_params or case.documented.method == "DELETE"
        return
    assert nothing.changes == 1
    if case.name in FIRST_VALUES:
        assert "Now: not set" in seen[0].preview.lines
        assert " now)" in seen[0].preview.title or "Change the data retention" in seen[0].preview.title


@pytest.mark.parametrize("way", [way for way in WAYS if way != "none"])
@pytest.mark.parametrize("name", sorted(name for name in FIRST_VALUES if "_project_" in name))
async def test_a_first_value_in_a_missing_project_is_not_found(name: str, way: str, new_world: NewWorld) -> None:
    case = next(case for case in CASES if case.name == name)

    class NoProject(Nothing):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "GET":
                return httpx.Response(404, json={}, request=request)
            return await super().handle_async_request(request)

    nothing = NoProject()
    world = new_world(policy=POLICY, transport=nothing)
    with pytest.raises(NotFound):
        await WAYS[way](world, world.make(name, **smallest(case.documented)))
    assert nothing.changes == 0


async def test_what_is_not_set_can_not_be_deleted(new_world: NewWorld) -> None:
    world = new_world(policy=POLICY, transport=Nothing())
    for tool, arguments in (
        ("delete_organization_spend_limit", {}),
        ("delete_project_spend_limit", {"project_id": "p"}),
        ("delete_project_model_permissions", {"project_id": "p"}),
    ):
        with pytest.raises(CallError, match="404"):
            await by_form(world, world.make(tool, **arguments))
    assert [record.kind for record in world.journal()] == ["refused"] * 3
