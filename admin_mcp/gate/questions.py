"""Has a person asked about one change, and says what their answer means for it: open, ask, decide, withdraw."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import anyio

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import ApprovalPending, ApprovalUnavailable, StateUnavailable
from admin_mcp.gate.approval import Approval, IllegalEventError, Question
from admin_mcp.gate.approval_channel import ApprovalChannel
from admin_mcp.gate.approvals import Approvals
from admin_mcp.gate.asker import asker_of
from admin_mcp.gate.forms import Reply, judge
from admin_mcp.gate.offload import done_whole, threaded
from admin_mcp.gate.policy import Channel
from admin_mcp.gate.preview import Preview
from admin_mcp.gate.refusals import already_ended, denied, not_decided, nothing_to_change, refused_as
from admin_mcp.settings import Target

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person is to be asked about: a tool's call and the digest of what it comes to.

    ``parts`` are the calls of a plan's steps, as tool and arguments; ``asker`` is what the client says of itself.
    """

    key: str
    tool: str
    arguments: Json
    parts: tuple[tuple[str, Json], ...] = ()
    asker: str = ""


Previewer = Callable[[Channel], Awaitable[Preview]]
"""Reads the present state and puts what is asked about into words, for one channel."""


Opened = Callable[[Approval], None]
"""Is told of a question that was just opened. Returns at once and raises nothing."""


class Questions:
    """The questions of one process."""

    def __init__(self, approvals: Approvals, target: Target, opened: Opened | None = None) -> None:
        self._approvals = approvals
        self._target = target
        self._tell = opened
        self._asking: set[str] = set()
        self._closing: dict[str, anyio.Event] = {}

    async def approved(self, asked: Asked, channel: ApprovalChannel, preview: Previewer) -> Approval:
        """Return the approval once a person gave it for exactly this.

        Raises:
            CallError: they did not, or not yet.

        """
        approval, own = await self._opened(asked, channel, preview)
        try:
            return await self._answered(approval, channel) if approval.state == "pending" else approval
        except (anyio.get_cancelled_exc_class(), ApprovalUnavailable):
            # Nobody waits for this answer any more, so it must not lie there for a later call to find. A question that
            # another call opened is that call's to withdraw.
            if channel.dies_with_call and own:
                await self._withdraw(asked.key, approval)
            raise

    async def _withdraw(self, key: str, approval: Approval) -> None:
        """Void the question, while the same call, if it comes again at once, waits for the end of that."""
        self._closing[key] = closing = anyio.Event()
        try:
            await self.void(approval, "the call ended before the answer came")
        finally:
            self._closing.pop(key, None)
            closing.set()

    async def _opened(self, asked: Asked, channel: ApprovalChannel, preview: Previewer) -> tuple[Approval, bool]:
        """Return the approval this call is about, and whether this call opened it."""
        if channel.answers is not None:
            approval = await threaded(self._approvals.get, channel.answers)
            fits = approval and (approval.question.key, approval.channel, approval.state)
            if approval is None or fits != (asked.key, channel.channel, "pending"):
                raise denied(
                    "This answer belongs to no open question about this very change (expired, used, or another's)"
                )
            return approval, False
        shown = await preview(channel.channel)
        if shown.idle:
            raise nothing_to_change(shown)
        shown = shown.model_copy(update={"asker": asker_of(asked.asker, self._target)})
        question = Question(asked.key, asked.tool, asked.arguments, shown, asked.parts)
        if closing := self._closing.get(asked.key):
            await closing.wait()  # or this call would share a question that is just being withdrawn
        opened = await threaded(self._approvals.open, question, channel.channel)
        if opened[1] and self._tell is not None:
            self._tell(opened[0])
        return opened

    async def _answered(self, approval: Approval, channel: ApprovalChannel) -> Approval:
        """Return the approval once it is approved."""
        reply = await self._ask(approval, channel)
        if reply is None:
            decided = await threaded(self._approvals.get, approval.id)
            if decided is None or decided.state != "approved":
                raise denied(refused_as(decided.state if decided else "expired"))
            return decided
        judgement = judge(reply, approval)
        try:
            decided = await threaded(
                partial(
                    self._approvals.apply, approval.id, judgement.event, via=channel.channel, reason=judgement.recorded
                )
            )
        except (IllegalEventError, KeyError) as error:
            raise already_ended(error) from None
        if judgement.approved:
            return decided
        if judgement.event == "reject":
            raise denied(judgement.reason[:1].upper() + judgement.reason[1:])
        if decided.state == "rejected":
            raise denied("The form came back without a decision for the third time, which counts as a no")
        raise not_decided(judgement)

    async def _ask(self, approval: Approval, channel: ApprovalChannel) -> Reply | None:
        if not channel.asks_once:
            return await channel.ask(approval)
        if approval.id in self._asking:
            raise ApprovalPending(
                "A person is being asked about this same change right now; nothing was sent yet.",
                hint="Wait for the answer to the first call. Don't send the call again meanwhile.",
            )
        self._asking.add(approval.id)
        try:
            return await channel.ask(approval)
        finally:
            self._asking.discard(approval.id)

    async def void(self, approval: Approval, reason: str) -> None:
        """Make an approval worthless, unless it has ended already."""
        void = partial(self._approvals.apply, approval.id, "void", reason=reason)
        try:
            await done_whole(void)
        except (IllegalEventError, KeyError):
            return  # it has ended already, which is all that is wanted
        except StateUnavailable as error:
            logger.warning("approval %s could not be voided: %s", approval.id, error.reason)
