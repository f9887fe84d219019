"""A process of its own that puts waiting questions on the screen, one for each state directory.

It outlives the server that asked, because some hosts end the server with the call. It has no admin key, and it ends
when nothing waits any more.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from admin_mcp.channels.page_server import PageServer
from admin_mcp.gate.approvals import Approval
from admin_mcp.gate.records import Records
from admin_mcp.private_files import FileLock, LockBusyError

LOCK_NAME = "desk.lock"
LINGER_SECONDS = 30.0
"""How long it stays after the last question has ended, so that the person can read what became of it."""

_POLL_SECONDS = 0.3


def start_desk(directory: Path) -> None:
    """Make sure that a desk is running for this state directory. Nothing is raised: a terminal does as well.

    It is started without the admin key, and apart from this process, so that it does not end with it.
    """
    environment = {name: value for name, value in os.environ.items() if name != "OPENAI_ADMIN_KEY"}
    lock = FileLock(directory / LOCK_NAME)
    try:
        lock.acquire()
        lock.release()
        subprocess.Popen(  # noqa: S603 - this Python, with words of ours
            [sys.executable, "-m", "admin_mcp", "--state-dir", str(directory), "approvals", "desk"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
    except (LockBusyError, OSError):
        return


def run_desk(records: Records, clock: Callable[[], float], sleep: Callable[[float], None] = time.sleep) -> None:
    """Show each question that comes up, until none has been open for a while. Returns at once if a desk is running.

    Raises:
        StateUnavailable: the state can't be used. ``OSError``: the page can't be served or opened.

    """
    lock = FileLock(records.state.directory / LOCK_NAME)
    while True:
        try:
            lock.acquire()
        except LockBusyError:
            return
        try:
            _serve(records, clock, sleep)
        finally:
            lock.release()
        # A question may have come while the lock was still held, and its server was content with that.
        if not (records.state.exists and any(map(_waits, records.approvals.all()))):
            return


def _serve(records: Records, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
    page = PageServer(records.approvals, records.state.directory, clock)
    page.start()
    try:
        shown: set[str] = set()
        last = clock()
        while clock() - last < LINGER_SECONDS and records.state.exists:
            approvals = records.approvals.all()
            waiting = [approval for approval in approvals if _waits(approval)]
            if waiting or any(map(_goes_on, approvals)):
                last = clock()
            new = [approval.id for approval in waiting if approval.id not in shown]
            if new and not page.watched:
                page.open_browser(new[-1])
                shown.update(new)
            sleep(_POLL_SECONDS)
    finally:
        page.stop()


def _waits(approval: Approval) -> bool:
    return approval.channel == "local" and approval.state == "pending"


def _goes_on(approval: Approval) -> bool:
    """Whether something may still become of an approved change."""
    return approval.channel == "local" and approval.state == "approved"
