"""A client that opens links gets the page's, over real stdio in both eras; the decision stays on the page."""

import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import mcp_types as types
import pytest
from anyio.to_thread import run_sync
from mcp.client.client import Client
from mcp.client.session import MessageHandlerFnT
from mcp.client.stdio import StdioServerParameters, stdio_client

from admin_mcp.channels import link_process
from admin_mcp.channels.form import RetriedElicitation
from admin_mcp.channels.link import InlineLink, RetriedLink
from admin_mcp.channels.link_process import run_link_process
from admin_mcp.errors import StateBusy
from admin_mcp.gate.storage import open_storage
from admin_mcp.settings import Settings
from tests.channels.test_page import showing
from tests.gate.questions import records
from tests.recorder import Recorder
from tests.sessions import ERAS, KEY, LEGACY, environment

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
    hear: MessageHandlerFnT | None = None,
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
    async with Client(stdio_client(server), mode=era, elicitation_callback=answered, message_handler=hear) as client:
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


async def test_a_client_that_holds_the_link_is_told_when_nothing_is_left_to_decide(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[str | None] = []
    complete: list[str] = []

    def answer(params: types.ElicitRequestURLParams) -> types.ElicitResult:
        offered.append(params.elicitation_id)
        assert complete == []
        decide("approve")
        return types.ElicitResult(action="accept")

    async def hear(message: object) -> None:
        if isinstance(message, types.ElicitCompleteNotification):
            complete.append(message.params.elicitation_id)

    async with opening_links(LEGACY, recorder, monkeypatch, answer, hear=hear) as client:
        await client.call_tool("update_role", UPDATE)
    assert complete == offered
    assert len(complete) == 1


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


async def test_a_state_that_fails_while_the_link_is_open_fails_as_it_does_elsewhere() -> None:
    async def decided() -> None:
        raise StateBusy("The state is busy.", hint="Try again.")

    class Session:
        async def send_request(self, *_: object, **__: object) -> None:
            await anyio.sleep_forever()

    ctx: Any = SimpleNamespace(session=Session(), request_id=1)
    with pytest.raises(StateBusy):
        await InlineLink(ctx, lambda _: "http://127.0.0.1/x").offer(showing(), decided)


@pytest.mark.parametrize("question", ["page", "approval"])
@pytest.mark.parametrize("state", [{"link": "other"}, {"approval": "other"}, {}])
def test_an_answer_to_the_other_kind_of_question_counts_for_nothing(question: str, state: dict[str, str]) -> None:
    params = types.CallToolRequestParams(
        name="x",
        input_responses={question: types.ElicitResult(action="accept", content={"decision": "approve"})},
        request_state=json.dumps(state),
    )
    assert RetriedElicitation(params).answers in {None, state.get("approval")}
    assert RetriedLink(params, lambda _: None)._offered in {None, state.get("link")}


def test_a_link_that_came_too_late_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Late:
        """Writes its file in the moment in which nobody looks for it any more."""

        def __init__(self, words: list[str], directory: Path, **_: object) -> None:
            self.path = directory / words[-1]

        def poll(self) -> None:
            return None

        def kill(self) -> None:
            self.path.write_text("http://127.0.0.1/x", "utf-8")

        def wait(self, timeout: float | None = None) -> None:
            del timeout

    monkeypatch.setattr(link_process, "start_child", Late)
    monkeypatch.setattr(link_process, "_LOOK_SECONDS", 0.0)
    assert link_process.start_link_process(tmp_path, "a") is None
    assert list(tmp_path.iterdir()) == []


def test_a_call_that_is_repeated_again_and_again_does_not_fill_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    living: list[bool] = []

    class Serving:
        def __init__(self, words: list[str], directory: Path, **_: object) -> None:
            self.number = len(living)
            living.append(True)
            (directory / words[-1]).write_text(f"http://127.0.0.1/{self.number}", "utf-8")

        def poll(self) -> int | None:
            return None if living[self.number] else 0

    monkeypatch.setattr(link_process, "start_child", Serving)
    links = link_process.Links(tmp_path)
    found = [links("a") for _ in range(100)]
    assert len(living) == link_process.MOST_LINKS
    assert [each is not None for each in found] == [number < len(living) for number in range(100)]
    living[0] = False
    assert links("a") == f"http://127.0.0.1/{link_process.MOST_LINKS}"
