"""The last owner can't be removed, whoever approves."""

from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

from admin_mcp.errors import CallError, Conflict, NotFound, PolicyDenied
from admin_mcp.gate.guardrails import MOST_PAGES, MOST_SECONDS
from admin_mcp.gate.policy import Guardrails, Policy, Rule
from admin_mcp.private_files import FileLock
from tests.gate.conftest import NewWorld
from tests.gate.world import APPROVE, AtOnce, World

pytestmark = pytest.mark.anyio

USERS = "/organization/users"
ALLOW = (Rule("all", "allow"),)


def owners(world: World, *ids: str, members: tuple[str, ...] = ("user_9",)) -> None:
    """Let the organization have these owners, one to a page, so that the list has to be paged."""
    everyone = [{"id": one, "role": "owner"} for one in ids] + [{"id": one, "role": "reader"} for one in members]
    for user in everyone:
        world.api.bodies[f"{USERS}/{user['id']}"] = {**user, "name": user["id"]}
    world.api.bodies[USERS] = {"data": everyone, "has_more": False, "last_id": everyone[-1]["id"]}


DEMOTIONS: list[tuple[str, dict[str, Any]]] = [
    ("delete_user", {}),
    ("update_user", {"role": "reader"}),
    ("update_user", {"role": None}),
    ("update_user", {"role_id": "role_reader"}),
]


@pytest.mark.parametrize(("tool", "more"), DEMOTIONS)
@pytest.mark.parametrize("mode", ["asked", "allowed by a rule", "approval none"])
async def test_the_last_owner_stays_in_every_approval_mode(
    new_world: NewWorld, tool: str, more: dict[str, Any], mode: str
) -> None:
    policy = Policy.standard(read_only=False, rules=ALLOW if mode == "allowed by a rule" else ())
    world = new_world(policy=policy, confirm=mode == "asked")
    owners(world, "user_1")
    person = AtOnce(APPROVE)
    with pytest.raises(PolicyDenied, match="guardrail last_owner refuses"):
        await world.call(world.make(tool, user_id="user_1", **more), person)
    assert world.changes == []
    assert person.seen == []
    assert [record.kind for record in world.journal()] == ["refused"]


@pytest.mark.parametrize(
    ("tool", "user", "more"),
    [
        ("delete_user", "user_9", {}),
        ("update_user", "user_9", {"role": "reader"}),
        ("update_user", "user_1", {"role": "owner"}),
        ("update_user", "user_1", {"technical_level": "high"}),
    ],
)
async def test_other_changes_of_users_pass(new_world: NewWorld, tool: str, user: str, more: dict[str, Any]) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1")
    await world.call(world.make(tool, user_id=user, **more), None)
    assert len(world.changes) == 1


async def test_one_of_two_owners_may_go(new_world: NewWorld) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1", "user_2")
    await world.call(world.make("delete_user", user_id="user_1"), None)
    assert len(world.changes) == 1


async def test_another_owner_is_looked_for_on_every_page(new_world: NewWorld) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1")
    pages = {
        None: {"data": [{"id": "user_1", "role": "owner"}], "has_more": True, "last_id": "user_1"},
        "user_1": {"data": [{"id": "user_2", "role": "owner"}], "has_more": False, "last_id": "user_2"},
    }
    read = world.gate.assessment.guardrails._read

    async def paged(call: Any) -> Any:
        return pages[getattr(call, "after", None)] if type(call).SPEC.name == "list_users" else await read(call)

    world.gate.assessment.guardrails._read = paged
    await world.call(world.make("delete_user", user_id="user_1"), None)
    pages["user_1"]["data"] = [{"id": "user_3", "role": "reader"}]
    with pytest.raises(PolicyDenied, match="last owner"):
        await world.call(world.make("delete_user", user_id="user_1"), None)
    assert len(world.changes) == 1


