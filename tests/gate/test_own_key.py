"""The admin key in use can't be deleted, nor one that can't be told from it."""

import pytest

from admin_mcp.errors import PolicyDenied
from admin_mcp.gate.policy import Guardrails, Policy
from tests.gate.conftest import NewWorld
from tests.gate.world import KEY, World

pytestmark = pytest.mark.anyio


def key(world: World, redacted: object) -> None:
    world.api.bodies["/organization/admin_api_keys/key_1"] = {"id": "key_1", "redacted_value": redacted}


@pytest.mark.parametrize("redacted", [f"{KEY[:8]}...{KEY[-4:]}", f"sk-admin-***{KEY[-4:]}", f"sk-…{KEY[-3:]}"])
async def test_the_key_in_use_stays(new_world: NewWorld, redacted: str) -> None:
    world = new_world(confirm=False)
    key(world, redacted)
    with pytest.raises(PolicyDenied, match=r"guardrail own_key refuses.*the admin key this server uses"):
        await world.call(world.make("delete_admin_api_key", key_id="key_1"), None)
    assert world.changes == []


async def test_another_key_may_go(new_world: NewWorld) -> None:
    world = new_world(confirm=False)
    key(world, "sk-admin-...ZZZZ")
    await world.call(world.make("delete_admin_api_key", key_id="key_1"), None)
    assert len(world.changes) == 1


@pytest.mark.parametrize("redacted", [None, 7, "", "hidden", "sk-admin-...", "..."])
async def test_a_key_that_cannot_be_told_from_the_one_in_use_stays(new_world: NewWorld, redacted: object) -> None:
    world = new_world(confirm=False)
    key(world, redacted)
    with pytest.raises(PolicyDenied, match="guardrail own_key could not be checked"):
        await world.call(world.make("delete_admin_api_key", key_id="key_1"), None)
    assert world.changes == []


async def test_it_can_be_switched_off(new_world: NewWorld) -> None:
    policy = Policy.standard(read_only=False, guardrails=Guardrails(own_key=False))
    world = new_world(policy=policy, confirm=False)
    key(world, f"sk-admin-...{KEY[-4:]}")
    await world.call(world.make("delete_admin_api_key", key_id="key_1"), None)
    assert len(world.changes) == 1
