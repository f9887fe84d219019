"""Whatever the API answers, a report answers too, or fails with an error that says what is wrong."""

import json
from random import Random
from typing import Any

import pytest

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError
from admin_mcp.jobs.base import Report
from admin_mcp.jobs.reports.find import Find
from admin_mcp.jobs.reports.review_access import ReviewAccess
from admin_mcp.jobs.reports.review_settings import ReviewSettings
from tests.jobs.world import World

pytestmark = pytest.mark.anyio
REPORTS: list[Report] = [
    Find(query="ana"),
    Find(query="zzq"),
    ReviewAccess(),
    ReviewAccess(project="Billing"),
    ReviewAccess(permission="api_keys.write"),
    ReviewAccess(person="Ben Okafor"),
    ReviewAccess(group="Finance"),
    ReviewSettings(),
]
JUNK: list[Any] = [None, 7, -1, 1e99, True, "", "x\n|\u202e", "\ud800", [], {}, [None], {"a": 1}, "é" * 5000, 10**18]


def damaged(random: Random, value: Any) -> Any:
    if random.random() < 0.12:
        return random.choice(JUNK)
    if isinstance(value, dict):
        return {key: damaged(random, each) for key, each in value.items() if random.random() > 0.05}
    return [damaged(random, each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: f"{report.SPEC.name}-{sorted(report.model_fields_set)}")
@pytest.mark.parametrize("seed", range(12))
async def test_damaged_answers_give_an_answer_or_an_error_that_is_ours(seed: int, report: Report) -> None:
    random = Random(seed)  # noqa: S311 - pretend damage
    world = World(people=12, projects=4)
    gave = 0

    def spoil(tool: str, answer: Json) -> Json:
        nonlocal gave
        del tool
        gave += 1
        found = damaged(random, answer) if random.random() < 0.5 else answer
        return found if isinstance(found, dict) else {}

    world.spoil = spoil
    try:
        answer = await world.report(report)
    except CallError as error:
        assert error.hint  # noqa: PT017 - either outcome is right
    else:
        assert json.loads(json.dumps(answer, allow_nan=False))["as_of"]
    assert gave
