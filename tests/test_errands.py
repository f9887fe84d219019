"""Errands of an admin, over stdio in both protocol eras: one approval each, and an end that is right."""

import re
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import mcp_types as types
import pytest

from tests.jobs.cost import tokens
from tests.sandbox.serving import served
from tests.sessions import ERAS, KEY, Session, session

pytestmark = pytest.mark.anyio
MOST_TOKENS = 3_000


@pytest.fixture(scope="module")
def organization() -> Iterator[str]:
    with served() as url:
        yield url


def direct(url: str, path: str) -> Any:
    """Ask the organization itself, past the server."""
    answer = httpx.get(f"{url}{path}", headers={"authorization": f"Bearer {KEY}"}, trust_env=False)
    return answer.json() if answer.status_code == 200 else answer.status_code


def rows(url: str, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = direct(url, f"{path}?limit=100")["data"]
    return found


def approving(params: types.ElicitRequestFormParams) -> types.ElicitResult:
    """Type what is asked for, and approve."""
    properties = params.requested_schema["properties"]
    typed = properties.get("typed_text", {}).get("description", "").removeprefix("Type exactly: ")
    content = {"decision": "approve", **({"typed_text": typed} if typed else {})}
    return types.ElicitResult(action="accept", content=content)


def connected(era: str, url: str, directory: Path) -> AbstractAsyncContextManager[Session]:
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": url, "ADMIN_MCP_STATE_DIR": str(directory)}
    return session(era, env=env, answers=approving)


async def applied(here: Session, plan: dict[str, Any]) -> dict[str, Any]:
    """Apply a plan: a second call and one approval, and both answers together cost a model little."""
    assert "plan_id" in plan, plan
    done = await here.call("apply_plan", plan_id=plan["plan_id"])
    assert done.get("state") == "done", done
    assert len(here.asked) == 1
    assert tokens(plan) + tokens(done) <= MOST_TOKENS
    return done


@pytest.mark.parametrize("era", ERAS)
async def test_a_person_is_off_boarded_with_one_approval(era: str, organization: str, tmp_path: Path) -> None:
    projects = rows(organization, "/organization/projects")
    members = {
        project["id"]: {row["id"] for row in rows(organization, f"/organization/projects/{project['id']}/users")}
        for project in projects
    }
    everyone = [row for row in rows(organization, "/organization/users") if row["role"] != "owner"]
    person = next(row for row in everyone if any(row["id"] in inside for inside in members.values()))
    async with connected(era, organization, tmp_path) as here:
        await applied(here, await here.call("plan_offboarding", user=person["email"]))
    assert direct(organization, f"/organization/users/{person['id']}") == 404
    for project in projects:
        inside = rows(organization, f"/organization/projects/{project['id']}/users")
        assert person["id"] not in {row["id"] for row in inside}
    for group in rows(organization, "/organization/groups"):
        inside = rows(organization, f"/organization/groups/{group['id']}/users")
        assert person["id"] not in {row["id"] for row in inside}


@pytest.mark.parametrize("era", ERAS)
async def test_a_projects_settings_are_cloned_with_one_approval(era: str, organization: str, tmp_path: Path) -> None:
    original = rows(organization, "/organization/projects")[1]
    name = f"Clone {era}"
    async with connected(era, organization, tmp_path) as here:
        await applied(here, await here.call("plan_project", name=name, like_project=original["id"]))
    clone = next(row for row in rows(organization, "/organization/projects") if row["name"] == name)
    for part in ("spend_limit", "model_permissions", "data_retention"):
        one, other = (direct(organization, f"/organization/projects/{each['id']}/{part}") for each in (original, clone))
        if isinstance(one, dict):
            assert {**one, "id": None, "project_id": None} == {**other, "id": None, "project_id": None}, part


@pytest.mark.parametrize("era", ERAS)
async def test_everyone_of_a_domain_is_removed_with_one_approval(era: str, organization: str, tmp_path: Path) -> None:
    domain = f"{'old' if era == ERAS[0] else 'new'}.example"
    async with connected(era, organization, tmp_path / "first") as here:
        invites = [f"person{number}@{domain}" for number in range(3)]
        steps = [{"tool": "create_invite", "arguments": {"email": each, "role": "reader"}} for each in invites]
        await applied(here, await here.call("plan_changes", title="Invite three", steps=steps))
    pending = [row for row in rows(organization, "/organization/invites") if row["email"].endswith(f"@{domain}")]
    assert len(pending) == 3
    async with connected(era, organization, tmp_path / "second") as here:
        steps = [{"tool": "delete_invite", "arguments": {"invite_id": row["id"]}} for row in pending]
        await applied(here, await here.call("plan_changes", title=f"Remove {domain}", steps=steps))
    assert not [row for row in rows(organization, "/organization/invites") if row["email"].endswith(f"@{domain}")]


@pytest.mark.parametrize("era", ERAS)
async def test_a_service_accounts_key_is_rotated_with_one_approval(era: str, organization: str, tmp_path: Path) -> None:
    for project in rows(organization, "/organization/projects"):
        accounts = rows(organization, f"/organization/projects/{project['id']}/service_accounts")
        if accounts:
            break
    else:
        pytest.fail("the seed has no service account")
    given = {"project_id": project["id"], "service_account_id": accounts[0]["id"]}
    before = {row["id"] for row in rows(organization, f"/organization/projects/{project['id']}/api_keys")}
    async with connected(era, organization, tmp_path) as here:
        done = await applied(here, await here.call("plan_key_rotation", **given, grace_days=7))
    after = {row["id"] for row in rows(organization, f"/organization/projects/{project['id']}/api_keys")}
    assert len(after - before) == 1
    saved = next(answer for answer in done["answers"].values() if "value_saved_to" in answer)
    assert saved["value_saved_to"].startswith(str(tmp_path))
    assert re.search(r"sk-[\w-]{20}", str(done)) is None
