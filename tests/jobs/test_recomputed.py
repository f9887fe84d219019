"""Each report says of three seeds and of a grown organization what its plain answers come to, worked out here."""

from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.reports.find import Find
from admin_mcp.jobs.reports.report_activity import ReportActivity
from admin_mcp.jobs.reports.report_spend import ReportSpend
from admin_mcp.jobs.reports.review_access import ReviewAccess
from admin_mcp.jobs.reports.review_keys import ReviewKeys
from admin_mcp.jobs.reports.review_settings import ReviewSettings
from tests.jobs.world import DAY, NOW, World

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("recomputed")]
ORG = "/organization"
PROJECTS, USERS = f"{ORG}/projects", f"{ORG}/users"
TODAY = int(NOW) // DAY
USAGE = ("completions", "decisions", "embeddings", "moderations", "images", "audio_speeches", "audio_transcriptions")
SIZES = {"0": (0, 70, 13), "7": (7, 70, 13), "2026": (2026, 70, 13), "grown": (5, 2_000, 300)}


@pytest.fixture(scope="module", params=SIZES)
def world(request: pytest.FixtureRequest) -> World:
    return World(*SIZES[request.param])


def in_projects(world: World, path: str, **query: str) -> list[Json]:
    found = []
    for project in world.all(PROJECTS):
        found += world.get(f"{PROJECTS}/{project['id']}/{path}", limit="100", **query)["data"]
    return found


def spent(world: World, by: str | None, first: int, past: int) -> dict[str | None, Fraction]:
    """Add up the cents of some days."""
    sums: dict[str | None, Fraction] = {}
    for day in range(first, past):
        grouped = {"group_by": by} if by else {}
        query = {"start_time": str(day * DAY), "end_time": str((day + 1) * DAY), "limit": "1", **grouped}
        for bucket in world.get(f"{ORG}/costs", **query)["data"]:
            for result in bucket["results"]:
                name = result[by] if by else str(datetime.fromtimestamp(bucket["start_time"], UTC).date())
                sums[name] = sums.get(name, Fraction(0)) + Fraction(repr(result["amount"]["value"])) * 100
    return sums


def dollars(world: World, path: str) -> float | None:
    found = world.found(path)
    return None if found is None else found["threshold_amount"] / 100


async def test_find(world: World) -> None:
    shown: list[str] = []
    while True:
        given: dict[str, Any] = {"skip": len(shown)} if shown else {}
        answer = await world.report(Find(query="ortiz", kinds=["person"], **given))
        shown += [row["id"] for row in answer["found"]]
        if "more" not in answer:
            break
    expected = {user["id"] for user in world.all(USERS) if "ortiz" in f"{user['name']} {user['email']}".casefold()}
    assert expected <= set(shown)
    assert len(shown) == len(set(shown)) == answer["total"]
    assert set(shown[: len(expected)]) == expected  # what only looks like it comes after


async def test_review_access(world: World) -> None:
    totals = (await world.report(ReviewAccess()))["totals"]
    users = world.all(USERS)
    used = {user["id"]: user.get("api_key_last_used_at") for user in users}
    before = NOW - 90 * DAY
    domains = Counter(user["email"].partition("@")[2] for user in users)
    roles = {user["id"]: world.all(f"{USERS}/{user['id']}/roles") for user in users}
    assert totals["people"] == len(users)
    assert totals["owners"] == sum(any(role["name"] == "owner" for role in held) for held in roles.values())
    assert totals["groups"] == len(world.all(f"{ORG}/groups"))
    assert totals["projects"] == len(world.all(PROJECTS))
    assert totals["service_accounts"] == len(in_projects(world, "service_accounts"))
    assert totals["outside_domain"] == len(users) - domains.most_common(1)[0][1]
    assert totals["inactive"] == sum((used[user["id"]] or before) < before for user in users)
    assert totals["never_active"] == sum(not used[user["id"]] and user["added_at"] < before for user in users)
    invites = [row for row in world.all(f"{ORG}/invites") if not row.get("accepted_at")]
    assert totals["invites_pending"] + totals["invites_expired"] == len(invites)


