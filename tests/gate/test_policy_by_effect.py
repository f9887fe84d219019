"""Rules judge what a call does and every project it is about, also where that must be read first."""

from typing import Any

import httpx
import pytest

from admin_mcp.channels.two_step import TwoStepAsk
from admin_mcp.errors import ApprovalPending, ApprovalUnavailable, Conflict, PolicyDenied
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.forms import Reply
from admin_mcp.gate.policy import Policy, Rule
from tests.gate.conftest import NewWorld
from tests.gate.world import AtOnce, World

pytestmark = pytest.mark.anyio

UPDATES = Rule("updates are free", "allow", effects=frozenset(["update"]))
NOT_P = Rule("not in p", "deny", project_ids=frozenset(["p"]))
ROLE = {"id": "r", "name": "R", "permissions": ["a.read", "b.read"], "predefined_role": False}


def policy(*rules: Rule) -> Policy:
    return Policy.standard(read_only=False, rules=rules)


@pytest.mark.parametrize(
    ("tool", "arguments", "passes"),
    [
        ("update_group", {"group_id": "g", "name": "x"}, True),
        ("update_user", {"user_id": "u", "technical_level": "x"}, True),
        ("update_user", {"user_id": "u", "role": "reader"}, True),
        ("update_user", {"user_id": "u", "role": "owner"}, False),
        ("update_user", {"user_id": "u", "role_id": "r"}, False),
        ("update_project_user", {"project_id": "p", "user_id": "u", "role": "owner"}, False),
        ("update_role", {"role_id": "r", "permissions": ["a.read"]}, True),
        ("update_role", {"role_id": "r", "permissions": ["a.read", "c.write"]}, False),
        ("update_role", {"role_id": "r", "role_name": "x"}, True),
        (
            "update_workload_identity_provider",
            {"workload_identity_provider_id": "w", "issuer": "https://elsewhere.example"},
            False,
        ),
        ("update_workload_identity_provider", {"workload_identity_provider_id": "w", "name": "x"}, True),
    ],
)
async def test_an_allowance_for_updates_lets_no_grant_through(
    tool: str, arguments: dict[str, Any], passes: bool, new_world: NewWorld
) -> None:
    world = new_world(policy=policy(UPDATES))
    world.api.bodies["/organization/roles/r"] = ROLE
    world.api.bodies["/organization/users/u"] = {"id": "u", "email": "ana@example.com", "role": "owner"}
    if arguments.get("role") == "owner":
        world.api.bodies["/organization/users/u"]["role"] = "reader"
    world.api.bodies["/organization/users"] = {"data": [{"id": "v", "role": "owner"}], "has_more": False}
    call = world.make(tool, **arguments)
    if passes:
        await world.call(call, None)
        assert len(world.changes) == 1
    else:
        with pytest.raises(ApprovalUnavailable):
            await world.call(call, None)
        assert world.changes == []


async def refused(world: World, tool: str, **arguments: Any) -> None:
    with pytest.raises(PolicyDenied, match="not in p"):
        await world.call(world.make(tool, **arguments), None)


INVITED = {"email": "a@example.com", "role": "reader"}
RULE = {"workload_identity_provider_id": "w", "service_account_id": "s", "attribute_matchers": {}}
AWS = {"type": "aws", "bucket": "b", "role_arn": "a"}


@pytest.mark.parametrize(
    ("tool", "inside", "outside"),
    [
        (
            "create_invite",
            {**INVITED, "projects": [{"id": "q", "role": "member"}, {"id": "p", "role": "member"}]},
            {**INVITED, "projects": [{"id": "q", "role": "member"}]},
        ),
        ("create_federation_rule", {**RULE, "project_id": "p"}, {**RULE, "project_id": "q"}),
        ("create_external_storage", {"project_id": "p", "provider": AWS}, {"project_id": "q", "provider": AWS}),
        ("get_costs", {"start_time": 1, "project_ids": ["q", "p"]}, {"start_time": 1, "project_ids": ["q"]}),
    ],
)
async def test_a_project_is_found_wherever_a_call_names_it(
    tool: str, inside: dict[str, Any], outside: dict[str, Any], new_world: NewWorld
) -> None:
    world = new_world(policy=policy(NOT_P), confirm=False)
    await refused(world, tool, **inside)
    assert world.changes == []
    await world.call(world.make(tool, **outside), None)


async def test_a_thing_that_belongs_to_a_project_is_covered_by_the_project_s_rule(new_world: NewWorld) -> None:
    world = new_world(policy=policy(NOT_P), confirm=False)
    for path, body in (
        ("/organization/invites/i", {"id": "i", "projects": [{"id": "p"}]}),
        ("/organization/external_storage/e", {"id": "e", "project_id": "p"}),
        ("/organization/workload_identity_providers/w/federation_rules/f", {"id": "f", "project_id": "p"}),
        ("/organization/external_keys/x", {"id": "x", "api_project_ids": ["q", "p"]}),
    ):
        world.api.bodies[path] = body
    rule = {"workload_identity_provider_id": "w", "workload_identity_federation_rule_id": "f"}
    for tool, arguments in (
        ("delete_invite", {"invite_id": "i"}),
        ("get_invite", {"invite_id": "i"}),
        ("delete_external_storage", {"external_storage_id": "e"}),
        ("validate_external_storage", {"external_storage_id": "e"}),
        ("get_external_storage", {"external_storage_id": "e"}),
        ("update_federation_rule", {**rule, "name": "x"}),
        ("delete_federation_rule", rule),
        ("get_federation_rule", rule),
        ("delete_external_key", {"external_key_id": "x"}),
    ):
        await refused(world, tool, **arguments)
    assert world.changes == []
    world.api.bodies["/organization/invites/i"] = {"id": "i", "projects": [{"id": "q"}]}
    await world.call(world.make("delete_invite", invite_id="i"), None)
    assert len(world.changes) == 1


