"""The real server over real stdio, in both protocol eras, against a recording API."""

import os
from collections.abc import Callable
from functools import partial

import anyio
import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from admin_mcp.tools.definitions import every_definition
from admin_mcp.tools.mentions import NO_TOOL_FOR_IT
from tests.recorder import Canned, Recorded, Recorder
from tests.sessions import (
    APPROVE,
    CANCEL,
    DECLINE,
    ERAS,
    KEY,
    LEGACY,
    MODERN,
    NOTHING,
    REJECT,
    approve_typing,
    session,
)

pytestmark = pytest.mark.anyio

UPDATE = {"role_id": "role_1", "description": "new"}


def api(recorder: Recorder) -> dict[str, str]:
    return {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url}


@pytest.mark.parametrize("era", ERAS)
async def test_lists_every_compiled_tool_as_compiled(era: str) -> None:
    async with session(era) as running:
        listed = await running.client.list_tools()
    tools = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed.tools]
    assert tools == list(every_definition())


@pytest.mark.parametrize("era", ERAS)
async def test_a_repeated_list_is_the_same(era: str) -> None:
    async with session(era) as running:
        lists = [await running.client.list_tools() for _ in range(3)]
        assert lists[0].tools == lists[1].tools == lists[2].tools


@pytest.mark.parametrize("era", ERAS)
async def test_a_read_needs_no_person_and_returns_the_apis_object_whole(era: str, recorder: Recorder) -> None:
    recorder.reply = lambda _: Canned(body={"object": "list", "data": [], "has_more": False, "next": None, "new": [1]})
    async with session(era, env=api(recorder)) as running:
        result = await running.call("list_roles", limit=5)
        assert running.asked == []
    assert result == {"object": "list", "data": [], "has_more": False, "next": None, "new": [1]}
    (sent,) = recorder.requests
    assert (sent.method, sent.path, sent.query, sent.body) == ("GET", "/v1/organization/roles", [("limit", "5")], None)
    assert sent.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("era", ERAS)
async def test_an_approved_change_is_sent_exactly_once(era: str, recorder: Recorder) -> None:
    async with session(era, env=api(recorder), answers=[APPROVE]) as running:
        await running.call("update_role", **UPDATE)
        (form,) = running.asked
    (sent,) = recorder.changes
    assert (sent.method, sent.path, sent.body) == ("POST", "/v1/organization/roles/role_1", {"description": "new"})
    assert form.requested_schema["required"] == ["decision"]
    assert form.requested_schema["properties"]["decision"]["enum"] == ["reject", "approve"]
    assert "default" not in form.requested_schema["properties"]["decision"]
    assert "“Support” (role_1)" in form.message
    assert recorder.base_url in form.message


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("answer", [REJECT, DECLINE, CANCEL, NOTHING], ids=["reject", "decline", "cancel", "nothing"])
async def test_every_answer_but_an_approval_sends_nothing(
    era: str, answer: types.ElicitResult, recorder: Recorder
) -> None:
    async with session(era, env=api(recorder), answers=[answer]) as running:
        error = await running.error("update_role", **UPDATE)
    assert error["kind"] == "approval_denied"
    assert recorder.changes == []


@pytest.mark.parametrize("era", ERAS)
async def test_after_a_rejection_the_same_change_is_refused_without_asking_again(era: str, recorder: Recorder) -> None:
    async with session(era, env=api(recorder), answers=[REJECT, APPROVE]) as running:
        await running.error("update_role", **UPDATE)
        error = await running.error("update_role", **UPDATE)
        assert error["kind"] == "approval_denied"
        assert len(running.asked) == 1
        await running.call("update_role", role_id="role_1", description="another")
        assert len(running.asked) == 2
    assert [sent.body for sent in recorder.changes] == [{"description": "another"}]


@pytest.mark.parametrize("era", ERAS)
async def test_after_a_closed_form_the_same_change_is_asked_again(era: str, recorder: Recorder) -> None:
    async with session(era, env=api(recorder), answers=[CANCEL, APPROVE]) as running:
        await running.error("update_role", **UPDATE)
        await running.call("update_role", **UPDATE)
    assert len(recorder.changes) == 1


