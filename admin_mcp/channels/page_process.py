"""A process of its own that puts waiting questions on the screen, one for each state directory.

It outlives the server that asked, because some hosts end the server with the call. It has no admin key, and it ends
when nothing waits any more.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from admin_mcp.channels.attention import Attention
from admin_mcp.channels.desktop import Desktop
from admin_mcp.channels.local_channel import waits
from admin_mcp.channels.page_server import PageServer
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.storage import GateStorage
from admin_mcp.installation import program, start_child
from admin_mcp.private_files import FileLock, LockBusyError, write_private

LOCK_NAME = "desk.lock"
LOG_NAME = "desk.log"
"""What the running one, or the last one, had to say."""

LINGER_SECONDS = 30.0
"""How long it stays after the last question has ended, so that the person can read what became of it."""

_POLL_SECONDS = 0.3

_logger = logging.getLogger(__name__)


def start_page_process(directory: Path) -> Callable[[], bool]:
    """Make sure that a page process runs for this state directory; return what tells whether it still does its work.

    Nothing is raised, because a terminal does as well: a failure is logged, and the answer is no from then on. That
    process is apart from this one, so that it does not end with it.
    """
    lock = FileLock(directory / LOCK_NAME)
    try:
        lock.acquire()
        lock.release()
        return _Started(directory).works
    except LockBusyError:
        return lambda: True
    except OSError as error:
        _logger.warning("The approval page could not be started: %s", error)
        return lambda: False


class _Started:
    """A page process that this process started."""

    def __init__(self, directory: Path) -> None:
        self._log = directory / LOG_NAME
        self._log.unlink(missing_ok=True)  # of the one before
        write_private(self._log, b"")
        words = [*program(), "--state-dir", str(directory), "approvals", "desk"]
        with self._log.open("wb") as log:
            self._process = start_child(words, directory, errors=log.fileno(), apart=True)

    def works(self) -> bool:
        """Return whether it runs, or ended because nothing waited any more."""
        code = self._process.poll()
        if code:
            lines = self._log.read_text("utf-8", "replace").splitlines() if self._log.exists() else []
            _logger.warning("The approval page ended with exit code %d: %s", code, lines[-1] if lines else self._log)
        return not code


def run_page_process(
    storage: GateStorage,
    clock: Callable[[], float],
    sleep: Callable[[float], None] = time.sleep,
    *,
    desktop: Desktop | None = None,
    opens: bool = True,
) -> None:
    """Show each question that comes up, until none has been open for a while. Returns at once if another one runs.

    ``desktop`` is told of each; unless this ``opens`` browsers by itself, nothing but a click there does.

    Raises:
        StateUnavailable: the state can't be used. ``OSError``: the page can't be served, or nothing opens it.

    """
    lock = FileLock(storage.database.directory / LOCK_NAME)
    while True:
        try:
            lock.acquire()
        except LockBusyError:
            return
        try:
            _serve(storage, clock, sleep, desktop, opens=opens)
        finally:
            lock.release()
        # A question may have come while the lock was still held, and its server was content with that.
        if not (storage.database.exists and any(map(waits, storage.approvals.all()))):
            return


def keep_inbox_open(
    storage: GateStorage,
    clock: Callable[[], float],
    enter: Callable[[PageServer], None],
    no_browser: Callable[[], None],
    *,
    desktop: Desktop | None = None,
    opens: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> NoReturn:
    """Serve the inbox until this is interrupted; ``enter`` lets the person in.

    ``no_browser`` is called once where none could be started; it raises if there is no other way in.

    Where it ``opens`` browsers or has a ``desktop``, it also does what a page process does, so that servers start none;
    while one still runs, that one does it. A question opens a tab only where no tab has the inbox.

    Raises:
        StateUnavailable: the state can't be used. ``OSError``: the page can't be served.

    """
    lock, holds, told = FileLock(storage.database.directory / LOCK_NAME), False, False
    page = PageServer(storage.approvals, storage.plans, storage.database.directory, clock)
    page.start()
    try:
        enter(page)
        attention = Attention(page, desktop, clock, opens=opens, inbox=True)
        attention.entered(storage.approvals.all())
        while True:
            holds = holds or ((opens or desktop is not None) and _taken(lock))
            if holds:
                attention.draw_to(storage.approvals.all())
            if page.unreachable and not told:
                told = True
                no_browser()
            sleep(_POLL_SECONDS)
    finally:
        page.stop()
        if holds:
            lock.release()


def _taken(lock: FileLock) -> bool:
    try:
        lock.acquire()
    except LockBusyError:
        return False
    return True


def _serve(
    storage: GateStorage,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    desktop: Desktop | None,
    *,
    opens: bool,
) -> None:
    page = PageServer(storage.approvals, storage.plans, storage.database.directory, clock)
    page.start()
    try:
        attention = Attention(page, desktop, clock, opens=opens)
        last = clock()
        while clock() - last < LINGER_SECONDS and storage.database.exists:
            approvals = storage.approvals.all()
            if any(waits(approval) or _goes_on(approval) for approval in approvals):
                last = clock()
            attention.draw_to(approvals)
            if page.unreachable:
                raise OSError("no browser could be started")
            sleep(_POLL_SECONDS)
    finally:
        page.stop()


def _goes_on(approval: Approval) -> bool:
    """Whether something may still become of an approved change."""
    return traits(approval.channel).here and approval.state == "approved"
