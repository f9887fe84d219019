"""Asks the person at this very terminal, while a command of theirs waits."""

from collections.abc import Callable
from contextlib import suppress

from admin_mcp.errors import ApprovalDenied
from admin_mcp.gate.approval import Approval, Event, IllegalEventError
from admin_mcp.gate.approval_channel import ApprovalChannel
from admin_mcp.gate.approvals import Approvals
from admin_mcp.gate.forms import DECISION, LONGEST_REASON, REASON, SHORTEST_REASON, TYPED, WHY, Judgement, Reply, judge
from admin_mcp.gate.policy import Channel
from admin_mcp.gate.text import visible

APPROVE = "approve"
_NOES = ("reject", "deny", "refuse", "decline")


def no_of(approval: Approval) -> str:
    """Return the word that rejects this: one that is not also the name whose typing approves it."""
    return next(word for word in _NOES if word not in {text.casefold().strip() for text in approval.preview.typed})


def terminal_reply(approval: Approval, ask: Callable[[str], str], no: str | None = None) -> Reply:
    """Have the person type what approves this; ``ask`` shows a line and returns what was typed.

    ``no`` is the word that rejects it, where that is more than leaving.
    """
    typed = approval.preview.typed
    given = ask(f"To approve, type {visible(typed[0] if typed else APPROVE)}")
    if no is not None and given.strip().casefold() == no:
        return Reply("decline")
    content: dict[str, object] = {DECISION: APPROVE, TYPED: given} if typed else {DECISION: given.strip()}
    return Reply("accept", {**content, REASON: ask(WHY)} if approval.preview.wants_reason else content)


def not_approved(judgement: Judgement) -> str:
    """Say what was wrong with what was typed."""
    if judgement.flaw == "no_reason":
        return f"that is no reason of {SHORTEST_REASON} to {LONGEST_REASON} visible characters"
    return "that is not the text"


class TerminalChannel:
    """Shows the question here and reads the answer; ``show`` prints, ``ask`` prompts."""

    channel: Channel = "local"
    asks_once = True
    dies_with_call = True
    answers = None
    asker = ""

    def __init__(self, approvals: Approvals, show: Callable[[str], None], ask: Callable[[str], str]) -> None:
        self._approvals = approvals
        self._show = show
        self._ask = ask

    async def ask(self, approval: Approval) -> None:
        """Show the whole question, and let the answer count, unless the question has ended meanwhile.

        The prompt holds up everything else, so that Ctrl-C reaches it: nothing else is to happen meanwhile.

        Raises:
            ApprovalDenied: it was no clear yes. The question is withdrawn, as it is when the person leaves.

        """
        self._show(approval.preview.text)
        try:
            judgement = judge(terminal_reply(approval, self._ask), approval)
        except BaseException:
            self._apply(approval, "void", "the person left the terminal")
            raise
        if judgement.event == "approve":
            self._apply(approval, "approve", judgement.given)
            return
        self._apply(approval, "void", judgement.reason)
        raise ApprovalDenied(
            f"Not approved: {not_approved(judgement)}. Nothing was sent.",
            hint="Run the command again to try once more.",
        )

    def _apply(self, approval: Approval, event: Event, reason: str | None = None) -> None:
        # Whoever asked looks at what became of it: it may be over, or decided on a page.
        with suppress(IllegalEventError):
            self._approvals.apply(approval.id, event, via="terminal", reason=reason)

    def select(self, channel: Channel | None, *, length: int = 0) -> ApprovalChannel | None:
        """Return this, unless a rule wants the person asked through their client."""
        del length
        return self if channel in {None, self.channel} else None
