"""Chooses among the ways to a person: what the operator set, what a rule demands, what the client offers."""

from collections.abc import Callable
from dataclasses import dataclass

from admin_mcp.channels.local import Local
from admin_mcp.channels.two_step import FirstStep
from admin_mcp.gate.person import Person
from admin_mcp.gate.policy import Channel
from admin_mcp.settings import ApprovalMode


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways one call has. ``form`` is the client's, None if it offers none; ``local`` makes the one on this machine.

    Nothing falls back to a weaker way: ``auto`` prefers the client's form, and what a rule demands must be there.
    """

    mode: ApprovalMode
    form: Person | None
    local: Callable[[], Local]

    def reach(self, channel: Channel | None) -> Person | None:
        """Return the way that a rule demands, or the usual one for None; None if there is no such way."""
        match channel or self.mode:
            case "auto":
                return self.form or self.local()
            case "elicit":
                return self.form
            case "local":
                return self.local()
            case "two-step":
                return FirstStep()
        return None
