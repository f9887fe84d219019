"""Two calls about one change, while a person looks at its form."""

from pathlib import Path

import anyio
import pytest

from admin_mcp.errors import ApprovalPending
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.forms import DECISION, TYPED, Reply
from admin_mcp.gate.policy import Channel
from admin_mcp.gate.preview import Preview
from admin_mcp.gate.questions import Asked, Questions
from admin_mcp.settings import Target
from tests.gate.questions import question, records


class OpenForm:
    """A form that stays open until a test closes it."""

    channel: Channel = "elicit"
    asks_once = True
    dies_with_call = True
    answers = None

    def __init__(self) -> None:
        self.shown = 0
        self.open = anyio.Event()
        self.closed = anyio.Event()

    async def ask(self, approval: Approval) -> Reply:
        self.shown += 1
        self.open.set()
        await self.closed.wait()
        return Reply("accept", {DECISION: "approve", TYPED: approval.preview.typed[0]})


@pytest.mark.anyio
async def test_a_second_call_meanwhile_shows_nothing_and_is_not_told_to_try_again(tmp_path: Path) -> None:
    asked, form = question(), OpenForm()
    questions = Questions(records(tmp_path).approvals, Target("the test system", "test"))
    about = Asked(asked.key, asked.tool, asked.arguments)

    async def preview(channel: Channel) -> Preview:
        del channel
        return asked.preview

    with anyio.fail_after(10):
        async with anyio.create_task_group() as calls:
            calls.start_soon(questions.approved, about, form, preview)
            await form.open.wait()
            with pytest.raises(ApprovalPending) as caught:
                await questions.approved(about, form, preview)
            form.closed.set()
    assert form.shown == 1
    assert not caught.value.retryable  # it would invite a loop