@pytest.mark.parametrize("era", ERAS)
async def test_an_approval_serves_one_call_and_the_next_is_asked_anew(era: str, recorder: Recorder) -> None:
    async with session(era, env=api(recorder), answers=[APPROVE, DECLINE]) as running:
        await running.call("update_role", **UPDATE)
        assert (await running.error("update_role", **UPDATE))["kind"] == "approval_denied"
        assert len(running.asked) == 2
    assert len(recorder.changes) == 1


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("typed", [None, "", "support", "Suppor", "role_2"])
async def test_a_deletion_needs_its_name_typed(era: str, typed: str | None, recorder: Recorder) -> None:
    answer = APPROVE if typed is None else approve_typing(typed)
    async with session(era, env=api(recorder), answers=[answer]) as running:
        assert (await running.error("delete_role", role_id="role_1"))["kind"] == "approval_denied"
    assert recorder.changes == []


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("typed", ["Support", " Support ", "role_1"])
async def test_a_deletion_is_sent_once_its_name_or_id_is_typed(era: str, typed: str, recorder: Recorder) -> None:
    async with session(era, env=api(recorder), answers=[approve_typing(typed)]) as running:
        await running.call("delete_role", role_id="role_1")
    assert [(sent.method, sent.path) for sent in recorder.changes] == [("DELETE", "/v1/organization/roles/role_1")]


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_without_forms_waits_for_this_machine_and_learns_no_address(
    era: str, recorder: Recorder
) -> None:
    async with session(era, env=api(recorder), answers=None) as running:
        error = await running.error("update_role", **UPDATE)
    assert error["kind"] == "approval_pending"
    assert not error["retryable"]  # it would invite a loop
    assert "approvals approve" in error["hint"]
    assert "--state-dir" in error["hint"]
    assert "http" not in str(error)
    assert recorder.changes == []


@pytest.mark.parametrize("era", ERAS)
async def test_approval_elicit_refuses_where_the_client_shows_no_forms(era: str, recorder: Recorder) -> None:
    async with session(era, "--approval", "elicit", env=api(recorder), answers=None) as running:
        error = await running.error("update_role", **UPDATE)
    assert error["kind"] == "approval_unavailable"
    assert "--approval local" in error["hint"]
    assert recorder.requests == []


@pytest.mark.parametrize("era", ERAS)
async def test_approval_none_sends_changes_without_asking(era: str, recorder: Recorder) -> None:
    async with session(era, "--approval", "none", env=api(recorder), answers=None) as running:
        await running.call("update_role", **UPDATE)
    assert [sent.method for sent in recorder.requests] == [
        "GET",
        "POST",
    ]  # it reads what the change replaces, to be able to undo it


@pytest.mark.parametrize("era", ERAS)
async def test_read_only_hides_changing_tools_and_refuses_them_with_the_rule(era: str, recorder: Recorder) -> None:
    async with session(era, "--read-only", env=api(recorder), answers=[]) as running:
        listed = await running.client.list_tools()
        error = await running.error("update_role", **UPDATE)
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in listed.tools)
    assert error["kind"] == "policy_denied"
    assert "read-only" in error["message"]
    assert recorder.requests == []
    assert not await anyio.Path(os.environ["ADMIN_MCP_STATE_DIR"]).exists()


@pytest.mark.parametrize("era", ERAS)
async def test_a_target_that_changed_after_the_preview_voids_the_approval(era: str, recorder: Recorder) -> None:
    names = iter(["Support", "Renamed", "Renamed", "Renamed"])
    recorder.reply = lambda _: Canned(body={"id": "role_1", "name": next(names), "description": "old"})
    async with session(era, env=api(recorder), answers=[APPROVE, APPROVE]) as running:
        error = await running.error("update_role", **UPDATE)
        assert error["kind"] == "conflict"
        assert "“Support” (role_1) is now “Renamed” (role_1)" in error["message"]
        assert recorder.changes == []
    assert len(recorder.requests) == 2


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("arguments", "param", "says"),
    [
        ({}, "role_id", "role_id is missing"),
        ({"role_id": "role_1", "rolename": "x"}, "rolename", "did you mean role_name?"),
        ({"role_id": 7, "role_name": "x"}, "role_id", "got 7; must be a string"),
        ({"role_id": "a/b", "role_name": "x"}, "role_id", "1-256 ASCII letters"),
        ({"role_id": "..", "role_name": "x"}, "role_id", "1-256 ASCII letters"),
        ({"role_id": "a%2eb", "role_name": "x"}, "role_id", "1-256 ASCII letters"),
        ({"role_id": "a\n", "role_name": "x"}, "role_id", "1-256 ASCII letters"),
        ({"role_id": "", "role_name": "x"}, "role_id", "1-256 ASCII letters"),
        ({"role_id": "role_1"}, None, "give at least one of description, permissions, role_name"),
    ],
)
async def test_bad_arguments_name_the_field_and_the_allowed_form(
    era: str, arguments: dict[str, object], param: str | None, says: str, recorder: Recorder
) -> None:
    async with session(era, env=api(recorder), answers=[]) as running:
        error = await running.error("update_role", **arguments)
    assert error["kind"] == "invalid_input"
    assert error["param"] == param
    assert says in error["message"]
    assert recorder.requests == []


