"""A rotation makes the new key first, and lets the old ones expire."""

import pytest

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import NotFound
from admin_mcp.jobs.playbooks.plan_key_rotation import DAY, PlanKeyRotation, rotation_notes, rotation_steps
from tests.jobs.executing import World, tools_of
from tests.sandbox.walk import NOW

pytestmark = pytest.mark.anyio

ASKED = PlanKeyRotation(project_id="proj_1", service_account_id="user-sa", grace_days=7)
KEYS: list[Json] = [
    {"id": "key_old", "name": "old", "redacted_value": "sk-...aaaa", "last_used_at": 1_789_000_000},
    {"id": "key_soon", "name": "soon", "redacted_value": "sk-...bbbb", "expires_at": int(NOW) + DAY},
    {"id": "key_late", "name": None, "redacted_value": None, "expires_at": int(NOW) + 90 * DAY},
]


def account(world: World) -> dict[str, str]:
    project = world.named("list_projects", "Research")["id"]
    found = world.named("list_project_service_accounts", "Research nightly job", project_id=project)
    return {"project_id": project, "service_account_id": found["id"]}


def test_a_key_that_expires_sooner_anyway_is_left_alone() -> None:
    steps = rotation_steps(ASKED, KEYS, int(NOW))
    assert [step.tool for step in steps] == ["create_service_account_api_key", *["update_project_api_key"] * 2]
    assert [step.arguments.get("api_key_id") for step in steps] == [None, "key_old", "key_late"]
    assert steps[1].arguments["expires_in_seconds"] == 7 * DAY


def test_each_old_key_is_told_with_its_last_use_and_its_end() -> None:
    notes = rotation_notes(KEYS, int(NOW), 7)
    assert "aaaa: last used on 2026-09-10; expires 7 days after" in notes[0]
    assert "no use recorded; left as it is" in notes[1]


async def test_the_account_has_a_new_key_and_the_old_one_an_end() -> None:
    world = World()
    place = account(world)
    (old,) = [
        key
        for key in world.all("list_project_api_keys", project_id=place["project_id"], owner_project_access="any")
        if key["owner"]["type"] == "service_account"
    ]
    draft = await world.drafted(PlanKeyRotation, **place, grace_days=3)
    world.apply(draft)
    keys = world.all("list_project_api_keys", project_id=place["project_id"], owner_project_access="any")
    theirs = {key["id"]: key for key in keys if key["owner"]["type"] == "service_account"}
    assert theirs.pop(old["id"])["expires_at"] == int(NOW) + 3 * DAY
    (new,) = theirs.values()
    assert new["expires_at"] is None
    assert new["owner"]["service_account"]["id"] == place["service_account_id"]


async def test_an_account_without_keys_gets_its_first() -> None:
    world = World()
    place = {"project_id": account(world)["project_id"]}
    made = world.call("create_project_service_account", **place, name="Bare", create_service_account_only=True)["id"]
    draft = await world.drafted(PlanKeyRotation, **place, service_account_id=made)
    assert tools_of(draft) == ["create_service_account_api_key"]
    assert any("no key that can be seen" in note for note in draft.notes)


async def test_sixty_keys_do_not_fit_and_that_is_told() -> None:
    world = World()
    place = account(world)
    for _ in range(60):
        world.call("create_service_account_api_key", **place)
    draft = await world.drafted(PlanKeyRotation, **place)
    assert len(draft.steps) == 50
    assert any("12 steps remain" in note for note in draft.notes)


async def test_an_account_that_is_not_there_is_not_found() -> None:
    world = World()
    with pytest.raises(NotFound):
        await world.drafted(PlanKeyRotation, **{**account(world), "service_account_id": "user-nobody"})
