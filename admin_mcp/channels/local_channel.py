"""Asks a person on this machine, through a page or a terminal, and waits a while for what they decide.

Nothing here knows the page's address, so nothing here can tell it to a model.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import anyio
from anyio import to_thread

from admin_mcp.errors import ApprovalPending
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.approvals import Approvals
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.policy import Channel
from admin_mcp.installation import command_line

POLL_SECONDS = 0.25
_POLLS_PER_REPORT = 8

Show = Callable[[], Callable[[], bool]]
"""Puts the questions on the screen; what it returns tells whether they are there, as far as is known by then."""

Report = Callable[[float, str], Awaitable[None]]
"""Tells the client how many seconds the call has waited, and for what."""

PAGE = "decide on the page in the browser"
NOTIFICATION = "click the notification on the desktop"


class Link(Protocol):
    """The client's way to have a page opened."""

    async def offer(self, approval: Approval, decided: Callable[[], Awaitable[None]]) -> bool | None:
        """Return whether the person wants the page, or None if it could not be offered.

        ``decided`` returns when there is nothing left to decide. May also end the call until it is repeated.
        """

    async def done(self) -> None:
        """Let the client know that there is nothing left to do on the page, if it was offered one."""


def waits(approval: Approval) -> bool:
    """Whether a person on this machine is to decide it, and has not yet."""
    return traits(approval.channel).here and approval.state == "pending"


class LocalChannel:
    """Waits for a decision. ``show`` puts the question on the screen, unless it is None."""

    channel: Channel = "local"
    asks_once = False
    dies_with_call = False
    answers = None

    def __init__(
        self,
        approvals: Approvals,
        *,
        show: Show | None,
        started: float,
        wait: float,
        unseen: float,
        report: Report,
        at: str,
        screen: str = PAGE,
        too_long: bool = False,
        link: Callable[[], Link | None] = lambda: None,
        by_client: bool = False,
    ) -> None:
        """Take the moment the call ``started``, on anyio's clock, and the state directory, which the hint names.

        It waits for ``wait`` seconds, but no longer than ``unseen`` where the screen was to show it and can't: then
        only the hint, which comes with the end of the call, tells anybody what to do. ``screen`` says what is done with
        what is shown. ``too_long`` tells that the client's form would have been asked, but for the length of the
        question. ``by_client`` lets the client open the page, if it has a ``link``.
        """
        self._approvals = approvals
        self._show = show
        self._started = started
        self._wait = wait
        self._unseen = min(wait, unseen)
        self._report = report
        self._at = at
        self._screen = screen
        self._link = link() if by_client else None
        self._too_long = too_long

    async def ask(self, approval: Approval) -> None:
        """Return when the question has been decided.

        Raises:
            ApprovalPending: it has not, and the call must not wait longer.

        """
        shown, started = await self._on_screen(approval)
        on_page, polls = shown is not None, 0
        while await self._is_open(approval):
            waited = anyio.current_time() - started
            on_page = shown is not None and on_page and shown()
            wait = self._wait if on_page or shown is None else self._unseen
            if waited >= wait:
                raise self._pending(approval, on_page=on_page)
            if polls % _POLLS_PER_REPORT == 0:
                await self._report(waited, self._waiting_for(approval, on_page=on_page))
            polls += 1
            await anyio.sleep(min(POLL_SECONDS, wait - waited))
        if self._link is not None:
            await self._link.done()

    async def _on_screen(self, approval: Approval) -> tuple[Callable[[], bool] | None, float]:
        """Put the question before the person; return what tells whether it is there, and when waiting began.

        Nothing tells it where no page is wanted.
        """
        taken = None if self._link is None else await self._link.offer(approval, partial(self._ended, approval))
        if taken is not None:
            return lambda: taken, anyio.current_time()
        return await to_thread.run_sync(self._show) if self._show is not None else None, self._started

    async def _is_open(self, approval: Approval) -> bool:
        current = await to_thread.run_sync(self._approvals.get, approval.id)
        return current is not None and current.state == "pending"

    async def _ended(self, approval: Approval) -> None:
        while await self._is_open(approval):  # noqa: ASYNC110 - another process decides
            await anyio.sleep(POLL_SECONDS)

    def _pending(self, approval: Approval, *, on_page: bool) -> ApprovalPending:
        page = f"{self._screen} or, " if on_page else ""
        return ApprovalPending(
            f"Approval {approval.id}: a person on this machine has not decided yet{self._told(approval)}. Nothing was "
            "sent.",
            hint=f"Tell the user: {page}in a terminal of your own, run {self._command(approval)} "
            "(deny in place of approve refuses it, open shows it as a page). "
            "Don't repeat the call by yourself: when the user says it is decided, call the tool again with the same "
            "arguments.",
        )

    def _waiting_for(self, approval: Approval, *, on_page: bool) -> str:
        """Say what the call waits for; where nothing is shown, the client may be all that can tell how to decide."""
        waiting = "Waiting for a person's decision on this machine"
        return waiting if on_page else f"{waiting}: {self._command(approval)}"

    def _command(self, approval: Approval) -> str:
        return command_line("--state-dir", self._at, "approvals", "approve", approval.id)

    def _told(self, approval: Approval) -> str:
        """Say until when the question is open, how many others wait, and why no form was shown if one could be."""
        until = datetime.fromtimestamp(approval.ends, UTC).strftime("until %H:%M UTC") if approval.ends else ""
        others = sum(waits(other) and other.id != approval.id for other in self._approvals.all())
        more = f"{others} other question{'s' if others > 1 else ''} waiting" if others else ""
        length = "too long for a form" if self._too_long else ""
        told = "; ".join(filter(None, (until, more, length)))
        return f" ({told})" if told else ""
