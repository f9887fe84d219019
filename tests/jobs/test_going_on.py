"""Whoever follows what a cut answer says gets every row exactly once, in the rows and in the text."""

import re
from typing import Any

import pytest

from admin_mcp.jobs.answers import MOST_BYTES_OF_TEXT
from admin_mcp.jobs.base import Report
from admin_mcp.jobs.reports.find import Find
from admin_mcp.jobs.reports.report_activity import ReportActivity
from admin_mcp.jobs.reports.report_spend import ReportSpend
from admin_mcp.jobs.reports.review_access import ReviewAccess
from admin_mcp.jobs.reports.review_keys import ReviewKeys
from admin_mcp.jobs.reports.review_settings import ReviewSettings
from tests.jobs.world import World

pytestmark = pytest.mark.anyio
ORG = "/organization"
CUT: dict[str, tuple[type[Report], dict[str, Any], tuple[str, ...], str | None]] = {
    "find": (Find, {"query": "a", "kinds": ["person"]}, ("found",), ""),
    "access": (ReviewAccess, {}, ("people", "groups", "projects"), None),
    "keys": (ReviewKeys, {}, ("keys",), "keys"),
    "spend": (ReportSpend, {"period": "2d", "by": "key"}, ("rows",), None),
    "activity": (ReportActivity, {"period": "30d"}, ("rows",), None),
    "settings": (ReviewSettings, {}, ("projects",), "projects"),
}
"""Each report, its arguments, its lists of rows, and which total counts the rows (empty: of all)."""


def onward(more: str) -> dict[str, int]:
    """Return the arguments that an answer says to go on with."""
    found = {name: int(number) for name, number in re.findall(r"(skip|top)[:=] ?([0-9]+)", more)}
    assert found, more
    return found


def grown() -> World:
    world = World(5, people=260, projects=110)
    for number in range(30):
        world.post(f"{ORG}/projects", {"name": f"{number} an rather long name of a project"})
        world.post(f"{ORG}/groups", {"name": f"Group {number}"})
    return world


def key_of(row: Any) -> str:
    return str(row.get("id") or sorted(map(str, row.items())))


async def walked(world: World, name: str, **given: int) -> dict[str, list[str]]:
    """Return the rows of each list on the whole way, and how many the report says there are."""
    kind, arguments, lists, total = CUT[name]
    seen: dict[str, list[str]] = {each: [] for each in lists}
    step = given
    for _ in range(100):
        answer = await world.report(kind.model_validate(arguments | step))
        for each in lists:
            seen[each] += map(key_of, answer[each])
        if "more" not in answer:
            assert total is None or len(seen[lists[0]]) == (answer["total"] if total == "" else answer["totals"][total])
            return seen
        assert any(answer[each] for each in lists)
        assert answer["more"] in answer["text"]
        step = onward(answer["more"])
        if "skip" not in step:  # all of it is to be asked for at once
            seen = {each: [] for each in lists}
        else:
            step = given | {"skip": step["skip"]} if given else step
    raise AssertionError("there is no end to it")


@pytest.mark.parametrize(
    ("name", "top"), [*((name, None) for name in CUT), ("keys", 41), ("spend", 41), ("activity", 2)]
)
async def test_going_on_gives_every_row_once(name: str, top: int | None) -> None:
    kind, arguments, lists, _ = CUT[name]
    world = grown()
    seen = await walked(world, name, **({} if top is None else {"top": top}))
    for each in lists:
        assert len(set(seen[each])) == len(seen[each]) > 0, each
    if "top" in kind.model_fields:
        whole = await world.report(kind.model_validate(arguments | {"top": 10_000}).in_one())
        assert "more" not in whole
        assert seen[lists[0]] == [*map(key_of, whole[lists[0]])]


async def test_going_on_through_access_and_settings_gives_all_that_there_is() -> None:
    world = grown()
    seen = await walked(world, "access")
    for each, path in (("people", "users"), ("groups", "groups"), ("projects", "projects")):
        assert sorted(seen[each]) == sorted(row["id"] for row in world.all(f"{ORG}/{path}"))
    assert (await walked(world, "settings"))["projects"] == [row["id"] for row in world.all(f"{ORG}/projects")]


async def test_the_text_of_long_settings_has_the_rows_that_the_answer_has() -> None:
    world = grown()

    def spoil(tool: str, answer: Any) -> Any:
        if tool != "get_project_model_permissions":
            return answer
        return {"mode": "allow_list", "model_ids": [f"a-model-{len(world.reads)}-{each}" for each in range(8)]}

    world.spoil = spoil
    answer = await world.report(ReviewSettings())
    assert "more" in answer
    assert len(answer["text"].encode()) <= MOST_BYTES_OF_TEXT
    assert answer["text"].endswith(answer["more"])
    lines = answer["text"].splitlines()
    assert sum(" | " in line for line in lines) == 1 + len(answer["projects"]) > 10
