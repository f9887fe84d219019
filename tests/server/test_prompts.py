"""Prompts, completion and resources of the real server over real stdio, in both protocol eras."""

import json
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from admin_mcp.server.prompt_texts import PROMPTS
from tests.recorder import Canned, Recorder
from tests.sessions import ERAS, KEY, LEGACY, Session, session

pytestmark = pytest.mark.anyio

URIS = ["openai-admin://changes", "openai-admin://plans", "openai-admin://policy"]


async def completed(running: Session, prompt: str, name: str, value: str) -> list[str]:
    ref = types.PromptReference(name=prompt)
    return (await running.client.complete(ref, {"name": name, "value": value})).completion.values


async def resource(running: Session, name: str) -> Any:
    (contents,) = (await running.client.read_resource(f"openai-admin://{name}")).contents
    assert isinstance(contents, types.TextResourceContents)
    assert contents.mime_type == "application/json"
    return json.loads(contents.text)


@pytest.mark.parametrize("era", ERAS)
async def test_prompts_are_listed_got_and_completed(era: str) -> None:
    async with session(era, "--sandbox") as running:
        listed = (await running.client.list_prompts()).prompts
        assert [prompt.name for prompt in listed] == [prompt.name for prompt in PROMPTS]
        got = await running.client.get_prompt("offboard_person", {"person": "ben.okafor@example.com"})
        assert await completed(running, "offboard_person", "person", "ben") == ["ben.okafor@example.com"]
        assert await completed(running, "rotate_key", "project", "res") == ["Research"]
        assert await completed(running, "rotate_key", "service_account", "x") == []
        assert await completed(running, "nothing", "project", "x") == []
        with pytest.raises(MCPError, match="Did you mean offboard_person"):
            await running.client.get_prompt("offboard_persons", {})
        with pytest.raises(MCPError, match="person: offboard_person needs it"):
            await running.client.get_prompt("offboard_person", {})
    (message,) = got.messages
    assert message.role == "user"
    assert isinstance(message.content, types.TextContent)
    assert "“ben.okafor@example.com”" in message.content.text


@pytest.mark.parametrize("era", ERAS)
async def test_resources_tell_what_this_machine_keeps(era: str) -> None:
    async with session(era, "--sandbox", answers=None) as running:
        assert [each.uri for each in (await running.client.list_resources()).resources] == URIS
        assert (await running.client.list_resource_templates()).resource_templates == []
        assert await resource(running, "changes") == {"changes": []}
        assert await resource(running, "plans") == {"plans": []}
        made = await running.call(
            "plan_changes", title="Rename", steps=[{"tool": "create_group", "arguments": {"name": "Ops"}}]
        )
        await running.error("create_project", name="Thing")
        plans, changes = await resource(running, "plans"), await resource(running, "changes")
        assert plans["plans"][0]["plan_id"] == made["plan_id"]
        assert changes == {"changes": (await running.call("list_changes"))["changes"]}
        assert changes["changes"]
        rules = (await resource(running, "policy"))["rules"]
        assert [rule["decision"] for rule in rules] == ["allow", "confirm"]
        with pytest.raises(MCPError, match="no such resource"):
            await running.client.read_resource("openai-admin://secrets")


@pytest.mark.parametrize("era", ERAS)
async def test_a_read_only_server_has_no_prompt_that_changes_something(era: str) -> None:
    async with session(era, "--sandbox", "--read-only") as running:
        listed = [prompt.name for prompt in (await running.client.list_prompts()).prompts]
        with pytest.raises(MCPError, match="no prompt of this name"):
            await running.client.get_prompt("rotate_key", {"project": "x"})
    assert listed == ["access_review", "monthly_spend"]


@pytest.mark.parametrize("era", ERAS)
async def test_they_can_be_switched_off(era: str) -> None:
    async with session(era, "--sandbox", "--no-prompts") as running:
        assert running.client.server_capabilities.prompts is None
        assert running.client.server_capabilities.resources is None
        assert running.client.server_capabilities.completions is None
        with pytest.raises(MCPError):
            await running.client.list_prompts()


async def test_they_follow_the_selection_of_tools() -> None:
    async with session(LEGACY, "--sandbox", "--toolsets", "spend", "--exclude-tools", "list_plans") as running:
        assert [prompt.name for prompt in (await running.client.list_prompts()).prompts] == ["monthly_spend"]
        assert "openai-admin://plans" not in [each.uri for each in (await running.client.list_resources()).resources]


async def test_completion_reads_under_the_policy_and_a_failed_read_completes_to_nothing(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[rules]]\nname = "no people"\ntools = ["list_users"]\ndecision = "deny"\n')
    policy.chmod(0o600)
    async with session(LEGACY, "--sandbox", "--config", str(policy)) as running:
        assert await completed(running, "offboard_person", "person", "") == []
        assert await completed(running, "rotate_key", "project", "bill") == ["Billing"]
    async with session(LEGACY) as running:  # without a key
        assert await completed(running, "rotate_key", "project", "") == []


async def test_completing_reads_a_list_once_a_minute_and_not_without_end(recorder: Recorder) -> None:
    page = {"object": "list", "data": [{"id": "proj_1", "name": "Billing"}], "has_more": True, "last_id": "proj_1"}
    recorder.reply = lambda _: Canned(body=page)
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url}
    async with session(LEGACY, env=env) as running:
        for typed in ("", "b", "bi", "billing"):
            assert await completed(running, "access_review", "project", typed) == ["Billing"]
        assert await completed(running, "access_review", "project", "x") == []
    assert len(recorder.requests) <= 2