@pytest.mark.parametrize("era", ERAS)
async def test_an_unknown_tool_is_invalid_params_and_names_the_nearest(era: str) -> None:
    async with session(era) as running:
        with pytest.raises(MCPError, match=r"Did you mean .*list_roles") as caught:
            await running.client.call_tool("list_role", {})
    assert caught.value.error.code == types.INVALID_PARAMS


@pytest.mark.parametrize("era", ERAS)
async def test_without_a_key_the_server_lists_and_each_call_says_what_to_set(era: str) -> None:
    async with session(era, answers=[]) as running:
        assert (await running.client.list_tools()).tools
        for tool, arguments in (("list_roles", {}), ("create_role", {"role_name": "x", "permissions": []})):
            error = await running.error(tool, **arguments)
            assert error["kind"] == "authentication"
            assert "OPENAI_ADMIN_KEY" in error["hint"]
        assert running.asked == []


BROKEN: list[tuple[Canned, str, str]] = [
    (Canned(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}), "authentication", "authentication"),
    (Canned(403, {"error": {"message": "no"}}), "permission", "permission"),
    (Canned(404, {"error": {"message": "no"}}), "not_found", "not_found"),
    (Canned(409, {"error": {"message": "no"}}), "conflict", "conflict"),
    (Canned(422, {"error": {"message": "no", "param": "name", "code": "c"}}), "api_error", "api_error"),
    (Canned(500, {"error": {"message": "no"}}), "api_error", "outcome_unknown"),
    (
        Canned(200, raw=b"<html>hello</html>", headers={"content-type": "text/html"}),
        "schema_mismatch",
        "outcome_unknown",
    ),
    (Canned(200, raw=b""), "schema_mismatch", "outcome_unknown"),
    (Canned(200, raw=b"[1]"), "schema_mismatch", "outcome_unknown"),
    (Canned(302, raw=b"", headers={"location": "http://127.0.0.1:9/"}), "api_error", "api_error"),
]


@pytest.mark.parametrize(("canned", "read_kind", "change_kind"), BROKEN, ids=[str(case[0].status) for case in BROKEN])
async def test_a_broken_answer_becomes_its_kind_with_request_id_and_hint(
    canned: Canned, read_kind: str, change_kind: str, recorder: Recorder
) -> None:
    canned.headers["x-request-id"] = "req_9"
    recorder.reply = only_changes_get(canned)
    async with session(LEGACY, env=api(recorder), answers=[APPROVE]) as running:
        change = await running.error("update_role", **UPDATE)
        recorder.reply = lambda _: canned
        read = await running.error("get_role", role_id="role_1")
    assert (read["kind"], change["kind"]) == (read_kind, change_kind)
    assert (read["request_id"], change["request_id"]) == ("req_9", "req_9")
    assert read["status"] == canned.status
    assert KEY not in str(read)
    assert len(recorder.changes) == 1
    if change_kind == "outcome_unknown":
        assert "get_role" in change["hint"]


def only_changes_get(canned: Canned) -> Callable[[Recorded], Canned]:
    return lambda request: canned if request.changes else Canned()


async def raw_call(running: object, **more: object) -> object:
    """Call without the client's own handling of questions."""
    return await running.client.session.call_tool("update_role", UPDATE, allow_input_required=True, **more)  # type: ignore[attr-defined]


