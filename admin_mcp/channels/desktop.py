"""Says on this machine's desktop that a question waits. The extra ``desktop`` brings the library that can.

A notification opens nothing by what it holds: it has no link, no token and no key. A click on it has the process that
showed it open the question's page, as that process would have done by itself.
"""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Coroutine
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol, TypeVar

from admin_mcp.gate.approval import Approval
from admin_mcp.gate.webhook import harmless
from admin_mcp.settings import SANDBOX_LABEL, Settings

if TYPE_CHECKING:
    from desktop_notifier import DesktopNotifier

EXTRA = "desktop"
APPLICATION = "openai-admin-mcp"

_LIBRARY = "desktop_notifier"
_REPLY_SECONDS = 5.0
_T = TypeVar("_T")

logger = logging.getLogger(__name__)


class Desktop(Protocol):
    """What notifications are shown on."""

    def tell(self, approval: Approval, *, again: bool = False) -> bool:
        """Show that a question waits; return whether it was shown. ``again``: half of its time is over."""

    def withdraw(self, approval_id: str) -> None:
        """Take a question's notification away, if there is one."""

    def clicked(self) -> list[str]:
        """Return the ids of the questions whose notifications were clicked since this was asked last."""

    def stop(self) -> None:
        """Take all notifications away and show no more."""


def installed() -> bool:
    """Whether the library is there."""
    return find_spec(_LIBRARY) is not None


def message_of(approval: Approval, *, again: bool, clickable: bool) -> str:
    """Return what stands below the headline. It has no word of others': some desktops read it as markup."""
    where = "In the sandbox. " if approval.preview.target == SANDBOX_LABEL else ""
    until = "" if approval.ends is None else f", until {datetime.fromtimestamp(approval.ends).astimezone():%H:%M}"
    asked = f"Half of the time is over: it waits for you{until}." if again else f"Waits for your approval{until}."
    how = "Click to see all of it." if clickable else "The command openai-admin-mcp approvals open shows all of it."
    return f"{where}{asked} {how}"


def desktop_of(settings: Settings) -> Desktop | None:
    """Return what notifications are shown on, or None if none are wanted, or none can be shown, which is logged."""
    if not (settings.desktop_notifications and installed()):
        return None
    try:
        return SystemDesktop()
    except OSError as error:
        logger.warning("No desktop notifications are shown: %s", error)
        return None


class SystemDesktop:
    """The desktop of the user whose process this is."""

    def __init__(self) -> None:
        """Find it.

        Raises:
            OSError: nothing can be shown here; the message says why.

        """
        _find_session_bus()
        self._shown: dict[str, str] = {}
        self._clicked: SimpleQueue[str] = SimpleQueue()
        self._complained = False
        self._heard = _Heard()
        library = logging.getLogger(_LIBRARY)
        library.addHandler(self._heard)
        library.propagate = False  # it logs a traceback, where one line will do
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, name="notifications", daemon=True)
        self._thread.start()
        try:
            self._notifier, self._clickable = self._run(_connected())
        except Exception as error:  # noqa: BLE001 - any library's and desktop's own
            self._end()
            raise OSError(self._heard.reason(error)) from None

    def tell(self, approval: Approval, *, again: bool = False) -> bool:
        """Show that a question waits, in place of what was shown of it before. A failure is logged once."""
        from desktop_notifier import Notification, Urgency  # noqa: PLC0415 - an extra

        self.withdraw(approval.id)
        dispatched: list[bool] = []
        notification = Notification(
            harmless(approval.preview.title),
            message_of(approval, again=again, clickable=self._clickable),
            urgency=Urgency.Critical if approval.preview.final else Urgency.Normal,
            on_clicked=lambda: self._clicked.put(approval.id),
            on_dispatched=lambda: dispatched.append(True),
        )
        try:
            identifier = self._run(self._notifier.send_notification(notification))
        except Exception as error:  # noqa: BLE001 - any library's and desktop's own; a terminal does as well
            self._complain(error)
            return False
        if not dispatched:
            self._complain(None)
            return False
        self._shown[approval.id] = identifier
        return True

    def withdraw(self, approval_id: str) -> None:
        """Take a question's notification away, if there is one."""
        identifier = self._shown.pop(approval_id, None)
        if identifier is None:
            return
        try:
            self._run(self._notifier.clear(identifier))
        except KeyError:
            return  # the person has closed it
        except Exception as error:  # noqa: BLE001 - as above
            self._complain(error)

    def clicked(self) -> list[str]:
        """Return the ids of the questions whose notifications were clicked since this was asked last."""
        found = [self._clicked.get() for _ in range(self._clicked.qsize())]
        for approval_id in found:
            self._shown.pop(approval_id, None)  # a desktop takes away what was clicked
        return found

    def stop(self) -> None:
        """Take all notifications away and show no more."""
        for approval_id in list(self._shown):
            self.withdraw(approval_id)
        self._end()

    def _live(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.get_loop().run_forever()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        library = logging.getLogger(_LIBRARY)
        library.removeHandler(self._heard)
        library.propagate = True

    def _run(self, work: Coroutine[object, object, _T]) -> _T:
        """Do it where the notifications live, and wait for it.

        Raises:
            TimeoutError: the desktop did not answer. Whatever the library raises.

        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(_REPLY_SECONDS)
        except TimeoutError:
            future.cancel()
            raise

    def _complain(self, error: Exception | None) -> None:
        if not self._complained:
            self._complained = True
            logger.warning("No desktop notification was shown: %s. This is said once.", self._heard.reason(error))


async def _connected() -> "tuple[DesktopNotifier, bool]":
    """Return what shows notifications, and whether it hears of clicks.

    Raises:
        OSError: it shows nothing. Whatever the library raises.

    """
    from desktop_notifier import Capability, DesktopNotifier  # noqa: PLC0415 - an extra

    notifier = DesktopNotifier(APPLICATION, None)
    able = await notifier.get_capabilities()
    if Capability.TITLE not in able:
        raise OSError("this Python can show none (on macOS only one that is an app, such as python.org's, can)")
    # There clicks are heard of by the main thread, which serves something else.
    return notifier, Capability.ON_CLICKED in able and sys.platform != "darwin"


class _Heard(logging.Handler):
    """What the library said last: it raises nothing where a notification can't be shown."""

    def __init__(self) -> None:
        super().__init__()
        self._error: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the error of a record."""
        if record.exc_info is not None:
            self._error = record.exc_info[1]

    def reason(self, error: BaseException | None) -> str:
        """Return in a line why nothing was shown."""
        known = error or self._error
        if isinstance(known, TimeoutError):
            return f"the desktop did not answer within {_REPLY_SECONDS:.0f} seconds"
        said = " ".join(str(known or "").split())
        return said or (type(known).__name__ if known else "the desktop took none")


def _find_session_bus() -> None:
    """Let the library find the desktop where a host passes on only some of the environment, as the SDK's clients do."""
    if os.name != "posix" or sys.platform == "darwin" or os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return
    usual = Path(f"/run/user/{os.getuid()}/bus")
    if usual.is_socket() and usual.stat().st_uid == os.getuid():
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={usual}"