async def test_a_thing_whose_project_can_not_be_read_is_refused_where_a_rule_would_need_to_know(
    new_world: NewWorld,
) -> None:
    world = new_world(policy=policy(NOT_P), confirm=False)
    world.statuses["/organization/external_storage/e"] = 403
    await refused(world, "delete_external_storage", external_storage_id="e")
    free = new_world(beside=world, confirm=False)
    await free.call(free.make("delete_external_storage", external_storage_id="e"), None)
    assert len(world.changes) == 1


async def test_a_person_is_no_project_s_own(new_world: NewWorld) -> None:
    world = new_world(policy=policy(NOT_P), confirm=False)
    world.api.bodies["/organization/users/u"] = {"id": "u", "role": "reader", "projects": {"data": [{"id": "p"}]}}
    await world.call(world.make("get_user", user_id="u"), None)
    await world.call(world.make("delete_user", user_id="u"), None)
    assert len(world.changes) == 1


async def test_a_preview_in_two_steps_tells_a_model_nothing_that_it_may_not_read(new_world: NewWorld) -> None:
    for rules, told in (([], True), ([Rule("no users", "deny", tools=("get_user",))], False)):
        world = new_world(policy=policy(*rules))
        world.api.bodies["/organization/users/u"] = {"id": "u", "role": "reader", "email": "ana@example.com"}
        with pytest.raises(ApprovalPending) as pending:
            await world.call(world.make("delete_user", user_id="u"), TwoStepAsk())
        assert ("ana@example.com" in pending.value.message) is told
        assert ("unreadable" in pending.value.message) is not told


async def test_a_rule_on_updates_is_not_evaded_by_asking_for_more(new_world: NewWorld) -> None:
    world = new_world(policy=policy(Rule("no updates", "deny", effects=frozenset(["update"]))), confirm=False)
    world.api.bodies["/organization/users/u"] = {"id": "u", "role": "reader"}
    for arguments in ({"technical_level": "x"}, {"role": "owner"}, {"role_id": "r"}):
        with pytest.raises(PolicyDenied, match="no updates"):
            await world.call(world.make("update_user", user_id="u", **arguments), None)
    assert world.changes == []


READS_IN_P = Rule("no reads in p", "deny", effects=frozenset(["read"]), project_ids=frozenset(["p"]))


async def test_what_the_reads_of_a_project_are_denied_for_is_in_no_preview_for_a_model(new_world: NewWorld) -> None:
    world = new_world(policy=policy(READS_IN_P))
    invite = {"id": "i", "email": "secret@example.com", "role": "reader", "projects": [{"id": "p"}]}
    world.api.bodies["/organization/invites/i"] = invite
    with pytest.raises(ApprovalPending) as pending:
        await world.call(world.make("delete_invite", invite_id="i"), TwoStepAsk())
    assert "secret@example.com" not in pending.value.message

    def change(_: Approval) -> Reply:
        world.api.bodies["/organization/invites/i"] = {**invite, "email": "other.secret@example.com"}
        return Reply("accept", {"decision": "approve", "typed_text": "i"})

    with pytest.raises(Conflict) as drifted:
        await world.call(world.make("delete_invite", invite_id="i"), AtOnce(change))
    assert "secret" not in drifted.value.message
    assert world.changes == []


async def test_a_change_that_a_rule_allowed_is_judged_anew_before_it_is_sent_again(new_world: NewWorld) -> None:
    world = new_world(policy=policy(UPDATES))
    world.api.bodies["/organization/roles/r"] = {**ROLE, "permissions": ["a.write"]}

    async def at_once(_: float) -> None:
        return None

    def busy(request: httpx.Request) -> httpx.Response:
        world.api.bodies["/organization/roles/r"] = {**ROLE, "permissions": []}
        return httpx.Response(429, json={}, request=request)

    world.client._sleep = at_once
    world.api.fail = busy
    with pytest.raises(Conflict):
        await world.call(world.make("update_role", role_id="r", permissions=["a.write"]), None)
    assert len(world.changes) == 1


async def test_a_change_that_would_change_nothing_tells_only_what_the_model_may_read(new_world: NewWorld) -> None:
    for rules, told in (([], True), ([Rule("no roles", "deny", tools=("get_role",))], False)):
        world = new_world(policy=policy(*rules))
        world.api.bodies["/organization/roles/r"] = {**ROLE, "name": "Secret", "description": "old"}
        with pytest.raises(Conflict, match="Nothing would change") as refusal:
            await world.call(world.make("update_role", role_id="r", description="old"), AtOnce(None))
        assert ("Secret" in refusal.value.message) is told
        assert world.changes == []
