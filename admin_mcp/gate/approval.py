"""What an approval is, and its life: a table of states and events. Pure.

    pending ──approve──> approved ──claim──> used
       │ └──reject────> rejected (stands: the same call is refused without asking)
       │ └──close─────> void, or the third time rejected
       └──void/expire─> void / expired (the same call asks again)

An event that the table does not list is illegal and changes nothing.
"""

from dataclasses import dataclass
from typing import Literal, assert_never

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import AdminMcpError
from admin_mcp.gate import rejections
from admin_mcp.gate.journal import Outcome
from admin_mcp.gate.policy import Channel
from admin_mcp.gate.preview import Preview

ApprovalState = Literal["pending", "approved", "rejected", "used", "void", "expired"]
Event = Literal["approve", "reject", "close", "claim", "void", "expire"]

PENDING_SECONDS = 600.0
APPROVED_SECONDS = 300.0
PLAN_APPROVED_SECONDS = 1800.0
"""An approved plan takes its time; the approval covers the steps that are not sent yet."""

APPLY_PLAN = "apply_plan"
"""The tool under which a plan is approved."""

REJECTED_SECONDS = rejections.STANDS_SECONDS
TRANSITIONS: dict[tuple[ApprovalState, Event], ApprovalState] = {
    ("pending", "approve"): "approved",
    ("pending", "reject"): "rejected",
    ("pending", "close"): "void",
    ("pending", "void"): "void",
    ("pending", "expire"): "expired",
    ("approved", "claim"): "used",
    ("approved", "reject"): "rejected",
    ("approved", "void"): "void",
    ("approved", "expire"): "expired",
    ("rejected", "expire"): "expired",
}


class IllegalEventError(AdminMcpError):
    """The approval is not in a state in which this can happen; nothing was changed."""

    def __init__(self, state: ApprovalState, event: Event) -> None:
        super().__init__(f"cannot {event} an approval that is {state}")
        self.state = state
        self.event = event


class SeenOtherwiseError(AdminMcpError):
    """What is approved is not what the person has read; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked about: one exact request, with ``key`` its digest, as the tool call that makes it.

    ``parts`` are the calls of a plan's steps, as tool and arguments: a no to one of them alone stands as well.
    """

    key: str
    tool: str
    arguments: Json
    preview: Preview
    parts: tuple[tuple[str, Json], ...] = ()

    @property
    def alike(self) -> str:
        """What it has in common with the other spellings of the same call: of a plan, with those of the same steps."""
        requests = {"requests": [step.preview.request for step in self.preview.steps]}
        return rejections.likeness(self.preview.target, self.tool, requests if self.preview.steps else self.arguments)

    @property
    def alikes(self) -> list[str]:
        """What it has in common with the calls whose rejection stands for it too."""
        return [self.alike, *(rejections.likeness(self.preview.target, *part) for part in self.parts)]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an approved request, in words for the person."""

    outcome: Outcome
    message: str


@dataclass(frozen=True, slots=True)
class Approval:
    """One question to a person through one channel. ``opened`` and ``since`` (of the state) are unix seconds.

    ``phrase`` is what ``confirm_change`` must repeat, in the two-step channel alone.
    """

    id: str
    channel: Channel
    state: ApprovalState
    opened: float
    since: float
    question: Question
    phrase: str | None
    result: Result | None

    @property
    def preview(self) -> Preview:
        """What the person is shown."""
        return self.question.preview

    @property
    def ends(self) -> float | None:
        """When the state ends by itself, as unix seconds, or None if it does not."""
        lifetime = self.lifetime
        return None if lifetime is None else self.since + lifetime

    @property
    def lifetime(self) -> float | None:
        """For how many seconds its state lasts, or None if that has no end."""
        return _lifetime(self.state, self.question)


def _lifetime(state: ApprovalState, question: Question) -> float | None:
    match state:
        case "pending":
            return question.preview.open_seconds or PENDING_SECONDS
        case "approved":
            return PLAN_APPROVED_SECONDS if question.tool == APPLY_PLAN else APPROVED_SECONDS
        case "rejected":
            return REJECTED_SECONDS
        case "used" | "void" | "expired":
            return None
    assert_never(state)
