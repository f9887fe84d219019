"""An admin's errand from beginning to end, through MCP: the server, its gate, and the sandbox, each as they are."""

from collections.abc import Iterator
from typing import Any

import httpx
import mcp_types as types
import pytest

from tests.sandbox.serving import served
from tests.sessions import ERAS, Answer, Session, approve_typing, session

pytestmark = pytest.mark.anyio


@pytest.fixture
def url() -> Iterator[str]:
    with served() as running:
        yield running


def willing(form: types.ElicitRequestFormParams) -> Answer:
    """A person who approves everything, and types what is to be typed."""
    wanted = form.requested_schema["properties"].get("typed_text")
    if wanted is None:
        return Answer(action="accept", content={"decision": "approve"})
    return approve_typing(wanted["description"].removeprefix("Type exactly: "))


async def ids(running: Session, tool: str, **arguments: Any) -> list[str]:
    return [str(item["id"]) for item in (await running.call(tool, **arguments))["data"]]


@pytest.mark.parametrize("era", ERAS)
async def test_invite_join_group_project_role_audit_and_remove_everything(era: str, url: str) -> None:
    env = {"OPENAI_BASE_URL": url, "OPENAI_ADMIN_KEY": "sk-admin-story"}
    async with session(era, env=env, answers=willing) as running:
        await running.client.list_tools()  # from here on the client validates every answer
        call = running.call
        began = (await call("list_audit_logs", limit=1))["data"][0]["effective_at"]

        invite = await call("create_invite", email="ida.berg@example.com", role="reader")
        assert invite["status"] == "pending"
        assert (await call("list_users", emails=["ida.berg@example.com"]))["data"] == []
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.post(url.removesuffix("/v1") + "/sandbox/clock", json={"advance_seconds": 60})
        assert (await call("get_invite", invite_id=invite["id"]))["status"] == "accepted"
        (user,) = await ids(running, "list_users", emails=["ida.berg@example.com"])

        group = (await call("create_group", name="Research"))["id"]
        await call("add_group_user", group_id=group, user_id=user)
        project = (await call("create_project", name="Genome"))["id"]
        role = (await call("create_project_role", project_id=project, role_name="Analyst", permissions=["x.read"]))[
            "id"
        ]
        await call("add_project_group", project_id=project, group_id=group, role="member")
        await call("assign_project_group_role", project_id=project, group_id=group, role_id=role)

        held = (await call("list_project_user_roles", project_id=project, user_id=user))["data"]
        (inherited,) = [each for each in held if each["id"] == role]
        assert [source["principal_id"] for source in inherited["assignment_sources"]] == [group]

        log = (await call("list_audit_logs", limit=100, effective_at={"gte": began}))["data"]
        expected = {"invite.sent", "invite.accepted", "group.created", "project.created", "role.created"}
        assert expected <= {entry["type"] for entry in log}
        assert any(entry["type"] == "role.assignment.created" and role in str(entry) for entry in log)

        await call("unassign_project_group_role", project_id=project, group_id=group, role_id=role)
        await call("remove_project_group", project_id=project, group_id=group)
        await call("delete_project_role", project_id=project, role_id=role)
        await call("archive_project", project_id=project)
        await call("remove_group_user", group_id=group, user_id=user)
        await call("delete_group", group_id=group)
        await call("delete_user", user_id=user)
        assert (await running.error("delete_invite", invite_id=invite["id"]))["kind"] == "api_error"

        assert user not in await ids(running, "list_users", limit=100)
        assert group not in await ids(running, "list_groups")
        assert project not in await ids(running, "list_projects")
        assert (await running.error("get_group", group_id=group))["kind"] == "not_found"
    assert len(running.asked) == 15
