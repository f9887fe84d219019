"""Chooses among the ways to a person: what the operator set, what a rule demands, what the client offers."""

from dataclasses import dataclass
from typing import Protocol, assert_never

from admin_mcp.channels.local_channel import LocalChannel
from admin_mcp.channels.two_step import TwoStepAsk
from admin_mcp.gate.approval_channel import ApprovalChannel
from admin_mcp.gate.forms import LONGEST_FORM
from admin_mcp.gate.policy import Channel
from admin_mcp.settings import ApprovalMode


class MakeLocal(Protocol):
    """Makes the way on this machine; it is told if the question is there only for being too long for a form."""

    def __call__(self, *, too_long: bool = False, by_client: bool = False) -> LocalChannel:
        """Return it; ``by_client`` lets the client open the page."""


@dataclass(frozen=True, slots=True)
class OfferedChannels:
    """The ways one call has. ``form`` is the client's, None if it offers none; ``local`` makes the one on this machine.

    ``asker`` is what the client says of itself.
    Nothing falls back to a weaker way: ``auto`` prefers the client's form, and what a rule demands must be there.
    """

    mode: ApprovalMode
    form: ApprovalChannel | None
    local: MakeLocal
    asker: str = ""

    def select(self, channel: Channel | None, *, length: int = 0) -> ApprovalChannel | None:
        """Return the way that a rule demands, or the usual one for None; None if there is no such way.

        What is too long for a form goes to this machine where that is a usual way, and nowhere else.
        """
        form = self.form if length <= LONGEST_FORM else None
        way = channel or self.mode
        match way:
            case "auto":
                return form or self.local(too_long=self.form is not None, by_client=True)
            case "elicit":
                return form
            case "local":
                return self.local()  # past the client, so it is given no link either
            case "two-step":
                return TwoStepAsk()
            case "none":
                return None
        assert_never(way)