async def test_who_was_found_to_be_another_owner_is_asked_for_by_name_under_the_lock(new_world: NewWorld) -> None:
    world = new_world()
    owners(world, "user_1", "user_2", members=tuple(f"user_{number}" for number in range(3, 90)))
    await world.call(world.make("update_user", user_id="user_1", role="reader"), AtOnce(APPROVE))
    assert len(world.changes) == 1
    assert world.reads.count(USERS) == 1
    assert f"{USERS}/user_2" in world.reads[world.reads.index(USERS) :]


@pytest.mark.parametrize("gone", [None, {"id": "user_2", "role": "reader"}, {"id": "user_2", "banned": True}])
async def test_another_owner_of_before_counts_only_while_they_are_one(
    new_world: NewWorld, gone: dict[str, object] | None
) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1", "user_2", "user_3")
    await world.call(world.make("delete_user", user_id="user_1"), None)
    owners(world, "user_3")
    del world.api.bodies[f"{USERS}/user_2"]
    if gone is not None:
        world.api.bodies[f"{USERS}/user_2"] = gone
    with pytest.raises(PolicyDenied, match="last owner"):
        await world.call(world.make("delete_user", user_id="user_3"), None)
    with pytest.raises(PolicyDenied, match="last owner"):
        await world.call(world.make("delete_user", user_id="user_3"), None)
    assert len(world.changes) == 1


def paged(world: World, next_page: Callable[[str | None], Any]) -> list[str | None]:
    """Have the list of users answer by its cursor; return the cursors it was asked for."""
    asked: list[str | None] = []
    read = world.gate.assessment.guardrails._read

    async def reader(call: Any) -> Any:
        if type(call).SPEC.name != "list_users":
            return await read(call)
        asked.append(call.after or None)
        return next_page(asked[-1])

    world.gate.assessment.guardrails._read = reader
    return asked


READER = {"id": "user_9", "role": "reader"}


@pytest.mark.parametrize(
    ("cycle", "pages"),
    [
        ({None: "a", "a": "a"}, 2),
        ({None: "a", "a": "b", "b": "a"}, 3),
        ({None: "a", "a": "b", "b": "c", "c": "b"}, 4),
        ({None: None}, 1),
        ({None: 7}, 1),
    ],
)
async def test_a_list_that_goes_round_ends_as_unchecked(
    new_world: NewWorld, cycle: dict[str | None, Any], pages: int
) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1")
    asked = paged(world, lambda after: {"data": [], "has_more": True, "last_id": cycle[after]})
    with pytest.raises(PolicyDenied, match=r"last_owner could not be checked.*goes round") as caught:
        await world.call(world.make("delete_user", user_id="user_1"), None)
    assert caught.value.message.count("could not be checked") == 1
    assert len(asked) == pages
    lock = FileLock(world.directory / "run" / "owners.lock")
    lock.acquire()
    lock.release()


async def test_a_list_without_an_end_is_left_after_its_pages(new_world: NewWorld) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1")
    asked = paged(world, lambda after: {"data": [READER], "has_more": True, "last_id": f"{after or ''}x"})
    with pytest.raises(PolicyDenied, match="longer than 100 pages"):
        await world.call(world.make("delete_user", user_id="user_1"), None)
    assert len(asked) == MOST_PAGES


async def test_a_list_that_takes_long_is_left_and_may_be_tried_again(new_world: NewWorld) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1")
    now = [0.0]
    world.gate.assessment.guardrails._clock = lambda: now[0]

    def slow(after: str | None) -> Any:
        now[0] += MOST_SECONDS / 2
        return {"data": [READER], "has_more": True, "last_id": f"{after or ''}x"}

    asked = paged(world, slow)
    with pytest.raises(PolicyDenied, match="takes too long") as caught:
        await world.call(world.make("delete_user", user_id="user_1"), None)
    assert caught.value.retryable
    assert len(asked) == 2


