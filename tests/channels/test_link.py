"""A client that opens links gets the page's, over real stdio in both eras; the decision stays on the page."""

import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import mcp_types as types
import pytest
from anyio.to_thread import run_sync
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from admin_mcp.channels.link_process import run_link_process
from admin_mcp.gate.storage import open_storage
from admin_mcp.settings import Settings
from tests.gate.questions import records
from tests.recorder import Recorder
from tests.sessions import ERAS, KEY, environment

pytestmark = pytest.mark.anyio

UPDATE = {"role_id": "role_1", "description": "new"}
Answers = Callable[[types.ElicitRequestURLParams], types.ElicitResult]


@asynccontextmanager
async def opening_links(
    era: str,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answers | None,
    *arguments: str,
    wait: str = "20",
) -> AsyncIterator[Client]:
    """Connect as a client that opens links and shows no forms."""
    monkeypatch.setattr(types, "FormElicitationCapability", lambda: None)

    async def answered(context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        del context
        assert isinstance(params, types.ElicitRequestURLParams)
        if answer is not None:
            return answer(params)
        await run_sync(decide, "reject")
        await anyio.sleep_forever()  # the person went to a terminal, and the question in the client stays
        raise AssertionError

    env = environment(OPENAI_ADMIN_KEY=KEY, OPENAI_BASE_URL=recorder.base_url, ADMIN_MCP_APPROVAL_WAIT=wait)
    server = StdioServerParameters(command=sys.executable, args=["-m", "admin_mcp", *arguments], env=env)
    async with Client(stdio_client(server), mode=era, elicitation_callback=answered) as client:
        yield client


def noting(action: Any) -> tuple[list[str], Answers]:
    """Return the links that are offered, and a client's answer to each; what it says of a decision is nothing."""
    links: list[str] = []

    def answer(params: types.ElicitRequestURLParams) -> types.ElicitResult:
        links.append(params.url)
        return types.ElicitResult(action=action, content={"decision": "approve"} if action == "accept" else None)

    return links, answer


def decide(event: Any) -> None:
    kept = open_storage(Settings(state_dir=Path(os.environ["ADMIN_MCP_STATE_DIR"])))
    (waiting,) = [approval for approval in kept.approvals.all() if approval.state == "pending"]
    kept.approvals.apply(waiting.id, event, via="page")


@pytest.mark.parametrize("era", ERAS)
async def test_the_link_opens_the_page_once_and_the_call_goes_on_when_it_is_decided(
    era: str, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    links: list[str] = []

    def answer(params: types.ElicitRequestURLParams) -> types.ElicitResult:
        links.append(params.url)
        assert "Change role “Support” (role_1)" in params.message
        page = visit(params.url)
        assert "Opening the approval" in page
        assert "used already" in visit(params.url)
        decide("approve")
        return types.ElicitResult(action="accept")

    async with opening_links(era, recorder, monkeypatch, answer) as client:
        result = await client.call_tool("update_role", UPDATE)
    assert result.is_error is False
    assert len(links) == len(recorder.changes) == 1
    assert links[0] not in result.model_dump_json()


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
async def test_what_the_client_answers_decides_nothing(
    era: str, action: Any, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    links, answer = noting(action)
    async with opening_links(era, recorder, monkeypatch, answer, wait="0") as client:
        result = await client.call_tool("update_role", UPDATE)
        assert result.structured_content is not None
        assert result.structured_content["error"]["kind"] == "approval_pending"
        assert "127.0.0.1" not in json.dumps(result.structured_content).replace(recorder.base_url, "")
        decide("approve")
        again = await client.call_tool("update_role", UPDATE)
    assert again.is_error is False
    assert len(links) == len(recorder.changes) == 1
    assert links[0] not in result.model_dump_json() + again.model_dump_json()


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_asked_past_the_host_gives_the_host_no_link(
    era: str, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    links, answer = noting("accept")
    async with opening_links(era, recorder, monkeypatch, answer, "--approval", "local", wait="0") as client:
        result = await client.call_tool("update_role", UPDATE)
    assert result.is_error is True
    assert (links, recorder.changes) == ([], [])


async def test_a_decision_in_a_terminal_ends_the_call_though_the_client_still_asks(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with anyio.fail_after(30):
        async with opening_links(ERAS[0], recorder, monkeypatch, None) as client:
            result = await client.call_tool("update_role", UPDATE)
    assert result.structured_content is not None
    assert result.structured_content["error"]["kind"] == "approval_denied"
    assert recorder.changes == []


def visit(url: str) -> str:
    return httpx.get(url, trust_env=False).text


def test_only_a_link_files_name_is_written_to(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no link file"):
        run_link_process(records(tmp_path), "x", "../elsewhere", lambda: 0.0)


def test_a_question_that_is_over_gets_no_page(tmp_path: Path) -> None:
    kept = records(tmp_path / "state")
    run_link_process(kept, "none", "link-0123456789abcdef", lambda: 0.0)
    assert not (tmp_path / "state" / "link-0123456789abcdef").exists()
