"""What the gate knows of the ways to a person. The channels have them."""

from typing import Protocol

from admin_mcp.gate.approval import Approval
from admin_mcp.gate.forms import Reply
from admin_mcp.gate.policy import Channel


class ApprovalChannel(Protocol):
    """A way to a person, for one call."""

    @property
    def channel(self) -> Channel:
        """Which way it is."""

    @property
    def asks_once(self) -> bool:
        """Whether a question that is being shown must not be shown a second time by an identical call."""

    @property
    def dies_with_call(self) -> bool:
        """Whether a question is void once the call that opened it has ended without an answer."""

    @property
    def answers(self) -> str | None:
        """Id of the approval that this call brings an answer to, where a repeated call brings it; otherwise None."""

    async def ask(self, approval: Approval) -> Reply | None:
        """Show the question and return what came back, or None if it was decided elsewhere.

        May also end the call: with ``ApprovalPending``, or by interrupting it until it is repeated with the answer.
        """


class ChannelSelector(Protocol):
    """The ways to a person that one call has."""

    @property
    def asker(self) -> str:
        """What the client that calls says of itself, as it came; empty where there is none."""

    def select(self, channel: Channel | None, *, length: int = 0) -> ApprovalChannel | None:
        """Return the way that a rule demands, the usual one for None, or None if there is no such way.

        ``length`` is how many characters there are to show, where that may be too much for a form.
        """
