"""``review_settings`` puts the projects beside each other, checked against plain requests made here."""

import json
from collections import Counter
from typing import Any

import pytest

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import Permission
from admin_mcp.jobs.reports.review_settings import UNREAD, ReviewSettings
from tests.jobs.world import World

pytestmark = pytest.mark.anyio
ORG = "/organization"
PROJECTS = f"{ORG}/projects"
SIZES = [(0, 7, 3), (1, 7, 3), (2, 7, 3), (0, 70, 13), (4, 70, 60)]


async def review(world: World, **arguments: object) -> Json:
    return await world.report(ReviewSettings.model_validate(arguments))


def findings(answer: Json) -> dict[str, Json]:
    return {each["kind"]: each for each in answer["findings"]}


def dollars(row: dict[str, Any] | None) -> float | None:
    return row["threshold_amount"] / 100 if row else None


@pytest.mark.parametrize(("seed", "people", "projects"), SIZES)
async def test_each_project_is_shown_as_it_is_set(seed: int, people: int, projects: int) -> None:
    world = World(seed, people, projects)
    answer = await review(world)
    assert len(answer["projects"]) == answer["totals"]["projects"] == projects
    for project, row in zip(world.all(PROJECTS), answer["projects"], strict=True):
        place = f"{PROJECTS}/{project['id']}"
        assert (row["id"], row["name"], row["residency"]) == (project["id"], project["name"], project["residency"])
        assert row["spend_limit_usd"] == dollars(world.found(f"{place}/spend_limit"))
        assert row["alerts_usd"] == sorted(dollars(each) or 0 for each in world.all(f"{place}/spend_alerts"))
        assert row["retention"] == world.get(f"{place}/data_retention")["type"]
        assert row["service_tier"] == world.get(f"{place}/service_tier_settings")["default"]
        tools = world.get(f"{place}/hosted_tool_permissions")
        assert row["hosted_tools_off"] == sorted(name for name, each in tools.items() if not each["enabled"])
        models = world.found(f"{place}/model_permissions")
        assert row["models"] == ("only " + ", ".join(sorted(models["model_ids"])) if models else "all")


@pytest.mark.parametrize(("seed", "people", "projects"), SIZES)
async def test_what_is_unset_where_most_have_it_is_a_finding(seed: int, people: int, projects: int) -> None:
    world = World(seed, people, projects)
    answer = await review(world)
    places = [f"{PROJECTS}/{project['id']}" for project in world.all(PROJECTS)]
    limits = [world.found(f"{place}/spend_limit") for place in places]
    alerts = [world.all(f"{place}/spend_alerts") for place in places]
    assert answer["totals"]["with_spend_limit"] == sum(limit is not None for limit in limits)
    assert answer["totals"]["with_alerts"] == sum(bool(each) for each in alerts)
    for kind, have in (("no_spend_limit", limits), ("no_spend_alert", alerts)):
        without = sum(not each for each in have)
        expected = without if 0 < without < len(have) / 2 else 0
        assert findings(answer).get(kind, {"count": 0})["count"] == expected


@pytest.mark.parametrize(("seed", "people", "projects"), SIZES)
async def test_what_differs_from_most_is_a_finding(seed: int, people: int, projects: int) -> None:
    world = World(seed, people, projects)
    answer = await review(world)
    found = world.all(PROJECTS)
    residency = Counter(project["residency"] for project in found)
    common, times = residency.most_common(1)[0]
    assert answer["usual"]["residency"] == common
    assert findings(answer).get("different_residency", {"count": 0})["count"] == projects - times
    lists = [world.all(f"{PROJECTS}/{project['id']}/rate_limits") for project in found]
    slow = sum(row["model"] == "gpt-5.2" and row["max_requests_per_1_minute"] == 500 for rows in lists for row in rows)
    assert findings(answer).get("different_rate_limits", {"count": 0})["count"] == slow
    if slow:
        shown = [row["rate_limits"] for row in answer["projects"] if row["rate_limits"]]
        assert shown == [["gpt-5.2 requests_per_1_minute 500 (usual 10000)"]] * slow


