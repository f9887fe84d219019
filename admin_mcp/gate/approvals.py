"""Approvals and their life: a table of states and events, and where they are kept while the process lives.

    pending ──approve──> approved ──claim──> used
       │ └──reject────> rejected (stands: the same call is refused without asking)
       └──void/expire─> void / expired (the same call asks again)

An event that the table does not list is illegal and changes nothing.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from admin_mcp.gate.preview import Preview

State = Literal["pending", "approved", "rejected", "used", "void", "expired"]
Event = Literal["approve", "reject", "claim", "void", "expire"]

PENDING_SECONDS = 600.0
APPROVED_SECONDS = 300.0
REJECTED_SECONDS = 600.0

TRANSITIONS: dict[tuple[State, Event], State] = {
    ("pending", "approve"): "approved",
    ("pending", "reject"): "rejected",
    ("pending", "void"): "void",
    ("pending", "expire"): "expired",
    ("approved", "claim"): "used",
    ("approved", "void"): "void",
    ("approved", "expire"): "expired",
    ("rejected", "expire"): "expired",
}

_LIFETIMES: dict[State, float] = {
    "pending": PENDING_SECONDS,
    "approved": APPROVED_SECONDS,
    "rejected": REJECTED_SECONDS,
}


class IllegalEventError(Exception):
    """The approval is not in a state in which this can happen; nothing was changed."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"cannot {event} an approval that is {state}")
        self.state = state
        self.event = event


@dataclass(frozen=True, slots=True)
class Approval:
    """One question to a person about one exact request. ``key`` is that request's digest."""

    id: str
    key: str
    preview: Preview
    state: State
    since: float


class Approvals(Protocol):
    """Where approvals are kept. Every method is atomic, and none returns an approval past its time."""

    def open(self, key: str, preview: Preview) -> Approval:
        """Return the pending, approved or rejected approval of this request, or a new pending one."""

    def get(self, approval_id: str) -> Approval | None:
        """Return the approval with this id, or None."""

    def apply(self, approval_id: str, event: Event) -> Approval:
        """Let something happen to an approval.

        Raises:
            IllegalEventError: not in its state; ``KeyError``: no such approval.

        """


class MemoryApprovals:
    """Approvals that last as long as the process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._approvals: dict[str, Approval] = {}

    def open(self, key: str, preview: Preview) -> Approval:
        """Return the living approval of this request if the target still looks the same, or a new pending one."""
        self._expire()
        for approval in self._approvals.values():
            if approval.key == key and approval.state in _LIFETIMES:
                if approval.state == "rejected" or approval.preview.drift == preview.drift:
                    return approval
                self.apply(approval.id, "void")
                break
        approval = Approval(secrets.token_urlsafe(9), key, preview, "pending", self._clock())
        self._approvals[approval.id] = approval
        return approval

    def get(self, approval_id: str) -> Approval | None:
        """Return the approval with this id, or None."""
        self._expire()
        return self._approvals.get(approval_id)

    def apply(self, approval_id: str, event: Event) -> Approval:
        """Let something happen to an approval."""
        self._expire()
        approval = self._approvals[approval_id]
        state = TRANSITIONS.get((approval.state, event))
        if state is None:
            raise IllegalEventError(approval.state, event)
        changed = replace(approval, state=state, since=self._clock())
        self._approvals[approval_id] = changed
        return changed

    def _expire(self) -> None:
        now = self._clock()
        for approval in list(self._approvals.values()):
            lifetime = _LIFETIMES.get(approval.state)
            if lifetime is None:
                # An ended approval only explains a late second answer; after a while nobody asks.
                if now - approval.since >= PENDING_SECONDS:
                    del self._approvals[approval.id]
            elif now - approval.since >= lifetime:
                self._approvals[approval.id] = replace(approval, state=TRANSITIONS[approval.state, "expire"], since=now)
