"""Whatever a list does while it is read, a report has no row twice and no gap that it doesn't speak of."""

from collections.abc import Callable
from typing import Any

import pytest

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import Permission, RateLimited
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

REPORTS: dict[str, tuple[Callable[[], Report], str]] = {
    "find": (lambda: Find(query="an", kinds=["person"]), "list_users"),
    "access": (ReviewAccess, "list_users"),
    "keys": (ReviewKeys, "list_users"),
    "spend": (lambda: ReportSpend(period="2d", by="person"), "list_users"),
    "activity": (lambda: ReportActivity(period="30d"), "list_users"),
    "settings": (ReviewSettings, "list_projects"),
}
"""Each report, and a list that it reads and that has more than a page here."""

every = pytest.mark.parametrize("name", REPORTS)


def large(tool: str) -> World:
    return World(people=230 if tool == "list_users" else 7, projects=4 if tool == "list_users" else 130)


def leave(world: World, tool: str, item: str) -> None:
    """Take something out of its list."""
    archived = f"{ORG}/projects/{item}/archive"
    method, path = ("DELETE", f"{ORG}/users/{item}") if tool == "list_users" else ("POST", archived)
    answer = world.organization.respond(method, path, [], None)
    assert answer.status == 200, answer.body


@every
async def test_a_list_whose_next_page_is_gone_is_read_again_and_whole(name: str) -> None:
    report, tool = REPORTS[name]
    world = large(tool)
    gone: list[str] = []

    def spoil(read: str, answer: Json) -> Json:
        if read == tool and not gone:
            gone.append(answer["data"][-1]["id"])
            leave(world, tool, gone[0])
        return answer

    world.spoil = spoil
    answer = await world.report(report())
    assert gone
    assert world.reads.count(tool) == 1 + 1 + (2 if tool == "list_projects" else 3)  # a page, a miss, and the whole
    assert answer == await world.report(report())
    assert answer["unreadable"] == []


@every
async def test_a_list_that_loses_its_next_page_each_time_is_named(name: str) -> None:
    report, tool = REPORTS[name]
    world = large(tool)

    def spoil(read: str, answer: Json) -> Json:
        if read == tool and answer["has_more"]:
            leave(world, tool, answer["data"][-1]["id"])
        return answer

    world.spoil = spoil
    answer = await world.report(report())
    assert {
        "what": f"{tool} beyond 100 items",
        "why": "the list changed while it was read; ask again for all of it",
    } in [*answer["unreadable"]]
    assert "read" in answer["text"]


@every
async def test_what_moves_to_the_next_page_is_one_row_and_the_change_is_named(name: str) -> None:
    report, tool = REPORTS[name]
    calm = await large(tool).report(report())
    world = large(tool)
    last: list[Any] = []

    def spoil(read: str, answer: Json) -> Json:
        if read != tool:
            return answer
        moved = [*last, *answer["data"]]
        last[:] = answer["data"][-1:]
        return {**answer, "data": moved}

    world.spoil = spoil
    answer = await world.report(report())
    assert [each["what"] for each in answer["unreadable"]] == [f"{tool}: all of it for certain"]
    assert answer.get("totals", answer.get("total")) == calm.get("totals", calm.get("total"))


@every
async def test_an_api_that_only_asks_to_slow_down_is_an_error_that_says_so(name: str) -> None:
    world = World(faults="429=100%")
    with pytest.raises(RateLimited):
        await world.report(REPORTS[name][0]())


@every
async def test_each_list_that_the_key_may_not_read_is_named(name: str) -> None:
    report = REPORTS[name][0]
    world = World()
    await world.report(report())
    tools = sorted(set(world.reads))
    for tool in tools:
        world = World()
        world.forbidden = {tool}
        try:
            answer = await world.report(report())
        except Permission:
            continue  # there is nothing to say without it
        assert answer["unreadable"], tool
        assert "read" in answer["text"], tool


@every
async def test_a_key_that_may_read_nothing_gets_no_empty_answer(name: str) -> None:
    world = World()
    await world.report(REPORTS[name][0]())
    world.forbidden = set(world.reads)
    try:
        answer = await world.report(REPORTS[name][0]())
    except Permission:
        return
    assert len(answer["unreadable"]) > 0