async def test_a_modern_answer_needs_the_sealed_state_of_its_own_question(recorder: Recorder) -> None:
    approved: types.InputResponses = {"approval": APPROVE}
    async with session(MODERN, env=api(recorder), answers=[]) as running:
        question = await raw_call(running)
        assert isinstance(question, types.InputRequiredResult)
        state = question.request_state
        assert state

        without_state = await raw_call(running, input_responses=approved)
        assert isinstance(without_state, types.InputRequiredResult)

        with pytest.raises(MCPError) as tampered:
            await raw_call(running, input_responses=approved, request_state=state[:-4] + "AAAA")
        assert tampered.value.error.code == types.INVALID_PARAMS

        with pytest.raises(MCPError) as swapped:
            await running.client.session.call_tool(
                "update_role",
                {"role_id": "role_1", "description": "swapped"},
                allow_input_required=True,
                input_responses=approved,
                request_state=state,
            )
        assert swapped.value.error.code == types.INVALID_PARAMS
        assert recorder.changes == []

        await raw_call(running, input_responses=approved, request_state=state)
        assert len(recorder.changes) == 1

        replayed = await raw_call(running, input_responses=approved, request_state=state)
        assert isinstance(replayed, types.CallToolResult)
        assert replayed.structured_content["error"]["kind"] == "approval_denied"
        assert len(recorder.changes) == 1


async def test_a_legacy_client_that_fails_to_show_the_form_sends_nothing(recorder: Recorder) -> None:
    async with session(LEGACY, env=api(recorder), answers=[]) as running:
        error = await running.error("update_role", **UPDATE)  # the client has no answer and fails
    assert error["kind"] == "approval_unavailable"
    assert recorder.changes == []


async def test_a_cancelled_call_closes_its_question_and_sends_nothing(recorder: Recorder) -> None:
    asked = anyio.Event()

    async def hang(context: object, params: object) -> types.ElicitResult:
        del context, params
        asked.set()
        await anyio.sleep_forever()
        raise AssertionError

    async with session(LEGACY, env=api(recorder), answers=[APPROVE]) as running:
        running.client.session._elicitation_callback, answering = hang, running.client.session._elicitation_callback
        async with anyio.create_task_group() as group:
            group.start_soon(partial(running.client.call_tool, "update_role", UPDATE))
            await asked.wait()
            group.cancel_scope.cancel()
        assert recorder.changes == []
        running.client.session._elicitation_callback = answering
        await running.call("update_role", **UPDATE)
        assert len(running.asked) == 1
    assert len(recorder.changes) == 1


NOT_SET = "Most likely nothing is set here."
CHECK_THE_ID = "Otherwise check the project's id with list_projects."


@pytest.mark.parametrize(
    ("flags", "hint"),
    [
        (
            (),
            f"{NOT_SET} update_project_spend_limit sets it, also for the first time. {CHECK_THE_ID}",
        ),
        (
            ("--read-only",),
            f"{NOT_SET} {CHECK_THE_ID}",
        ),
        (("--tools", "get_project_spend_limit"), NOT_SET),
        (("--search", "--tools", "get_project_spend_limit"), NOT_SET),
    ],
)
async def test_a_hint_names_only_tools_that_are_offered(flags: tuple[str, ...], hint: str, recorder: Recorder) -> None:
    recorder.reply = lambda _: Canned(status=404, body={"error": {"message": "none"}})
    async with session(MODERN, *flags, env=api(recorder)) as running:
        tool, given = "get_project_spend_limit", {"project_id": "proj_1"}
        call = {"name": tool, "arguments": given} if "--search" in flags else given
        error = await running.error("call_read" if "--search" in flags else tool, **call)
    assert error["hint"] == hint


async def test_an_unknown_outcome_whose_read_is_not_offered_leads_to_the_person(recorder: Recorder) -> None:
    recorder.reply = lambda sent: Canned(
        status=500 if sent.method == "POST" else 200, body={"id": "role_1", "name": "Support", "description": "old"}
    )
    flags = ("--tools", "update_role", "--approval", "none")
    async with session(MODERN, *flags, env=api(recorder)) as running:
        error = await running.error("update_role", **UPDATE)
    assert error["kind"] == "outcome_unknown"
    assert error["hint"] == f"{NO_TOOL_FOR_IT} Don't repeat the change before that."
