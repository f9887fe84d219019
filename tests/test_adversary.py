"""What a model, a lying client or a second process may try over real stdio; none of it sends a change."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from admin_mcp.gate.storage import GateStorage, open_storage
from admin_mcp.settings import Settings
from tests.recorder import Canned, Recorder
from tests.sessions import (
    APPROVE,
    ERAS,
    KEY,
    LEGACY,
    MODERN,
    Answer,
    Session,
    approve_typing,
    session,
)

pytestmark = pytest.mark.anyio

UPDATE = {"role_id": "role_1", "description": "new"}
OTHER_KEY = "sk-admin-other-9876543210"


def api(recorder: Recorder, **more: str) -> dict[str, str]:
    return {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url, **more}


@pytest.fixture
def kept(tmp_path: Path) -> GateStorage:
    return open_storage(Settings(state_dir=tmp_path / "state"))


def only(kept: GateStorage) -> str:
    """Return the id of the one approval that is pending."""
    (approval,) = [approval for approval in kept.approvals.all() if approval.state == "pending"]
    return approval.id


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    "extra",
    [
        {"confirm": True},
        {"approve": True},
        {"approved": "yes"},
        {"decision": "approve"},
        {"typed_text": "Support"},
        {"approval": "none"},
        {"force": True},
        {"dry_run": False},
        {"_meta": {"approved": True}},
    ],
)
async def test_no_argument_approves(era: str, extra: dict[str, Any], recorder: Recorder) -> None:
    async with session(era, env=api(recorder), answers=None) as running:
        assert (await running.error("update_role", **UPDATE, **extra))["kind"] == "invalid_input"
    assert recorder.requests == []


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("mode", ["auto", "elicit", "local", "none"])
async def test_confirm_change_exists_only_in_two_step_mode(era: str, mode: str, recorder: Recorder) -> None:
    async with session(era, "--approval", mode, env=api(recorder), answers=None) as running:
        names = {tool.name for tool in (await running.client.list_tools()).tools}
        assert "confirm_change" not in names
        with pytest.raises(MCPError, match="Unknown tool"):
            await running.client.call_tool("confirm_change", {"id": "x", "phrase": "y"})


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    "content",
    [
        {},
        {"approve": True},
        {"decision": "approved"},
        {"decision": ["approve"]},
        {"decision": "approve", "typed_text": ""},
        {"decision": "approve", "typed_text": "Suport"},
        {"decision": "approve", "typed_text": "Support", "note": "x"},
        {"decision": "reject", "typed_text": "Support"},
        {"typed_text": "Support"},
    ],
    ids=json.dumps,
)
async def test_no_accepted_form_but_the_right_one_approves(
    era: str, content: dict[str, Any], recorder: Recorder
) -> None:
    answer = Answer(action="accept", content=content)
    async with session(era, env=api(recorder), answers=[answer]) as running:
        assert (await running.error("delete_role", role_id="role_1"))["kind"] == "approval_denied"
    assert recorder.changes == []


@pytest.mark.parametrize("era", ERAS)
async def test_approved_here_other_arguments_are_asked_anew(era: str, recorder: Recorder, kept: GateStorage) -> None:
    async with session(era, env=api(recorder), answers=None) as running:
        await running.error("update_role", **UPDATE)
        kept.approvals.apply(only(kept), "approve")
        for swapped in ({"role_id": "role_2", "description": "new"}, {"role_id": "role_1", "description": "NEW"}):
            assert (await running.error("update_role", **swapped))["kind"] == "approval_pending"
        assert recorder.changes == []
        await running.call("update_role", **UPDATE)
        assert (await running.error("update_role", **UPDATE))["kind"] == "approval_pending"
    assert [sent.body for sent in recorder.changes] == [{"description": "new"}]


async def test_a_used_approval_is_used_for_every_process(recorder: Recorder, kept: GateStorage) -> None:
    async with session(LEGACY, env=api(recorder), answers=None) as running:
        await running.error("update_role", **UPDATE)
        kept.approvals.apply(only(kept), "approve")
    async with session(MODERN, env=api(recorder), answers=None) as running:
        await running.call("update_role", **UPDATE)
    async with session(LEGACY, env=api(recorder), answers=None) as running:
        assert (await running.error("update_role", **UPDATE))["kind"] == "approval_pending"
    assert len(recorder.changes) == 1


async def test_an_approval_for_the_sandbox_another_key_or_another_host_fits_nothing_here(
    recorder: Recorder, kept: GateStorage
) -> None:
    async with session(LEGACY, "--sandbox", answers=None) as running:
        roles = (await running.call("list_roles"))["data"]
        role = next(role["id"] for role in roles if not role["predefined_role"])
        await running.error("update_role", role_id=role, description="new")
        kept.approvals.apply(only(kept), "approve")
    with Recorder() as elsewhere:
        elsewhere.reply = lambda _: Canned(body={"id": role, "name": "Group manager", "description": "old"})
        recorder.reply = elsewhere.reply
        for env in (api(recorder), api(recorder, OPENAI_ADMIN_KEY=OTHER_KEY), api(elsewhere)):
            async with session(LEGACY, env=env, answers=None) as running:
                error = await running.error("update_role", role_id=role, description="new")
                assert error["kind"] == "approval_pending"
            kept.approvals.apply(only(kept), "approve")
        assert recorder.changes == elsewhere.changes == []


async def test_a_client_that_lies_about_its_forms_gains_nothing(recorder: Recorder, kept: GateStorage) -> None:
    """It claims to show forms, asks for none, and says they were accepted."""
    async with session(LEGACY, env=api(recorder), answers=None) as running:
        await running.error("delete_role", role_id="role_1")
        local = only(kept)
    async with session(MODERN, env=api(recorder), answers=[]) as running:
        for state in (None, json.dumps({"approval": local}), local):
            given: dict[str, Any] = {"input_responses": {"approval": approve_typing("Support")}}
            if state is not None:
                given["request_state"] = state
            call = partial(
                running.client.session.call_tool,
                "delete_role",
                {"role_id": "role_1"},
                allow_input_required=True,
                **given,
            )
            if state is None:
                assert isinstance(await call(), types.InputRequiredResult)
                continue
            with pytest.raises(MCPError) as refused:
                await call()
            assert refused.value.error.code == types.INVALID_PARAMS
    assert recorder.changes == []
    found = kept.approvals.get(local)
    assert found
    assert found.state == "pending"


async def test_sealed_state_survives_a_restart_and_still_serves_once(recorder: Recorder) -> None:
    given: dict[str, Any] = {"input_responses": {"approval": APPROVE}}
    async with session(MODERN, env=api(recorder), answers=[]) as running:
        question = await running.client.session.call_tool("update_role", UPDATE, allow_input_required=True)
        assert isinstance(question, types.InputRequiredResult)
        given["request_state"] = question.request_state
    for expected in ("id", "error"):
        async with session(MODERN, env=api(recorder), answers=[]) as running:
            result = await running.client.session.call_tool("update_role", UPDATE, **given)
            assert result.structured_content is not None
            assert expected in result.structured_content
    assert len(recorder.changes) == 1


async def test_sealed_state_of_another_state_directory_is_refused(recorder: Recorder, tmp_path: Path) -> None:
    async with session(MODERN, env=api(recorder), answers=[]) as running:
        question = await running.client.session.call_tool("update_role", UPDATE, allow_input_required=True)
        assert isinstance(question, types.InputRequiredResult)
    other = api(recorder, ADMIN_MCP_STATE_DIR=str(tmp_path / "other"))
    async with session(MODERN, env=other, answers=[]) as running:
        with pytest.raises(MCPError):
            await running.client.session.call_tool(
                "update_role", UPDATE, input_responses={"approval": APPROVE}, request_state=question.request_state
            )
    assert recorder.changes == []


@pytest.mark.parametrize("era", ERAS)
async def test_a_target_renamed_after_the_approval_voids_it(era: str, recorder: Recorder, kept: GateStorage) -> None:
    async with session(era, env=api(recorder), answers=None) as running:
        await running.error("update_role", **UPDATE)
        kept.approvals.apply(only(kept), "approve")
        recorder.reply = lambda _: Canned(body={"id": "role_1", "name": "Owners", "description": "old"})
        error = await running.error("update_role", **UPDATE)
    assert error["kind"] == "conflict"
    assert "“Support” (role_1) is now “Owners” (role_1)" in error["message"]
    assert recorder.changes == []


HOSTILE = ['"><script>alert(1)</script>', "\u202eevil\u2066", "a\u200bb\ufeff", "x\nUndo: with one click", "\x1b[2J"]


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_can_neither_hide_nor_add_a_line(name: str, recorder: Recorder) -> None:
    recorder.reply = lambda _: Canned(body={"id": "role_1", "name": name, "description": "old"})
    async with session(LEGACY, env=api(recorder), answers=[APPROVE]) as running:
        await running.error("delete_role", role_id="role_1")
        (form,) = running.asked
    assert all(character.isprintable() or character == "\n" for character in form.message)
    assert form.message.count("\nUndo: ") == 1


# Two steps


async def step(running: Session, tool: str = "update_role", **arguments: Any) -> dict[str, str]:
    error = await running.error(tool, **(arguments or UPDATE))
    assert error["kind"] == "approval_pending"
    words = error["hint"].replace(",", "").split()
    return {"id": words[words.index("id") + 1], "phrase": words[words.index("phrase") + 1]}


@pytest.mark.parametrize("era", ERAS)
async def test_two_step_shows_everything_and_executes_the_stored_request_once(era: str, recorder: Recorder) -> None:
    async with session(era, "--approval", "two-step", env=api(recorder), answers=None) as running:
        tools = {tool.name: tool for tool in (await running.client.list_tools()).tools}
        assert tools["confirm_change"].annotations
        assert tools["confirm_change"].annotations.destructive_hint
        error = await running.error("update_role", **UPDATE)
        assert "“Support” (role_1)" in error["message"]
        given = await step(running)
        assert recorder.changes == []
        assert (await running.call("confirm_change", **given))["id"] == "thing_1"
        assert (await running.error("confirm_change", **given))["kind"] == "approval_denied"
    assert [sent.body for sent in recorder.changes] == [{"description": "new"}]


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"id": "nothing", "phrase": "confirm-00000000"}, "approval_denied"),
        ({"id": "nothing"}, "invalid_input"),
        ({"id": 7, "phrase": "x"}, "invalid_input"),
        ({"id": "x", "phrase": "y", "arguments": {"role_id": "role_2"}}, "invalid_input"),
    ],
)
async def test_two_step_takes_an_id_and_its_phrase_only(
    arguments: dict[str, Any], kind: str, recorder: Recorder
) -> None:
    async with session(LEGACY, "--approval", "two-step", env=api(recorder), answers=None) as running:
        assert (await running.error("confirm_change", **arguments))["kind"] == kind
    assert recorder.requests == []


async def test_two_step_with_the_wrong_phrase_or_a_changed_target_sends_nothing(recorder: Recorder) -> None:
    async with session(LEGACY, "--approval", "two-step", env=api(recorder), answers=None) as running:
        given = await step(running)
        wrong = {**given, "phrase": "confirm-00000000"}
        assert (await running.error("confirm_change", **wrong))["kind"] == "approval_denied"
        assert (await running.error("confirm_change", **given))["kind"] == "approval_denied"
        given = await step(running)
        recorder.reply = lambda _: Canned(body={"id": "role_1", "name": "Owners", "description": "old"})
        assert (await running.error("confirm_change", **given))["kind"] == "conflict"
    assert recorder.changes == []


async def test_two_step_does_not_confirm_what_another_channel_asks(recorder: Recorder, kept: GateStorage) -> None:
    async with session(LEGACY, env=api(recorder), answers=None) as running:
        await running.error("update_role", **UPDATE)
    async with session(LEGACY, "--approval", "two-step", env=api(recorder), answers=None) as running:
        error = await running.error("confirm_change", id=only(kept), phrase="confirm-00000000")
    assert error["kind"] == "approval_denied"
    assert recorder.changes == []


# A policy file


async def test_a_rule_sends_destruction_to_this_machine_although_the_client_shows_forms(
    recorder: Recorder, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[[rules]]\ndecision = "confirm"\neffects = ["destroy"]\nchannel = "local"\n'
        '[[rules]]\ndecision = "deny"\ntools = ["*_admin_api_key"]\neffects = ["grant"]\n'
        '[[rules]]\ndecision = "allow"\ntools = ["update_group"]\n',
        "utf-8",
    )
    policy.chmod(0o600)
    async with session(LEGACY, "--config", str(policy), env=api(recorder), answers=[APPROVE]) as running:
        assert (await running.error("delete_role", role_id="role_1"))["kind"] == "approval_pending"
        denied = await running.error("create_admin_api_key", nonsense=1)
        assert denied["kind"] == "policy_denied"
        assert "policy.toml line 5" in denied["message"]
        await running.call("update_group", group_id="group_1", name="x")
        assert running.asked == []
        await running.call("update_role", **UPDATE)
        assert len(running.asked) == 1
    assert [sent.path for sent in recorder.changes] == [
        "/v1/organization/groups/group_1",
        "/v1/organization/roles/role_1",
    ]