@pytest.mark.parametrize(
    "told",
    [
        {"user": {"id": "a", "enabled": False}},
        {"user": {"id": "a", "banned": True}},
        {"user": {"id": "a", "banned_at": 1_700_000_000}},
        {"enabled": False},
        {"disabled": True},
        {"is_service_account": True},
        {"role": "reader"},
        {"role": None},
        {"id": "user_1"},
        {"user": {"id": "user_1"}},
    ],
)
async def test_who_cannot_act_as_an_owner_is_no_other_owner(new_world: NewWorld, told: dict[str, Any]) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1")
    world.api.bodies[USERS]["data"].append({"id": "user_2", "role": "owner", **told})
    with pytest.raises(PolicyDenied, match="last owner who can act"):
        await world.call(world.make("delete_user", user_id="user_1"), None)
    assert world.changes == []


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"role": " Owner "},
        {"role": "OWNER"},
        {"user": None},
        {"user": {"id": "a", "enabled": True, "banned": False, "banned_at": None}},
        {"user": {"enabled": None, "banned": None}},
        {"is_service_account": False},
    ],
)
async def test_what_the_api_leaves_out_counts_against_no_other_owner(new_world: NewWorld, told: dict[str, Any]) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1")
    world.api.bodies[USERS]["data"].append({"id": "user_2", "role": "owner", **told})
    await world.call(world.make("delete_user", user_id="user_1"), None)
    assert len(world.changes) == 1


async def test_the_case_of_the_targets_role_does_not_matter(new_world: NewWorld) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1")
    for role in ("Owner", " OWNER"):
        world.api.bodies[f"{USERS}/user_1"] = {"id": "user_1", "role": role}
        with pytest.raises(PolicyDenied, match="last owner"):
            await world.call(world.make("delete_user", user_id="user_1"), None)
    assert world.changes == []


async def test_a_disabled_owner_may_go_where_another_stays_and_not_as_the_last(new_world: NewWorld) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1", "user_2")
    disabled = {"id": "user_1", "role": "owner", "user": {"id": "user_1", "enabled": False}}
    world.api.bodies[f"{USERS}/user_1"] = disabled
    await world.call(world.make("delete_user", user_id="user_1"), None)
    assert len(world.changes) == 1
    world.api.bodies[USERS]["data"] = [disabled]
    world.api.bodies[f"{USERS}/user_2"] = {"id": "user_2", "role": "reader"}
    with pytest.raises(PolicyDenied, match="last owner"):
        await world.call(world.make("delete_user", user_id="user_1"), None)


ROLE = "/organization/roles/role_x"


async def test_a_role_given_by_id_counts_as_the_owners_only_where_that_is_shown(new_world: NewWorld) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1")
    world.api.bodies[ROLE] = {"id": "role_x", "name": "Owner", "predefined_role": True}
    await world.call(world.make("update_user", user_id="user_1", role_id="role_x"), None)
    await world.call(world.make("update_user", user_id="user_1", role_id="role_x", role="owner"), None)
    assert len(world.changes) == 2
    lesser: list[dict[str, Any]] = [{"predefined_role": False}, {"name": "reader"}, {"name": None}]
    for less in lesser:
        world.api.bodies[ROLE] = {"id": "role_x", "name": "owner", "predefined_role": True, **less}
        with pytest.raises(PolicyDenied, match="last owner"):
            await world.call(world.make("update_user", user_id="user_1", role_id="role_x"), None)
    world.api.bodies[ROLE] = {"id": "role_x", "name": "owner", "predefined_role": True}
    with pytest.raises(PolicyDenied, match="last owner"):
        await world.call(world.make("update_user", user_id="user_1", role_id="role_x", role="reader"), None)
    world.statuses[ROLE] = 404
    with pytest.raises(PolicyDenied, match="last owner"):
        await world.call(world.make("update_user", user_id="user_1", role_id="role_x"), None)
    assert len(world.changes) == 2


