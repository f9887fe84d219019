"""No is no: it stands for every spelling of a call, and after several of them nobody is asked for a while."""

from typing import Any

import pytest

from admin_mcp.errors import ApprovalDenied, ApprovalPending, ApprovalUnavailable
from admin_mcp.gate.approval import REJECTED_SECONDS
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.forms import Reply, form_schema
from admin_mcp.gate.rejections import MOST_REJECTIONS, PAUSE_SECONDS
from tests.gate.conftest import NewWorld
from tests.gate.questions import question
from tests.gate.world import APPROVE, REJECT, AtOnce, World

pytestmark = pytest.mark.anyio

CLOSE = Reply("cancel")


async def refused(world: World, person: AtOnce, tool: str = "update_role", **arguments: Any) -> ApprovalDenied:
    with pytest.raises(ApprovalDenied) as caught:
        await world.call(world.make(tool, **(arguments or {"role_id": "role_1", "description": "new"})), person)
    return caught.value


def test_reject_is_the_first_choice_of_the_form() -> None:
    schema = form_schema(question().preview)
    assert schema["properties"]["decision"]["enum"] == ["reject", "approve"]
    assert "default" not in schema["properties"]["decision"]


async def test_a_declined_form_stands_like_a_rejected_one(new_world: NewWorld) -> None:
    world = new_world()
    await refused(world, AtOnce(Reply("decline")))
    again = AtOnce(APPROVE)
    assert "rejected this same change" in (await refused(world, again)).message
    assert again.seen == []
    world.now += REJECTED_SECONDS
    await world.call(world.make("update_role", role_id="role_1", description="new"), again)
    assert len(world.changes) == 1


async def test_a_closed_form_decides_nothing_until_the_third(new_world: NewWorld) -> None:
    world = new_world()
    person = AtOnce(CLOSE)
    for _ in range(2):
        assert "nobody has decided" in (await refused(world, person)).message
    assert "counts as a no" in (await refused(world, person)).message
    await refused(world, person)
    assert len(person.seen) == 3
    decisions = [record.fields["decision"] for record in world.journal() if record.kind == "decided"]
    assert decisions == ["void", "void", "rejected"]


async def test_closed_forms_of_other_calls_or_of_long_ago_don_t_add_up(new_world: NewWorld) -> None:
    world = new_world()
    person = AtOnce(CLOSE)
    for number in range(3):
        await refused(world, person, role_id=f"role_{number}", description="new")
    for _ in range(2):
        await refused(world, person)
    world.now += REJECTED_SECONDS
    await refused(world, person)
    await world.call(world.make("update_role", role_id="role_1", description="new"), AtOnce(APPROVE))


@pytest.mark.parametrize(
    ("tool", "first", "second"),
    [
        ("update_role", {"role_id": "r", "description": "new"}, {"role_id": "r", "description": " New  "}),
        ("update_role", {"role_id": "r", "description": "new"}, {"role_id": "r", "description": "n\u200bew"}),
        (
            "create_invite",
            {"email": "eve@example.com", "role": "owner"},
            {"email": "Eve@Example.com ", "role": "owner"},
        ),
        (
            "create_role",
            {"role_name": "x", "permissions": ["a", "b"]},
            {"role_name": "X", "permissions": ["b", "a"]},
        ),
        (
            "create_project_service_account",
            {"project_id": "p", "name": "x"},
            {"project_id": "p", "name": "x\ufe0f"},
        ),
    ],
)
async def test_another_spelling_of_a_rejected_call_is_the_same_question(
    tool: str, first: dict[str, Any], second: dict[str, Any], new_world: NewWorld
) -> None:
    world = new_world()
    person = AtOnce(REJECT)
    await refused(world, person, tool, **first)
    await refused(world, person, tool, **second)
    assert len(person.seen) == 1


