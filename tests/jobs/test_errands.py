"""What an admin asks for is one call through the server, costs the model little, and is what plain HTTP says.

Each errand is run on a seed and on a grown organization, whose answers may be cut but never longer for that.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.cost import tokens
from tests.jobs.plain_http import PlainHttp, Row
from tests.sandbox.serving import served
from tests.sessions import KEY, LEGACY, Session, session

pytestmark = pytest.mark.anyio
DAY = 86_400
SIZES = {"seed": (70, 13), "grown": (400, 60)}


@dataclass
class Organization:
    url: str
    plain: PlainHttp
    grown: bool
    people: int
    projects: int

    def budget(self, seed: int, grown: int) -> int:
        return grown if self.grown else seed

    @asynccontextmanager
    async def errand(self, directory: Path, most_tokens: int, most_calls: int = 1) -> AsyncIterator["Errand"]:
        env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": self.url, "ADMIN_MCP_STATE_DIR": str(directory)}
        async with session(LEGACY, env=env) as server:
            errand = Errand(server)
            yield errand
            assert 0 < errand.calls <= most_calls
            assert errand.tokens <= most_tokens
            assert server.asked == []  # nobody is asked to approve what only reads


class Errand:
    """Calls, counted."""

    def __init__(self, server: Session) -> None:
        self._server = server
        self.calls = 0
        self.tokens = 0

    async def call(self, tool: str, **arguments: object) -> Row:
        answer = await self._server.call(tool, **arguments)
        assert "error" not in answer, answer
        assert answer.get("unreadable", []) == []
        self.calls += 1
        self.tokens += tokens(answer)
        return answer

    async def error(self, tool: str, **arguments: object) -> Row:
        answer = await self._server.error(tool, **arguments)
        self.calls += 1
        self.tokens += tokens(answer)
        return answer


@pytest.fixture(scope="module", params=SIZES)
def organization(request: pytest.FixtureRequest) -> Iterator[Organization]:
    people, projects = SIZES[request.param]
    with served("--people", str(people), "--projects", str(projects)) as url, PlainHttp(url) as plain:
        yield Organization(url, plain, request.param == "grown", people, projects)


def keys_of(plain: PlainHttp) -> list[Row]:
    found = plain.all("/admin_api_keys")
    for project in plain.all("/projects"):
        found += plain.all(f"/projects/{project['id']}/api_keys", owner_project_access="any")
    return found


def finding(answer: Row, kind: str) -> Row:
    (found,) = [each for each in answer["findings"] if each["kind"] == kind]
    row: Row = found
    return row


def month(ago: int) -> tuple[int, int]:
    """Return when a month began and ended."""
    end = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(ago - 1):
        end = (end - timedelta(days=1)).replace(day=1)
    return int((end - timedelta(days=1)).replace(day=1).timestamp()), int(end.timestamp())


async def test_everybodys_access_is_reviewed(organization: Organization, tmp_path: Path) -> None:
    async with organization.errand(tmp_path, organization.budget(6_000, 14_000)) as errand:
        answer = await errand.call("review_access")
    users = organization.plain.all("/users")
    assert answer["totals"]["people"] == len(users) == organization.people
    assert answer["totals"]["projects"] == organization.projects
    assert answer["totals"]["owners"] == sum(user["role"] == "owner" for user in users)
    roles = {row["id"]: row["roles"] for row in answer["people"]}
    assert all(user["role"] in roles[user["id"]] for user in users if user["id"] in roles)
    assert ("more" in answer) is (len(roles) < len(users)) is organization.grown


async def test_who_is_not_active_is_told_person_by_person(organization: Organization, tmp_path: Path) -> None:
    told: dict[str, str | None] = {}
    budget = organization.budget(6_000, 70_000)
    async with organization.errand(tmp_path, budget, organization.budget(1, 8)) as errand:
        while True:
            answer = await errand.call("review_access", inactive_days=60, **({"skip": len(told)} if told else {}))
            told |= {row["id"]: row.get("quiet") for row in answer["people"]}
            if len(told) == answer["totals"]["people"]:
                break
    before = datetime.now(UTC).timestamp() - 60 * DAY
    expected: dict[str, str | None] = {}
    for user in organization.plain.all("/users"):
        used = user.get("api_key_last_used_at")
        quiet = "inactive" if used else "never_active"
        expected[user["id"]] = quiet if (used or user["added_at"]) < before else None
    assert told == expected
    counts = Counter(told.values())
    for kind in ("inactive", "never_active"):
        assert answer["totals"][kind] == finding(answer, kind)["count"] == counts[kind] > 0


async def test_who_can_create_keys_in_a_project(organization: Organization, tmp_path: Path) -> None:
    async with organization.errand(tmp_path, organization.budget(400, 750)) as errand:
        answer = await errand.call("review_access", project="Billing", permission="create API keys")
    assert "Key manager through group Finance" in str(answer)
    finance = next(group for group in organization.plain.all("/groups") if group["name"] == "Finance")
    inside = {row["id"] for row in organization.plain.all(f"/groups/{finance['id']}/users")}
    assert inside <= {row["id"] for row in answer["people"]}


async def test_a_person_is_found_and_their_id_is_taken_by_the_next_call(
    organization: Organization, tmp_path: Path
) -> None:
    async with organization.errand(tmp_path, 150) as errand:
        answer = await errand.call("find", query="ortiz")
    user = organization.plain.get(f"/users/{answer['found'][0]['id']}")
    assert user["name"] == "Ana Ortiz"


async def test_what_one_person_may_do(organization: Organization, tmp_path: Path) -> None:
    async with organization.errand(tmp_path, 500) as errand:
        answer = await errand.call("review_access", person="ben.okafor@example.com")
    ben = organization.plain.get(f"/users/{answer['about']['person']['id']}")
    assert ben["email"] == "ben.okafor@example.com"
    reached = {way["in"] for way in answer["ways"]}
    assert {project["name"] for project in ben["projects"]["data"]} <= reached


async def test_the_settings_of_all_projects_are_reviewed(organization: Organization, tmp_path: Path) -> None:
    async with organization.errand(tmp_path, organization.budget(2_000, 6_000)) as errand:
        answer = await errand.call("review_settings")
    plain, projects = organization.plain, organization.plain.all("/projects")
    unlimited = [each["name"] for each in projects if plain.unset(f"/projects/{each['id']}/spend_limit")]
    silent = [each["name"] for each in projects if not plain.all(f"/projects/{each['id']}/spend_alerts")]
    assert answer["totals"]["projects"] == len(projects)
    assert answer["totals"]["with_spend_limit"] == len(projects) - len(unlimited)
    assert answer["totals"]["with_alerts"] == len(projects) - len(silent)
    shown = {row["name"]: row for row in answer["projects"]}
    assert [name for name, row in shown.items() if row["spend_limit_usd"] is None] == unlimited
    assert [name for name, row in shown.items() if not row["alerts_usd"]] == silent
    assert finding(answer, "no_spend_limit")["count"] == len(unlimited)


async def test_all_keys_are_reviewed(organization: Organization, tmp_path: Path) -> None:
    async with organization.errand(tmp_path, 1_500) as errand:
        answer = await errand.call("review_keys", max_age_days=120)
    keys, today = keys_of(organization.plain), int(datetime.now(UTC).timestamp()) // DAY
    findings = answer["totals"]["findings"]
    assert answer["totals"]["keys"] == len(keys)
    assert findings["no_expiry"] == sum(key.get("expires_at") is None for key in keys)
    assert findings["old"] == sum(today - key["created_at"] // DAY > 120 for key in keys)
    assert {row["id"] for row in answer["keys"]} <= {key["id"] for key in keys}


@pytest.mark.parametrize(("by", "group"), [("project", "project_id"), ("person", "user_id")])
async def test_what_was_spent_last_month(organization: Organization, tmp_path: Path, by: str, group: str) -> None:
    async with organization.errand(tmp_path, 600) as errand:
        answer = await errand.call("report_spend", period="last_month", by=by)
    now, before = (organization.plain.cents(*month(ago), group) for ago in (1, 2))
    assert answer["totals"]["cents"] == round(sum(now.values()))
    assert answer["totals"]["before_cents"] == round(sum(before.values()))
    assert [row["cents"] for row in answer["rows"]] == sorted((round(each) for each in now.values()), reverse=True)[:6]
    for row in answer["rows"]:
        key = row["id"]
        assert row["cents"] == round(now[key])
        assert row["change_cents"] == round(now[key] - before.get(key, 0))
    shown = {row["id"] for row in answer["rows"]}
    assert answer["rest"]["cents"] == round(sum(cents for each, cents in now.items() if each not in shown))


async def test_who_deleted_what_last_week(organization: Organization, tmp_path: Path) -> None:
    plain = organization.plain
    pending = [row for row in plain.all("/invites") if row["status"] == "pending"]
    group = plain.all("/groups")[-1]
    project = plain.all("/projects")[-1]
    account = plain.all(f"/projects/{project['id']}/service_accounts")[0]
    plain.delete(f"/invites/{pending[-1]['id']}")
    plain.delete(f"/groups/{group['id']}")
    plain.delete(f"/projects/{project['id']}/service_accounts/{account['id']}")
    async with organization.errand(tmp_path, 600) as errand:
        answer = await errand.call("report_activity", period="7d", what="deleted")
    since = int(datetime.now(UTC).timestamp()) // DAY * DAY - 6 * DAY
    log = plain.all("/audit_logs", **{"effective_at[gte]": since})
    gone = [entry for entry in log if entry["type"].endswith(".deleted")]
    assert answer["totals"]["events"] == len(gone) >= 3
    told: set[tuple[str, str, str]] = set()
    for row in answer["rows"]:
        told |= {(row["who_id"], row["what"], target["id"]) for target in row["targets"]}
    assert told == {(_actor(entry), entry["type"], entry[entry["type"]]["id"]) for entry in gone}
    assert {group["id"], account["id"], pending[-1]["id"]} <= {target for _, _, target in told}


async def test_the_keys_that_outlived_their_person(organization: Organization, tmp_path: Path) -> None:
    plain = organization.plain
    owned = Counter(key["owner"]["user"]["id"] for key in keys_of(plain) if "user" in key["owner"])
    leaver = next(user["id"] for user in plain.all("/users") if user["role"] != "owner" and owned[user["id"]])
    plain.delete(f"/users/{leaver}")
    async with organization.errand(tmp_path, 1_500) as errand:
        answer = await errand.call("review_keys")
    people = {user["id"] for user in plain.all("/users")}
    left = [key["id"] for key in keys_of(plain) if "user" in key["owner"] and key["owner"]["user"]["id"] not in people]
    assert answer["totals"]["findings"].get("owner_gone", 0) == len(left)
    assert {row["id"] for row in answer["keys"] if row["owner_state"] == "gone"} == set(left)


async def test_an_unknown_name_is_an_error_that_offers_the_nearest(organization: Organization, tmp_path: Path) -> None:
    async with organization.errand(tmp_path, 150) as errand:
        error = await errand.error("review_access", project="Billin G")
    assert error["kind"] == "invalid_input"
    assert "Billing" in error["message"]


def _actor(entry: Row) -> str:
    about: dict[str, Any] = entry["actor"].get("session") or entry["actor"]["api_key"]
    found: str = about["user"]["id"]
    return found
