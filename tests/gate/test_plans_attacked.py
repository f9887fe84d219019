"""Plans under attack: nothing is sent that nobody approved exactly, nothing twice, nothing told that is withheld."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from admin_mcp.errors import CallError
from tests.gate.plan_world import Drafted, PlanWorld, approving
from tests.gate.world import AtOnce

pytestmark = pytest.mark.anyio


@pytest.fixture
def here(tmp_path: Path) -> PlanWorld:
    return PlanWorld(tmp_path / "state")


async def ids(here: PlanWorld, tool: str) -> list[str]:
    return [row["id"] for row in (await here.read(tool))["data"]]


async def own_roles(here: PlanWorld) -> list[Any]:
    return [role for role in (await here.read("list_roles"))["data"] if not role["predefined_role"]]


async def test_the_approval_of_one_plan_does_not_let_another_pass_that_has_the_same_steps(here: PlanWorld) -> None:
    steps = [Drafted("create_group", {"name": "A"}), Drafted("create_group", {"name": "B"})]
    first, twin = await here.plan(*steps), await here.plan(*steps)
    beside = PlanWorld(here.world.directory, beside=here)
    nobody = AtOnce(None)

    def refuse_the_second(number: int) -> httpx.Response | None:
        return httpx.Response(429, json={"error": {"message": "slow"}}) if number > 1 else None

    here.wire.on_change = refuse_the_second
    assert (await here.apply(first, approving())).stopped is not None
    here.wire.on_change = lambda number: None
    with pytest.raises(CallError):
        await beside.apply(twin, nobody)
    assert len(nobody.seen) == 1
    assert len(here.wire.changes) == 1