async def test_review_keys(world: World) -> None:
    totals = (await world.report(ReviewKeys(max_age_days=120, unused_days=5)))["totals"]
    admin = world.all(f"{ORG}/admin_api_keys")
    own = in_projects(world, "api_keys", owner_project_access="any")
    people = {user["id"]: user["role"] for user in world.all(USERS)}
    owners = [key["owner"]["user"]["id"] for key in own if "user" in key["owner"] and key["owner"]["user"]]
    last = spent(world, "api_key_id", TODAY - 29, TODAY + 1)
    assert totals["admin"] == len(admin)
    assert totals["keys"] == len(own) + len(admin)
    assert totals["personal"] == len(owners)
    assert totals["service_account"] == len(own) - len(owners)
    known = {key["id"] for key in (*own, *admin)}
    assert totals["cents_30d"] == round(sum(cents for key, cents in last.items() if key in known))
    counts = Counter(totals["findings"])
    living = [key for key in (*own, *admin) if not key.get("expires_at") or key["expires_at"] > NOW]
    assert counts["owner_gone"] == sum(owner not in people for owner in owners)
    assert counts["owner_of_organization"] == sum(people.get(owner) == "owner" for owner in owners)
    assert counts["no_expiry"] == sum(not key.get("expires_at") for key in living)
    assert counts["old"] == sum(int((NOW - key["created_at"]) // DAY) > 120 for key in living)
    idle = {key["id"]: days_idle(world, key) for key in living}
    assert counts["unused"] == sum(days is not None and days > 5 for days in idle.values())
    never = [key for key in living if idle[key["id"]] is None]
    assert counts["never_used"] == sum(NOW - key["created_at"] >= 7 * DAY for key in never) > 0
    assert counts["expired"] == len(own) + len(admin) - len(living)
    apart = [key for key in living if key.get("owner_project_access") == "inactive"]
    assert counts["owner_not_in_project"] == sum(owner_of(key) in people for key in apart)


def owner_of(key: Json) -> str | None:
    owner = key["owner"].get("user") or key["owner"].get("service_account")
    return None if owner is None else owner["id"]


def days_idle(world: World, key: Json) -> int | None:
    """Return how many days ago a key was used last, or cost something; None if neither ever was."""
    used = [int(key["last_used_at"]) // DAY] if key.get("last_used_at") else []
    days = [*used, *([paid] if (paid := last_paid(world).get(key["id"])) else [])]
    return TODAY - max(days) if days else None


@cache
def last_paid(world: World) -> dict[str | None, int]:
    """Return the last of thirty days on which each key cost something."""
    found: dict[str | None, int] = {}
    for day in range(TODAY - 29, TODAY + 1):
        found |= {key: day for key, cents in spent(world, "api_key_id", day, day + 1).items() if cents > 0}
    return found


@pytest.mark.parametrize(
    ("by", "group"),
    [
        ("project", "project_id"),
        ("person", "user_id"),
        ("key", "api_key_id"),
        ("line_item", "line_item"),
        ("day", None),
    ],
)
async def test_report_spend(world: World, by: Any, group: str | None) -> None:
    period = ReportSpend(period="3d", by=by, compare="none", top=5000).in_one()
    answer = await world.report(period)
    expected = spent(world, group, TODAY - 2, TODAY + 1)
    people = {user["id"] for user in world.all(USERS)}
    by_person = spent(world, "user_id", TODAY - 2, TODAY + 1)
    shown = {row.get("id") or row["name"]: row["cents"] for row in answer["rows"]}
    assert shown == {name: round(cents) for name, cents in expected.items()}
    assert answer["totals"]["cents"] == round(sum(expected.values()))
    nobody = sum(cents for name, cents in by_person.items() if name not in people)
    assert answer["totals"]["no_person_cents"] == round(nobody)


async def test_report_spend_by_model(world: World) -> None:
    answer = await world.report(ReportSpend(period="3d", by="model", compare="none", top=5000).in_one())
    tokens: Counter[str | None] = Counter()
    requests: Counter[str | None] = Counter()
    for kind in USAGE:
        for day in range(TODAY - 2, TODAY + 1):
            query = {"start_time": str(day * DAY), "end_time": str((day + 1) * DAY), "limit": "1", "group_by": "model"}
            for bucket in world.get(f"{ORG}/usage/{kind}", **query)["data"]:
                for result in bucket["results"]:
                    tokens[result["model"]] += result.get("input_tokens", 0) + result.get("output_tokens", 0)
                    requests[result["model"]] += result["num_model_requests"]
    assert {row["name"]: row["tokens"] for row in answer["rows"]} == dict(tokens)
    assert {row["name"]: row["requests"] for row in answer["rows"]} == dict(requests)
    assert answer["totals"]["tokens"] == tokens.total() > 0


async def test_report_activity(world: World) -> None:
    totals = (await world.report(ReportActivity(period="366d")))["totals"]
    since = str((TODAY - 365) * DAY)
    log = world.get(f"{ORG}/audit_logs", **{"effective_at[gte]": since, "limit": "100"})
    assert log["has_more"] is False
    actors = [entry["actor"].get("session") or entry["actor"]["api_key"] for entry in log["data"]]
    assert totals["complete"] is True
    assert totals["events"] == len(log["data"]) > 0
    assert totals["actors"] == len({actor["user"]["id"] for actor in actors})
    assert totals["addresses"] == len({actor["ip_address"] for actor in actors if actor.get("ip_address")})


async def test_review_settings(world: World) -> None:
    shown: list[Json] = []
    while True:
        answer = await world.report(ReviewSettings.model_validate({"skip": len(shown)}))
        shown += answer["projects"]
        if "more" not in answer:
            break
    projects = world.all(PROJECTS)
    assert [row["id"] for row in shown] == [project["id"] for project in projects]
    for row in shown:
        path = f"{PROJECTS}/{row['id']}"
        assert row["spend_limit_usd"] == dollars(world, f"{path}/spend_limit")
        alerts = [alert["threshold_amount"] / 100 for alert in world.all(f"{path}/spend_alerts")]
        assert row["alerts_usd"] == sorted(alerts)
        assert (row["models"] == "all") is (world.found(f"{path}/model_permissions") is None)
    assert answer["totals"]["projects"] == len(projects)
    assert answer["totals"]["with_spend_limit"] == sum(row["spend_limit_usd"] is not None for row in shown)
    assert answer["totals"]["with_alerts"] == sum(bool(row["alerts_usd"]) for row in shown)
    assert answer["totals"]["with_own_models"] == sum(row["models"] != "all" for row in shown)
