"""Asking at the terminal: only a clear yes counts, and no question is left behind."""

from pathlib import Path

import pytest

from admin_mcp.channels.terminal import TerminalChannel, no_of, terminal_reply
from admin_mcp.errors import ApprovalDenied
from admin_mcp.gate.approval import PENDING_SECONDS, Approval
from admin_mcp.gate.forms import judge
from admin_mcp.gate.storage import GateStorage
from tests.gate.questions import Clock, question, records

pytestmark = pytest.mark.anyio


class AtTerminal:
    """A terminal at which the person types what they are told to; ``typed`` may do something before it returns."""

    def __init__(self, directory: Path) -> None:
        self.clock = Clock()
        self.kept: GateStorage = records(directory, self.clock)
        self.shown: list[str] = []
        self.prompts: list[str] = []
        self.typed = ""
        self.channel = TerminalChannel(self.kept.approvals, self.shown.append, self._ask)

    def _ask(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return self.typed

    def question(self, *, typed: bool = True) -> Approval:
        return self.kept.approvals.open(question(typed=typed), "local")[0]

    def state(self, approval: Approval) -> str:
        found = self.kept.approvals.get(approval.id)
        return found.state if found else "gone"

    def how(self, approval: Approval) -> str | None:
        records = self.kept.journal.records(approval.id)
        return next((str(record.fields.get("via")) for record in records if record.kind == "decided"), None)


@pytest.fixture
def here(tmp_path: Path) -> AtTerminal:
    return AtTerminal(tmp_path / "state")


@pytest.mark.parametrize(("typed", "text"), [(True, "Support"), (True, " role_1 "), (False, "approve")])
async def test_the_question_is_shown_whole_and_the_right_text_approves(
    here: AtTerminal, text: str, *, typed: bool
) -> None:
    approval = here.question(typed=typed)
    here.typed = text
    await here.channel.ask(approval)
    assert here.shown == [approval.preview.text]
    assert here.prompts == [f"To approve, type {'Support' if typed else 'approve'}"]
    assert here.state(approval) == "approved"
    assert here.how(approval) == "terminal"


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (True, ""),
        (True, "support"),
        (True, "approve"),
        (False, ""),
        (False, "y"),
        (False, "APPROVE"),
        (False, "reject"),
    ],
)
async def test_any_other_text_sends_nothing_says_so_and_withdraws_the_question(
    here: AtTerminal, text: str, *, typed: bool
) -> None:
    approval = here.question(typed=typed)
    here.typed = text
    with pytest.raises(ApprovalDenied, match=r"that is not the text\. Nothing was sent") as caught:
        await here.channel.ask(approval)
    assert "once more" in caught.value.hint
    assert here.state(approval) == "void"


@pytest.mark.parametrize("leaving", [KeyboardInterrupt, EOFError])
async def test_a_person_who_leaves_takes_the_question_along(
    here: AtTerminal, monkeypatch: pytest.MonkeyPatch, leaving: type[BaseException]
) -> None:
    def left(_: str) -> str:
        raise leaving

    monkeypatch.setattr(here.channel, "_ask", left)
    approval = here.question()
    try:
        await here.channel.ask(approval)
    except leaving:
        assert here.state(approval) == "void"
    else:
        pytest.fail("it went on without the person")


@pytest.mark.parametrize("text", ["Support", "wrong"])
async def test_an_answer_after_the_end_of_the_question_changes_nothing(here: AtTerminal, text: str) -> None:
    approval = here.question()
    here.clock.now += PENDING_SECONDS
    here.typed = text
    try:
        await here.channel.ask(approval)
    except ApprovalDenied:
        assert text == "wrong"
    assert here.state(approval) == "expired"


async def test_what_was_rejected_on_the_page_meanwhile_stays_rejected(
    here: AtTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = here.question()

    def meanwhile(_: str) -> str:
        here.kept.approvals.apply(approval.id, "reject", via="page")
        return "Support"

    monkeypatch.setattr(here.channel, "_ask", meanwhile)
    await here.channel.ask(approval)
    assert here.state(approval) == "rejected"


async def test_it_stands_for_this_machine_and_no_clients_form(here: AtTerminal) -> None:
    assert here.channel.select(None) is here.channel
    assert here.channel.select("local", length=10**6) is here.channel
    assert here.channel.select("elicit") is None
    assert here.channel.select("two-step") is None


async def test_a_text_to_be_typed_is_shown_so_that_it_hides_nothing(here: AtTerminal) -> None:
    approval = here.kept.approvals.open(question(name="a\u202eb"), "local")[0]
    here.typed = "a\u202eb"
    reply = terminal_reply(approval, here.channel._ask)
    assert here.prompts == ["To approve, type a\\u{202E}b"]
    assert judge(reply, approval).event == "approve"


@pytest.mark.parametrize(("name", "no"), [("Support", "reject"), ("reject", "deny"), ("Reject", "deny")])
async def test_the_word_that_rejects_is_never_the_name_that_approves(here: AtTerminal, name: str, no: str) -> None:
    approval = here.kept.approvals.open(question(name=name), "local")[0]
    assert no_of(approval) == no
    for typed, event in ((name, "approve"), (f" {no.upper()} ", "reject"), ("", "close")):
        here.typed = typed
        assert judge(terminal_reply(approval, here.channel._ask, no), approval).event == event


async def test_where_leaving_is_the_only_no_the_word_decides_nothing(here: AtTerminal) -> None:
    approval = here.question()
    here.typed = "reject"
    assert judge(terminal_reply(approval, here.channel._ask), approval).event == "close"