async def test_an_organization_without_any_limit_is_told_so() -> None:
    world = World()
    for path in (f"{ORG}/spend_limit", f"{PROJECTS}/{world.named(PROJECTS, 'Billing')}/spend_limit"):
        assert world.organization.respond("DELETE", path, [], None).status == 200
    answer = await review(world)
    assert answer["organization"]["spend_limit_usd"] is None
    assert findings(answer)["no_spend_limit"]["says"] == "no spend limit, and the organization has none"


@pytest.mark.parametrize(
    ("forbidden", "column"),
    [
        ("get_project_spend_limit", "spend_limit_usd"),
        ("list_project_spend_alerts", "alerts_usd"),
        ("get_project_data_retention", "retention"),
        ("get_project_model_permissions", "models"),
        ("get_project_hosted_tool_permissions", "hosted_tools_off"),
        ("get_project_service_tier_settings", "service_tier"),
    ],
)
async def test_what_may_not_be_read_is_not_taken_for_unset(forbidden: str, column: str) -> None:
    world = World()
    world.forbidden = {forbidden}
    answer = await review(world)
    assert [row[column] for row in answer["projects"]] == [UNREAD] * 3
    assert len(answer["unreadable"]) == 3
    assert not [kind for kind in findings(answer) if kind.endswith(column.removesuffix("_usd"))]
    assert "Not all could be read" in answer["text"]


async def test_unreadable_rate_limits_and_settings_of_the_organization_are_said() -> None:
    world = World()
    world.forbidden = {"list_project_rate_limits", "get_organization_spend_limit", "list_organization_spend_alerts"}
    answer = await review(world)
    assert [row["rate_limits"] for row in answer["projects"]] == [[UNREAD]] * 3
    assert answer["organization"]["spend_limit_usd"] == answer["organization"]["alerts_usd"] == UNREAD
    assert len(answer["unreadable"]) == 5


async def test_without_the_list_of_projects_there_is_nothing_to_say() -> None:
    world = World()
    world.forbidden = {"list_projects"}
    with pytest.raises(Permission):
        await review(world)


async def test_it_gets_there_where_the_api_asks_to_slow_down_again_and_again() -> None:
    assert await review(World(faults="429=40%")) == await review(World())


async def test_names_that_lie_keep_to_one_line_and_bare_answers_are_borne() -> None:
    world = World()
    calm = (await review(world))["text"].count("\n")
    lie = "Billing\nResearch | none\u202e"

    def spoil(tool: str, answer: Json) -> Json:
        if tool == "list_projects":
            return {**answer, "data": [{"id": row["id"], "name": lie} for row in answer["data"]]}
        return {key: value for key, value in answer.items() if key in {"data", "has_more"}}

    world.spoil = spoil
    answer = await review(world)
    assert answer["text"].count("\n") == calm
    assert answer["projects"][0]["name"] == lie
    assert "\u202e" not in answer["text"]


async def test_an_archived_project_is_left_out() -> None:
    world = World()
    world.post(f"{PROJECTS}/{world.named(PROJECTS, 'Billing')}/archive", None)
    assert [row["name"] for row in (await review(world))["projects"]] == ["Default project", "Research"]


async def test_a_large_review_is_cut_between_rows_and_can_be_gone_through() -> None:
    world = World(people=70, projects=300)
    seen: list[str] = []
    skip: int | None = 0
    while skip is not None:
        answer = await review(world, skip=skip)
        assert len(json.dumps(answer, ensure_ascii=False).encode()) <= 52_000
        seen += [row["id"] for row in answer["projects"]]
        skip = int(answer["more"].rpartition("skip=")[2].rstrip(".")) if "more" in answer else None
    assert seen == [project["id"] for project in world.all(PROJECTS)]
