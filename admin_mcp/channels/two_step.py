"""For frameworks that put a person of their own in front of one tool: a first call shows, ``confirm_change`` executes.

A model can do both, so this is a handle for such a framework and no protection by itself.
"""

from dataclasses import dataclass

from admin_mcp.errors import ApprovalPending
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.approval_channel import ApprovalChannel
from admin_mcp.gate.forms import PHRASE, Reply
from admin_mcp.gate.policy import Channel

CONFIRM_CHANGE = "confirm_change"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The arguments of ``confirm_change``."""

    id: str
    phrase: str


class TwoStepAsk:
    """Ends the call with the preview, the id and the phrase."""

    channel: Channel = "two-step"
    asks_once = False
    dies_with_call = False
    answers = None

    async def ask(self, approval: Approval) -> None:
        """Raise ``ApprovalPending``, always."""
        raise ApprovalPending(
            f"Approval {approval.id} is needed; nothing was sent yet. Show the user all of this:\n"
            f"{approval.preview.text}",
            hint=f"If the user agrees, call {CONFIRM_CHANGE} with id {approval.id} and phrase {approval.phrase} "
            "within ten minutes. If not, do nothing.",
        )


class TwoStepConfirm:
    """The answer that ``confirm_change`` brings."""

    channel: Channel = "two-step"
    asks_once = False
    dies_with_call = False
    asker = ""

    def __init__(self, given: Confirmation) -> None:
        self.answers: str | None = given.id
        self._reply = Reply("accept", {PHRASE: given.phrase})

    async def ask(self, approval: Approval) -> Reply:
        """Return the phrase that was given."""
        del approval
        return self._reply

    def select(self, channel: Channel | None, *, length: int = 0) -> ApprovalChannel | None:
        """Return this, unless a rule wants the person asked in another way."""
        del length
        return self if channel in {None, self.channel} else None
