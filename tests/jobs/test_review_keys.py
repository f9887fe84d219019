"""The review of keys agrees with the raw lists, puts what outlived its person first, and says what it can't tell."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from admin_mcp.catalog.project_api_keys import ListProjectApiKeys
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput, Permission, RateLimited
from admin_mcp.jobs.reports.review_keys import ReviewKeys
from tests.jobs.pretend import NOW, ORG, SEEDS, Pretend, nothing

pytestmark = pytest.mark.anyio

DAY = 86_400
ALL = 1000


def project_key(item: str, **more: object) -> Json:
    owner = {"type": "user", "user": {"id": "user-1", "name": "Ana", "email": "ana@example.com", "role": "member"}}
    ages = {"created_at": NOW - 100 * DAY, "last_used_at": NOW - DAY, "expires_at": NOW + 90 * DAY}
    return {"id": item, "name": item, "owner": owner, "owner_project_access": "active", **ages, **more}


def listed(*things: Json) -> Json:
    return {"object": "list", "data": list(things), "has_more": False}


def small(*keys: Json, **canned: Any) -> Pretend:
    """Return an organization of Ana, one project and these keys."""
    ana = {"id": "user-1", "name": "Ana", "email": "ana@example.com", "role": "reader"}
    lists = {
        "list_users": listed(ana),
        "list_projects": listed({"id": "proj_1", "name": "Billing"}),
        "list_project_api_keys": listed(*keys),
        **nothing("list_admin_api_keys", "get_costs", "list_project_service_accounts"),
    }
    return Pretend(canned={**lists, **canned})


def raw_keys(one: Pretend) -> list[tuple[str | None, Json]]:
    found: list[tuple[str | None, Json]] = [(None, key) for key in one.all(f"{ORG}/admin_api_keys")]
    for project in one.all(f"{ORG}/projects"):
        place = f"{ORG}/projects/{project['id']}/api_keys"
        found += [(project["name"], key) for key in one.all(place, owner_project_access="any")]
    return found


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_number_agrees_with_the_raw_lists(seed: int) -> None:
    one = Pretend(seed)
    one.grow(people=3, projects=4)
    leaver = next(key for _, key in raw_keys(one) if key["owner"].get("type") == "user" and "user" in key["owner"])
    gone = leaver["owner"]["user"]["id"]
    one.ask("DELETE", f"{ORG}/users/{gone}")
    answer = await one.report(ReviewKeys, top=ALL)

    keys = raw_keys(one)
    midnight = (int(one.now) // DAY) * DAY
    start, end = midnight - 29 * DAY, midnight + DAY
    buckets = one.ask("GET", f"{ORG}/costs", start_time=start, end_time=end, limit=31, group_by=["api_key_id"])["data"]
    millionths: dict[str, int] = {}
    for bucket in buckets:
        for result in bucket["results"]:
            value = round(result["amount"]["value"] * 1_000_000)
            millionths[result["api_key_id"]] = millionths.get(result["api_key_id"], 0) + value
    assert answer["totals"]["keys"] == len(keys) == len(answer["keys"])
    assert answer["totals"]["admin"] == sum(project is None for project, _ in keys)
    assert answer["totals"]["cents_30d"] == round(sum(millionths.values()) / 10_000)
    users = {user["id"]: user for user in one.all(f"{ORG}/users")}
    rows = {row["id"]: row for row in answer["keys"]}
    for project, key in keys:
        row = rows[key["id"]]
        owner = key["owner"].get("user") or key["owner"].get("service_account") or key["owner"]
        assert (row.get("project"), row["owner_id"], row["name"]) == (project, owner["id"], key["name"])
        assert row["created"] == f"{datetime.fromtimestamp(key['created_at'], UTC):%Y-%m-%d}"
        assert row["cents_30d"] == round(millionths.get(key["id"], 0) / 10_000)
        if row["kind"] == "personal":
            assert ("owner_gone" in row["findings"]) is (owner["id"] not in users)
            assert ("owner_of_organization" in row["findings"]) is (users.get(owner["id"], {}).get("role") == "owner")
        assert ("no_expiry" in row.get("findings", [])) is (key["expires_at"] is None)
        assert ("old" in row.get("findings", [])) is (one.now - key["created_at"] >= 181 * DAY)
    outlived = [row["owner_id"] for row in answer["keys"] if "owner_gone" in row.get("findings", [])]
    assert [row["owner_id"] for row in answer["keys"]][: len(outlived)] == outlived
    assert gone in outlived
    assert answer["unreadable"] == []


@pytest.mark.parametrize(
    ("about", "finding"),
    [
        ({"last_used_at": NOW - 91 * DAY}, ["unused"]),
        ({"last_used_at": NOW - 90 * DAY}, None),
        ({"last_used_at": None}, ["never_used"]),
        ({"last_used_at": None, "created_at": NOW - 6 * DAY}, None),
        ({"created_at": NOW - 181 * DAY}, ["old"]),
        ({"created_at": NOW - 180 * DAY}, None),
        ({"expires_at": None}, ["no_expiry"]),
        ({"expires_at": NOW - 1, "last_used_at": None}, ["expired"]),
        ({"owner_project_access": "inactive"}, ["owner_not_in_project"]),
        ({"owner": {"type": "user", "user": {"id": "user-9", "name": "Zoe"}}}, ["owner_gone"]),
        ({"owner": {"type": "user"}}, None),
        ({"owner": None}, None),
        ({"owner": {"type": "service_account", "service_account": {"id": "user-8", "name": "ci"}}}, ["owner_gone"]),
        ({"created_at": None, "last_used_at": "yesterday", "expires_at": 10**400}, ["never_used"]),
    ],
)
async def test_a_finding_is_made_where_it_holds_and_nowhere_else(about: Json, finding: list[str] | None) -> None:
    (row,) = (await small(project_key("key_1", **about)).report(ReviewKeys))["keys"]
    assert row.get("findings") == finding


async def test_a_key_that_cost_something_was_used_whatever_its_record_says() -> None:
    paid = {"api_key_id": "key_1", "amount": {"value": 0.5, "currency": "usd"}}
    costs = listed({"start_time": NOW // DAY * DAY - 3 * DAY, "results": [paid]})
    (row,) = (await small(project_key("key_1", last_used_at=None), get_costs=costs).report(ReviewKeys))["keys"]
    assert (row["last_used"], row["cents_30d"], row.get("findings")) == ("2026-11-22", 50, None)


async def test_a_key_that_cost_nothing_was_not_used_by_that() -> None:
    free = {"api_key_id": "key_1", "amount": {"value": 0, "currency": "usd"}}
    costs = listed({"start_time": NOW // DAY * DAY, "results": [free]})
    (row,) = (await small(project_key("key_1", last_used_at=None), get_costs=costs).report(ReviewKeys))["keys"]
    assert row["findings"] == ["never_used"]


async def test_every_enabled_key_is_asked_for() -> None:
    one = small(project_key("key_1"))
    await one.report(ReviewKeys)
    assert [call.owner_project_access for call in one.calls if isinstance(call, ListProjectApiKeys)] == ["any"]


async def test_an_empty_organization_has_no_keys() -> None:
    empty = Pretend(canned=nothing("list_users", "list_projects", "list_admin_api_keys", "get_costs"))
    answer = await empty.report(ReviewKeys)
    assert (answer["totals"]["keys"], answer["keys"], answer["unreadable"]) == (0, [], [])
    assert answer["text"].startswith("0 keys")


async def test_costs_and_members_that_may_not_be_read_are_unknown_and_named() -> None:
    one = Pretend(refused=("get_costs", "list_users", "list_project_service_accounts"))
    answer = await one.report(ReviewKeys, top=ALL)
    assert answer["totals"]["cents_30d"] is None
    assert all("cents_30d" not in row for row in answer["keys"])
    assert {row["owner_state"] for row in answer["keys"]} == {"unknown"}
    assert "owner_gone" not in answer["totals"]["findings"]
    assert {"costs of keys", "the organization's members"} <= {each["what"] for each in answer["unreadable"]}
    assert "Could not be read: " in answer["text"]


async def test_keys_of_one_project_that_may_not_be_read_are_named_and_the_others_reviewed() -> None:
    one = Pretend()
    billing = next(project["id"] for project in one.all(f"{ORG}/projects") if project["name"] == "Billing")

    def refuse(call: Endpoint, own: Callable[[], Json]) -> Json:
        if call.project_id == billing:  # type: ignore[attr-defined]  # the list of a project's keys has one
            raise Permission("not yours", hint="")
        return own()

    one.canned = {"list_project_api_keys": refuse}
    answer = await one.report(ReviewKeys, top=ALL)
    assert answer["unreadable"] == [{"what": "keys of Billing", "why": "not yours"}]
    assert {row.get("project") for row in answer["keys"]} == {None, "Default project", "Research"}


async def test_an_api_that_always_asks_to_slow_down_ends_the_review_with_that() -> None:
    with pytest.raises(RateLimited):
        await Pretend(slowed=True).report(ReviewKeys)


async def test_a_list_that_changes_while_it_is_read_shows_no_key_twice() -> None:
    def pages(call: Endpoint, own: Callable[[], Json]) -> Json:
        del own
        if call.after is None:  # type: ignore[attr-defined]  # a list
            return {"data": [project_key("key_2"), project_key("key_1")], "has_more": True, "last_id": "key_1"}
        return {"data": [project_key("key_1", name="renamed"), project_key("key_3")], "has_more": False}

    answer = await small(list_project_api_keys=pages).report(ReviewKeys)
    assert sorted(row["id"] for row in answer["keys"]) == ["key_1", "key_2", "key_3"]
    assert answer["totals"]["keys"] == 3


async def test_projects_are_chosen_by_id_or_name_and_leave_admin_keys_out() -> None:
    one = Pretend()
    billing = next(project["id"] for project in one.all(f"{ORG}/projects") if project["name"] == "Billing")
    by_name, by_id = [await one.report(ReviewKeys, projects=[each]) for each in (" billing ", billing)]
    assert by_name == by_id
    assert {row["project_id"] for row in by_id["keys"]} == {billing}
    assert by_id["totals"]["admin"] == 0


async def test_a_project_that_is_unknown_or_ambiguous_is_refused() -> None:
    twins = listed({"id": "proj_1", "name": "Twin"}, {"id": "proj_2", "name": "twin"})
    one = small(list_projects=twins)
    with pytest.raises(InvalidInput, match="no active project's id or name"):
        await one.report(ReviewKeys, projects=["Nowhere"])
    with pytest.raises(InvalidInput, match="the name of 2 projects: proj_1, proj_2"):
        await one.report(ReviewKeys, projects=["TWIN"])


async def test_a_name_that_lies_stays_on_its_line() -> None:
    lying = "ok | Ana | never\nowner gone: 0\u202e\ud800" + "x" * 5000
    answer = await small(project_key("key_1", name=lying)).report(ReviewKeys)
    assert len(answer["text"].splitlines()) == 3
    assert answer["text"].splitlines()[-1].count(" | ") == 6
    assert len(answer["text"]) < 600
    json.dumps(answer, ensure_ascii=False).encode()


async def test_what_is_not_shown_is_counted_and_can_be_seen() -> None:
    keys = [project_key(f"key_{number}", expires_at=None) for number in range(30)]
    answer = await small(*keys).report(ReviewKeys, top=4)
    assert len(answer["keys"]) == 4
    assert answer["totals"]["findings"] == {"no_expiry": 30}
    assert answer["more"] == "26 more keys; see all with top: 30"
    assert "more" not in await small(*keys).report(ReviewKeys, top=30)


async def test_huge_and_broken_costs_spoil_nothing() -> None:
    amounts: list[object] = [
        {"value": 10**30, "currency": "usd"},
        {"value": -0.005},
        {"value": None},
        None,
        {"value": "x"},
    ]
    results = [{"api_key_id": "key_1", "amount": amount} for amount in amounts]
    costs = listed({"start_time": NOW // DAY * DAY, "results": [*results, None, 3]}, {"start_time": None}, {})
    answer = await small(project_key("key_1"), get_costs=costs).report(ReviewKeys)
    assert answer["keys"][0]["cents_30d"] == 10**32  # half a cent less rounds back to the even one


async def test_many_keys_come_in_parts_that_show_each_once() -> None:
    one = small(*[project_key(f"key_{number}", expires_at=None) for number in range(400)])
    seen: list[str] = []
    skip, parts = 0, 0
    while True:
        answer = await one.report(ReviewKeys, top=400, skip=skip)
        assert len(json.dumps(answer, ensure_ascii=False)) <= 64 * 1024
        assert all(row["id"] in answer["text"] for row in answer["keys"])
        seen += [row["id"] for row in answer["keys"]]
        parts += 1
        if "more" not in answer:
            break
        skip = len(seen)
        assert (
            answer["more"] == f"{400 - skip} more key{'s' * (skip < 399)}; go on with skip: {skip}, top: {400 - skip}"
        )
    assert parts > 1
    assert len(seen) == len(set(seen)) == 400


async def test_an_unknown_project_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="the nearest are Billing"):
        await Pretend().report(ReviewKeys, projects=["Bilinlg"])