async def test_after_five_noes_nobody_is_asked_for_five_minutes(new_world: NewWorld) -> None:
    world = new_world()
    person = AtOnce(REJECT)
    for number in range(40):
        await refused(world, person, "create_invite", email=f"eve{number}@example.com", role="owner")
    assert len(person.seen) == MOST_REJECTIONS
    other = new_world(beside=world)
    pausing = await refused(other, person, "create_role", role_name="x", permissions=[])
    assert "5 minutes" in pausing.message
    assert "Ask the user" in pausing.hint
    world.now += PAUSE_SECONDS
    await refused(world, person, "create_role", role_name="x", permissions=[])
    assert len(person.seen) == MOST_REJECTIONS + 1


async def test_noes_spread_over_more_than_ten_minutes_make_no_pause(new_world: NewWorld) -> None:
    world = new_world()
    person = AtOnce(REJECT)
    for number in range(12):
        await refused(world, person, "update_role", role_id=f"role_{number}", description="new")
        world.now += 151
    assert len(person.seen) == 12


async def test_the_pause_counts_noes_older_than_ten_minutes_by_then(new_world: NewWorld) -> None:
    world = new_world()
    person = AtOnce(REJECT)
    for number, wait in enumerate((590, 1, 1, 1, 60)):
        await refused(world, person, "update_role", role_id=f"role_{number}", description="new")
        world.now += wait
    await refused(world, person, "update_role", role_id="role_9", description="new")
    assert len(person.seen) == 5


async def test_what_was_approved_before_the_noes_is_still_sent(new_world: NewWorld) -> None:
    world = new_world()

    class Waiting(AtOnce):
        channel = "local"

        async def ask(self, approval: Any) -> Reply | None:
            self.seen.append(approval)
            raise ApprovalPending("pending", hint="wait")

    waiting = Waiting(None)
    call = world.make("update_role", role_id="role_1", description="new")
    with pytest.raises(ApprovalPending):
        await world.call(call, waiting)
    for number in range(MOST_REJECTIONS):
        await refused(world, AtOnce(REJECT), "create_role", role_name=f"x{number}", permissions=[])
    with pytest.raises(ApprovalPending):  # the question is open, and asks nobody anything new
        await world.call(call, waiting)
    world.storage.approvals.apply(waiting.seen[0].id, "approve", via="page")
    await world.call(call, waiting)
    assert len(world.changes) == 1


async def test_a_form_that_comes_back_empty_is_asked_again_only_twice(new_world: NewWorld) -> None:
    world = new_world()
    person = AtOnce(Reply("accept", {}))
    hints = [(await refused(world, person)).hint for _ in range(4)]
    assert len(person.seen) == 3
    assert "answers forms by itself" in hints[0]


async def test_a_no_does_not_cover_a_call_that_does_something_else(new_world: NewWorld) -> None:
    world = new_world()
    rule = {"workload_identity_provider_id": "w", "workload_identity_federation_rule_id": "f"}
    person = AtOnce(REJECT)
    await refused(world, person, "update_federation_rule", **rule, description=None)
    await refused(world, person, "update_federation_rule", **rule, enabled=False)
    assert len(person.seen) == 2


async def test_whatever_a_person_said_last_counts(new_world: NewWorld) -> None:
    world = new_world()
    kept = world.storage.approvals
    first, _ = kept.open(question("one"), "local")
    second, _ = kept.open(question("two"), "local")
    kept.apply(first.id, "reject", via="page")
    world.now += 1
    kept.apply(second.id, "approve", via="page")
    assert kept.open(question("two"), "local")[0].id == second.id
    world.now += 1
    third, _ = new_world(beside=world).storage.approvals.open(question("two"), "local")
    assert third.state == "approved"


async def test_only_so_many_forms_are_open_at_once(new_world: NewWorld) -> None:
    world = new_world()
    kept = world.storage.approvals
    for number in range(traits("elicit").most_open):
        kept.open(question(f"key {number}", name=f"Role {number}"), "elicit")
    with pytest.raises(ApprovalUnavailable, match="wait for a person already"):
        kept.open(question("one more", name="Other"), "elicit")
