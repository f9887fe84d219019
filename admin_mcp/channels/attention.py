"""Draws a person's attention to what waits: a notification for each question, and a tab unless they seem to look."""

from collections.abc import Callable, Sequence

from admin_mcp.channels.desktop import Desktop
from admin_mcp.channels.local_channel import waits
from admin_mcp.channels.page_server import PageServer
from admin_mcp.gate.approval import Approval


class Attention:
    """What the person has been shown so far. Without a ``desktop`` there are tabs alone, if this ``opens`` any.

    With ``inbox`` a tab shows all that waits, and there is none while another has it. Half of its time on, a question
    is shown once more: by a notification if one can be shown, else by a tab.
    """

    def __init__(
        self,
        page: PageServer,
        desktop: Desktop | None,
        clock: Callable[[], float],
        *,
        opens: bool,
        inbox: bool = False,
    ) -> None:
        self._page = page
        self._desktop = desktop
        self._clock = clock
        self._opens = opens
        self._inbox = inbox
        self._told: set[str] = set()
        self._opened: set[str] = set()
        self._reminded: set[str] = set()

    def entered(self, approvals: Sequence[Approval]) -> None:
        """Take what waits as shown: the person is being let in just now."""
        waiting = {approval.id for approval in approvals if waits(approval)}
        self._told |= waiting
        self._opened |= waiting

    def draw_to(self, approvals: Sequence[Approval]) -> None:
        """Show what is new, remind of what is late, and open what was clicked.

        Raises:
            OSError: a browser can't be started.

        """
        waiting = [approval for approval in approvals if waits(approval)]
        if self._desktop is not None:
            self._follow(self._desktop, waiting)
        new = [approval.id for approval in waiting if approval.id not in self._opened]
        if new and self._opens and not self._looks():
            self._open(new[-1])
            self._opened.update(new)
        late = [each for each in waiting if each.id not in self._reminded and _half_over(each, self._clock())]
        if late and not self._page.watched and self._remind(late):
            self._reminded.update(approval.id for approval in late)

    def _follow(self, desktop: Desktop, waiting: Sequence[Approval]) -> None:
        for approval_id in desktop.clicked():
            self._page.open_browser(approval_id)
        for gone in self._told - {approval.id for approval in waiting}:
            desktop.withdraw(gone)
            self._told.discard(gone)
        for approval in waiting:
            if approval.id not in self._told:
                desktop.tell(approval)
                self._told.add(approval.id)

    def _remind(self, late: Sequence[Approval]) -> bool:
        """Return whether this was done: a tab is not opened yet where one has the inbox."""
        if self._desktop is not None:
            told = [self._desktop.tell(approval, again=True) for approval in late]
            if all(told):
                return True
        if self._looks():
            return False
        if self._opens:
            self._open(late[-1].id)
        return True

    def _open(self, approval_id: str) -> None:
        if self._inbox:
            self._page.open_browser()
        else:
            self._page.open_browser(approval_id)

    def _looks(self) -> bool:
        return self._page.watched or (self._inbox and self._page.inbox_open)


def _half_over(approval: Approval, now: float) -> bool:
    """Whether half of the time to answer has passed."""
    return now - approval.since > (approval.lifetime or 0) / 2
