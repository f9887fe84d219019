"""The report on activity tells the audit log as it is: who did what to whom and from where, the sensitive first."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput, Permission, RateLimited
from admin_mcp.jobs.reports.report_activity import MOST_EVENTS, ReportActivity
from admin_mcp.jobs.trail import KNOWN, concern_of, matching_types
from tests.jobs.pretend import NOW, ORG, SEEDS, Pretend, nothing

pytestmark = pytest.mark.anyio

DAY = 86_400
ADDRESS = "203.0.113.5"
ZOE = {"type": "session", "session": {"ip_address": ADDRESS, "user": {"id": "user-9", "email": "zoe@example.com"}}}


def entry(number: int, kind: str, payload: object = None, **more: object) -> Json:
    about = {"id": f"audit_{number}", "type": kind, "effective_at": NOW - number * 60, "actor": ZOE}
    return {**about, kind: {"id": f"thing-{number}"} if payload is None else payload, **more}


def small(*entries: Json, **canned: Any) -> Pretend:
    """Return an organization with this log, the newest entry first, and nothing else."""
    lists = nothing("list_users", "list_groups", "list_roles", "list_admin_api_keys", "list_project_api_keys")
    lists |= nothing("list_project_service_accounts")
    log = {"data": list(entries), "has_more": False}
    return Pretend(canned={"list_audit_logs": log, **lists, **canned})


def raw_log(one: Pretend, start: int, end: int, **filters: object) -> list[Json]:
    """Read the log by its pages, past every reader."""
    entries: list[Json] = []
    while True:
        after = {"after": entries[-1]["id"]} if entries else {}
        query: dict[str, Any] = {"effective_at__gte": start, "effective_at__lt": end, "limit": 100, **filters, **after}
        page = one.ask("GET", f"{ORG}/audit_logs", **query)
        entries += page["data"]
        if not page["has_more"]:
            return entries


def actor_of(event: Json) -> Json:
    session, key = event["actor"].get("session"), event["actor"].get("api_key")
    found: Json = session or key
    return found


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_row_agrees_with_the_raw_log(seed: int) -> None:
    one = Pretend(seed)
    one.grow(people=60, projects=3)
    answer = await one.report(ReportActivity, period="300d", top=1000)
    start = NOW // DAY * DAY - 299 * DAY
    log = raw_log(one, start, NOW // DAY * DAY + DAY)
    assert len(log) > 100
    assert answer["totals"]["events"] == sum(row["count"] for row in answer["rows"]) == len(log)
    expected: Counter[tuple[str, str, str | None]] = Counter()
    moments: dict[tuple[str, str, str | None], list[int]] = {}
    for event in log:
        actor = actor_of(event)
        key = (event["type"], actor["user"]["id"], actor.get("ip_address"))
        expected[key] += 1
        moments.setdefault(key, []).append(event["effective_at"])
    assert {(row["what"], row["who_id"], row.get("ip")): row["count"] for row in answer["rows"]} == dict(expected)
    for row in answer["rows"]:
        first, last = (
            f"{datetime.fromtimestamp(pick(moments[row['what'], row['who_id'], row.get('ip')]), UTC):%Y-%m-%dT%H:%MZ}"
            for pick in (min, max)
        )
        assert (row["first"], row.get("last", row["first"])) == (first, last)
    users = {user["id"]: user["name"] for user in one.all(f"{ORG}/users")}
    assert all(row["who"] == users[row["who_id"]] for row in answer["rows"])
    assert answer["totals"]["actors"] == len({actor_of(event)["user"]["id"] for event in log})
    assert answer["totals"]["addresses"] == len({actor_of(event).get("ip_address") for event in log} - {None})
    sensitive = ["concern" in row for row in answer["rows"]]
    assert sensitive == sorted(sensitive, reverse=True)
    assert answer["totals"]["sensitive"] == sum(row["count"] for row in answer["rows"] if "concern" in row) > 0
    assert answer["totals"]["complete"] is True
    assert answer["unreadable"] == []


async def test_who_deleted_what_from_which_address_is_answered() -> None:
    one = small(
        entry(1, "project.archived", {"id": "proj_1"}, project={"id": "proj_1", "name": "Billing"}),
        entry(2, "certificate.deleted", {"id": "cert_1", "name": "Gateway"}),
        entry(3, "certificate.deleted", {"id": "cert_2", "name": "Edge"}),
    )
    answer = await one.report(ReportActivity, period="today", what="who deleted")
    (asked,) = [call for call in one.calls if type(call).SPEC.name == "list_audit_logs"]
    assert {"project.archived", "certificate.deleted", "external_key.removed"} <= set(
        asked.event_types  # type: ignore[attr-defined]  # the audit log's
    )
    assert not any("created" in kind for kind in asked.event_types)  # type: ignore[attr-defined]
    certificates, project = answer["rows"]
    assert certificates["targets"] == [{"id": "cert_1", "name": "Gateway"}, {"id": "cert_2", "name": "Edge"}]
    assert (certificates["count"], certificates["ip"], certificates["who"]) == (2, ADDRESS, "zoe@example.com")
    assert project["targets"] == [{"id": "proj_1", "name": "Billing"}]
    assert f"2x certificate.deleted | zoe@example.com | Gateway, Edge | {ADDRESS}" in answer["text"]


@pytest.mark.parametrize(
    ("words", "holds", "lacks"),
    [
        ("deleted", "user.deleted", "user.added"),
        ("deletions", "invite.deleted", "invite.sent"),
        ("removed", "external_storage.removed", "external_storage.registered"),
        ("api_key", "api_key.created", "invite.sent"),
        ("keys deleted", "api_key.deleted", "api_key.created"),
        ("what roles", "role.assignment.created", "user.added"),
        ("failed login", "login.failed", "login.succeeded"),
        ("login.failed", "login.failed", "logout.failed"),
        ("IP_ALLOWLIST", "ip_allowlist.updated", "login.failed"),
        ("certificates", "certificates.activated", "api_key.created"),
        ("sensitive", "api_key.created", "invite.sent"),
    ],
)
def test_words_mean_types_of_event(words: str, holds: str, lacks: str) -> None:
    types = matching_types(words)
    assert holds in types
    assert lacks not in types
    assert set(types) <= set(KNOWN)


@pytest.mark.parametrize(
    ("kind", "concern"),
    [
        ("api_key.created", "keys"),
        ("api_key.invented_tomorrow", "keys"),
        ("user.updated", "access"),
        ("role.assignment.created", "access"),
        ("organization.updated", "data"),
        ("login.failed", "sign-in"),
        ("certificates.activated", "certificates"),
        ("ip_allowlist.deleted", "network"),
        ("login.succeeded", None),
        ("invite.sent", None),
        ("project.created", None),
        ("", None),
    ],
)
def test_what_an_auditor_looks_at_first_is_known_by_its_type(kind: str, concern: str | None) -> None:
    assert concern_of(kind) == concern


async def test_someone_is_found_by_name_address_email_or_id() -> None:
    one = Pretend()
    ana = next(user for user in one.all(f"{ORG}/users") if user["name"] == "Ana Ortiz")
    answers = [await one.report(ReportActivity, period="200d", who=who) for who in ("ortiz", ana["id"], ana["email"])]
    assert answers[0]["rows"] == answers[1]["rows"] == answers[2]["rows"] != []
    assert {row["who_id"] for row in answers[0]["rows"]} == {ana["id"]}
    arrived = (await one.report(ReportActivity, period="200d", who="192.0.2.7"))["rows"]
    assert {row["what"] for row in arrived} == {"invite.accepted"}
    assert {row["ip"] for row in arrived} == {"192.0.2.7"}


async def test_a_things_id_leads_to_what_happened_to_it() -> None:
    one = Pretend()
    project = next(project for project in one.all(f"{ORG}/projects") if project["name"] == "Billing")
    rows = (await one.report(ReportActivity, period="200d", what=project["id"]))["rows"]
    log = raw_log(one, 0, int(one.now), **{"resource_ids[]": project["id"]})
    assert {row["what"]: row["count"] for row in rows} == Counter(event["type"] for event in log)
    assert all(row["targets"] == [{"id": project["id"], "name": "Billing"}] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "field", "says"),
    [
        ({"who": "nobody at all"}, "who", "is no member's name"),
        ({"who": "a"}, "who", "fits "),
        ({"what": "dancing"}, "what", "fits no type of event"),
        ({"what": "the"}, "what", "fits no type of event"),
        ({"period": "2026-11-09..2026-11-01"}, "period", "ends before it begins"),
    ],
)
async def test_what_can_not_be_looked_for_is_refused_with_a_way_out(arguments: Json, field: str, says: str) -> None:
    one = Pretend()
    one.grow(people=30, projects=0)
    for number in range(30):
        one.ask("POST", f"{ORG}/invites", {"email": f"ana.{number}@example.com", "role": "reader", "projects": []})
    one.now += 60
    with pytest.raises(InvalidInput) as caught:
        await one.report(ReportActivity, **{"period": "today", **arguments})
    assert caught.value.param == field
    assert says in caught.value.message
    assert caught.value.hint


async def test_new_owners_and_failed_logins_are_findings() -> None:
    one = small(
        *(entry(number, "login.failed", {"error_code": "bad_password"}) for number in range(1, 5)),
        entry(7, "user.updated", {"id": "user-2", "changes_requested": {"role": "owner"}}),
        entry(8, "user.added", {"id": "user-2", "data": {"role": "member"}}),
        list_users={"data": [{"id": "user-2", "name": "Ben"}], "has_more": False},
    )
    answer = await one.report(ReportActivity, period="today")
    assert answer["findings"] == [
        f"4 failed logins from {ADDRESS}.",
        "Ben was made owner on 2026-11-25T18:23Z by zoe@example.com.",
    ]


async def test_a_role_that_was_given_names_who_got_it() -> None:
    given = entry(1, "role.assignment.created", {"id": "assignment-1", "principal_id": "group_1"})
    groups = {"data": [{"id": "group_1", "name": "Finance"}], "has_more": False}
    one = small(given, entry(2, "group.created", {"id": "group_2", "data": {"group_name": "Gone"}}), list_groups=groups)
    role, group = (await one.report(ReportActivity, period="today"))["rows"]
    assert role["targets"] == [{"id": "group_1", "name": "Finance"}]
    assert group["targets"] == [{"id": "group_2", "name": "Gone"}]


async def test_someone_who_was_deleted_is_called_what_the_log_knows() -> None:
    ben = {"session": {"user": {"id": "user-2", "email": "ben@example.com"}}}
    one = small(entry(1, "user.deleted", {"id": "user-2"}), entry(2, "login.succeeded", {}, actor=ben))
    rows = (await one.report(ReportActivity, period="today"))["rows"]
    assert rows[0]["targets"] == [{"id": "user-2", "name": "ben@example.com"}]


async def test_an_empty_log_tells_nothing() -> None:
    answer = await small().report(ReportActivity, period="last_week")
    assert answer["totals"] == {"events": 0, "sensitive": 0, "actors": 0, "addresses": 0, "complete": True}
    assert answer["rows"] == []
    assert "before what the API keeps" in "".join(answer["findings"])
    assert (
        answer["text"].splitlines()[0] == "2026-11-16..2026-11-22: 0 events, 0 sensitive, by 0 actors from 0 addresses."
    )


async def test_a_key_that_may_not_read_the_log_is_told_so() -> None:
    with pytest.raises(Permission):
        await Pretend(refused=("list_audit_logs",)).report(ReportActivity, period="today")


async def test_names_that_may_not_be_read_are_ids_and_that_is_said() -> None:
    refused = ("list_users", "list_groups", "list_roles", "list_project_service_accounts", "list_project_api_keys")
    answer = await Pretend(refused=refused).report(ReportActivity, period="200d", top=100)
    assert "names of roles" in {each["what"] for each in answer["unreadable"]}
    assert {row["who"] for row in answer["rows"]} >= {"ana.ortiz@example.com"}
    with pytest.raises(InvalidInput, match="members' names can't be read"):
        await Pretend(refused=refused).report(ReportActivity, period="200d", who="ana")


async def test_an_api_that_always_asks_to_slow_down_ends_the_report_with_that() -> None:
    with pytest.raises(RateLimited):
        await Pretend(slowed=True).report(ReportActivity, period="today")


async def test_a_log_that_grows_while_it_is_read_counts_each_entry_once() -> None:
    def pages(call: Endpoint, own: Callable[[], Json]) -> Json:
        del own
        if call.after is None:  # type: ignore[attr-defined]  # a list
            return {"data": [entry(1, "user.added"), entry(2, "user.added")], "has_more": True, "last_id": "audit_2"}
        return {"data": [entry(2, "user.added"), entry(3, "user.added")], "has_more": False, "last_id": "audit_3"}

    answer = await small(list_audit_logs=pages).report(ReportActivity, period="today")
    assert answer["totals"]["events"] == 3


async def test_a_log_whose_pages_go_round_ends_and_says_that_it_is_not_all() -> None:
    round_and_round = {"data": [entry(1, "login.failed")], "has_more": True, "last_id": "audit_1"}
    answer = await small(list_audit_logs=round_and_round).report(ReportActivity, period="today")
    assert answer["totals"] | {"events": 1, "complete": False} == answer["totals"]


async def test_of_a_log_that_is_too_long_the_sensitive_part_is_still_looked_for() -> None:
    def pages(call: Endpoint, own: Callable[[], Json]) -> Json:
        del own
        asked = call.model_dump(exclude_unset=True)
        if "event_types" in asked:
            assert "login.succeeded" not in asked["event_types"]
            return {"data": [entry(9, "api_key.deleted", id="audit_key")], "has_more": False}
        begin = int(str(asked.get("after", "audit_0")).removeprefix("audit_"))
        entries = [
            {**entry(number, "login.succeeded", {}), "effective_at": NOW} for number in range(begin, begin + 100)
        ]
        return {"data": entries, "has_more": True, "last_id": f"audit_{begin + 100}"}

    answer = await small(list_audit_logs=pages).report(ReportActivity, period="today")
    assert answer["totals"]["complete"] is False
    assert answer["totals"]["events"] == MOST_EVENTS + 1
    assert answer["rows"][0]["what"] == "api_key.deleted"
    assert "too long for one report" in answer["text"]


async def test_entries_that_lack_everything_spoil_nothing_and_are_counted() -> None:
    broken: list[Any] = [
        {},
        {"id": None, "type": None, "effective_at": None},
        {"id": "a", "type": "user.added", "effective_at": 10**400},
        {"id": "b", "type": "user.added", "effective_at": NOW - 5, "actor": None, "user.added": None, "project": None},
        {"id": "c", "type": "user.added", "effective_at": NOW - 6, "actor": {"session": {"user": {"id": 7}}}},
        {"id": "d", "type": "dance.began", "effective_at": NOW - 7, "dance.began": [1]},
        None,
    ]
    answer = await small(*broken).report(ReportActivity, period="today")
    assert answer["totals"]["events"] == 3
    assert answer["findings"] == [
        "Types of event that are not documented: dance.began.",
        "3 entries without a time or a type left out.",
    ]
    assert {row["who"] for row in answer["rows"]} == {"(unknown)"}


async def test_names_that_lie_stay_on_their_line() -> None:
    lying = "Ana | ok\n2x user.deleted | you\u202e\ud800"
    actor = {"session": {"ip_address": f"{ADDRESS}\nok", "user": {"id": "user-9", "email": lying}}}
    given = entry(1, "certificate.deleted", {"id": "cert_1", "name": lying}, actor=actor)
    answer = await small(given).report(ReportActivity, period="today")
    assert len(answer["text"].splitlines()) == 3
    assert answer["text"].splitlines()[-1].count(" | ") == 4
    json.dumps(answer, ensure_ascii=False).encode()


async def test_what_is_not_shown_can_be_seen() -> None:
    log = [entry(number, kind) for number, kind in enumerate(KNOWN[:30], 1)]
    answer = await small(*log).report(ReportActivity, period="today", top=5)
    assert len(answer["rows"]) == 5
    assert answer["more"].startswith("25 more rows; see all with top: 30")
    assert answer["totals"]["events"] == 30


async def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="the nearest are Ana Ortiz"):
        await Pretend().report(ReportActivity, period="30d", who="ana ortizz")


async def test_a_period_that_begins_before_the_log_says_when_that_begins() -> None:
    one = small(entry(0, "project.created"), entry(2 * 24 * 60, "project.created"))
    answer = await one.report(ReportActivity, period="30d")
    assert [f"{datetime.fromtimestamp(NOW - 2 * DAY, UTC):%Y-%m-%dT%H:%MZ}" in each for each in answer["findings"]] == [
        True
    ]
    assert "The log begins at" in answer["findings"][0]
    assert answer["findings"][0] in answer["text"]


@pytest.mark.parametrize(
    "asked", [{"period": "3d"}, {"period": "30d", "who": "zoe@example.com"}, {"period": "30d", "what": "projects"}]
)
async def test_a_log_that_is_asked_for_in_part_or_from_its_first_day_on_says_nothing_of_its_beginning(
    asked: Json,
) -> None:
    one = small(entry(0, "project.created"), entry(2 * 24 * 60, "project.created"))
    assert "The log begins at" not in str(await one.report(ReportActivity, **asked))