async def test_a_call_that_is_cancelled_while_it_waits_for_the_lock_ends_at_once_and_leaves_the_lock_alone(
    new_world: NewWorld,
) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1", "user_2")
    held = FileLock(world.directory / "run" / "owners.lock")
    held.acquire()
    with anyio.move_on_after(0.05) as scope:
        await world.call(world.make("delete_user", user_id="user_1"), None)
    assert scope.cancelled_caught
    held.release()
    await world.call(world.make("delete_user", user_id="user_1"), None)
    assert len(world.changes) == 1


async def test_what_cannot_be_checked_is_refused_and_says_so(new_world: NewWorld) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1", "user_2")
    for path, status in ((USERS, 403), (f"{USERS}/user_1", 403), (USERS, 418)):
        world.statuses[path] = status
        with pytest.raises(PolicyDenied, match="guardrail last_owner could not be checked"):
            await world.call(world.make("delete_user", user_id="user_1"), None)
        world.statuses.clear()
    world.api.bodies[USERS] = {"nothing": 1}
    with pytest.raises(PolicyDenied, match="could not be checked"):
        await world.call(world.make("delete_user", user_id="user_1"), None)
    assert world.changes == []


async def test_a_user_whose_role_is_not_told_counts_as_an_owner(new_world: NewWorld) -> None:
    world = new_world(confirm=False)
    owners(world, "user_1")
    world.api.bodies[f"{USERS}/user_1"] = {"id": "user_1", "role": None}
    with pytest.raises(PolicyDenied, match="last owner"):
        await world.call(world.make("delete_user", user_id="user_1"), None)


async def test_a_user_who_is_not_there_is_simply_not_found(new_world: NewWorld) -> None:
    world = new_world(confirm=False)
    world.statuses[f"{USERS}/user_1"] = 404
    with pytest.raises(NotFound):
        await world.call(world.make("delete_user", user_id="user_1"), None)


async def test_two_owners_removed_at_the_same_time_leave_one(new_world: NewWorld) -> None:
    first = new_world(confirm=False)
    second = new_world(confirm=False, beside=first)
    owners(first, "user_1", "user_2")

    def remove(request: Any) -> Any:
        gone = request.url.path.rpartition("/")[2]
        first.api.bodies[USERS]["data"] = [user for user in first.api.bodies[USERS]["data"] if user["id"] != gone]
        return httpx.Response(200, json={"id": gone})

    first.api.fail = remove
    refused: list[CallError] = []

    async def delete(world: World, user: str) -> None:
        try:
            await world.call(world.make("delete_user", user_id=user), None)
        except CallError as error:
            refused.append(error)

    async with anyio.create_task_group() as group:
        group.start_soon(delete, first, "user_1")
        group.start_soon(delete, second, "user_2")
    assert len(first.changes) == 1
    assert len(refused) == 1


async def test_while_another_process_changes_an_owner_the_call_may_be_repeated_later(
    new_world: NewWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin_mcp.gate.guardrails.LOCK_SECONDS", 0.01)
    world = new_world(confirm=False)
    owners(world, "user_1", "user_2")
    lock = FileLock(world.directory / "run" / "owners.lock")
    lock.acquire()
    with pytest.raises(Conflict) as caught:
        await world.call(world.make("delete_user", user_id="user_1"), None)
    lock.release()
    assert caught.value.retryable
    assert world.changes == []
    await world.call(world.make("delete_user", user_id="user_1"), None)


async def test_it_can_be_switched_off(new_world: NewWorld) -> None:
    policy = Policy.standard(read_only=False, guardrails=Guardrails(last_owner=False))
    world = new_world(policy=policy, confirm=False)
    owners(world, "user_1")
    await world.call(world.make("delete_user", user_id="user_1"), None)
    assert len(world.changes) == 1
    assert not [path for path in world.reads if path.endswith("/users")]  # nobody looks for another owner
