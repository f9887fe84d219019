"""A process of its own that serves one question's page for a client that opens links, and hands the way in over.

It outlives the server as the other page process does, and has no admin key either. The link goes through a private file
from it to the server, and from there to the client alone.
"""

import re
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

from admin_mcp.channels.page_process import LINGER_SECONDS
from admin_mcp.channels.page_server import PageServer
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.storage import GateStorage
from admin_mcp.installation import program, start_child
from admin_mcp.private_files import private_directory, replace_private

MOST_LINKS = 12
"""More than questions that may wait here, and few enough for a machine, however often a call is repeated."""

_NAME = re.compile(r"link-[0-9a-f]{16}")
_LOOKS = 100
_LOOK_SECONDS = 0.1
_POLL_SECONDS = 0.3


class Links:
    """The links that one server hands over. Each has a process behind it, so there are only so many at a time."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._processes: list[Popen[bytes]] = []
        self._turn = threading.Lock()

    def __call__(self, approval_id: str) -> str | None:
        """Return an address that lets one person in to this question's page, once; None if it can't be had."""
        with self._turn:
            self._processes = [each for each in self._processes if each.poll() is None]
            if len(self._processes) >= MOST_LINKS:
                return None
            return start_link_process(self._directory, approval_id, self._processes.append)


def start_link_process(
    directory: Path, approval_id: str, started: Callable[[Popen[bytes]], None] = lambda _: None
) -> str | None:
    """Return an address that lets one person in to this question's page, once; None if it can't be had.

    ``started`` takes the process that serves the page.
    """
    name = f"link-{secrets.token_hex(8)}"
    path = directory / name
    try:
        private_directory(directory)
        words = [*program(), "--state-dir", str(directory), "approvals", "link", approval_id, name]
        process = start_child(words, directory, apart=True)
        started(process)
    except OSError:
        return None
    for _ in range(_LOOKS):
        try:
            address = path.read_text("utf-8")
        except FileNotFoundError:
            if process.poll() is not None:
                return None
            time.sleep(_LOOK_SECONDS)
            continue
        path.unlink(missing_ok=True)
        return address
    process.kill()
    process.wait()
    path.unlink(missing_ok=True)  # it may have come in the last moment
    return None


def run_link_process(
    storage: GateStorage,
    approval_id: str,
    name: str,
    clock: Callable[[], float],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Serve the page of one question until it has ended; its address goes to the file of that name beside the state.

    Raises:
        ValueError: not the name of such a file. ``StateUnavailable``, ``OSError``: it can't be served.

    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no link file's name")
    directory = storage.database.directory
    if not _goes_on(storage.approvals.get(approval_id)):
        return
    page = PageServer(storage.approvals, storage.plans, directory, clock)
    page.start()
    try:
        replace_private(directory / name, page.address(approval_id).encode())
        last = clock()
        while clock() - last < LINGER_SECONDS and storage.database.exists:
            if _goes_on(storage.approvals.get(approval_id)):
                last = clock()
            sleep(_POLL_SECONDS)
    finally:
        page.stop()
        (directory / name).unlink(missing_ok=True)


def _goes_on(approval: Approval | None) -> bool:
    return approval is not None and approval.state in {"pending", "approved"}
