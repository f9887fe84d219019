"""A desktop's session bus of the tests' own, and on it a desktop that writes down what it is given to show."""

import asyncio
import subprocess
import threading
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from dbus_fast.aio.message_bus import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""


class _Notifications(ServiceInterface):
    """``org.freedesktop.Notifications``, as its specification has it."""

    def __init__(self, *, silent: bool) -> None:
        super().__init__("org.freedesktop.Notifications")
        self.shown: dict[int, tuple[str, str, str, list[str], int]] = {}
        self.closed: list[int] = []
        self._silent = silent

    @dbus_method()
    async def Notify(  # noqa: N802 - the specification's name
        self,
        app: "s",  # type: ignore[name-defined] # noqa: F821 - D-Bus's letters, here and below
        replaces: "u",  # type: ignore[name-defined] # noqa: F821
        icon: "s",  # type: ignore[name-defined] # noqa: F821
        summary: "s",  # type: ignore[name-defined] # noqa: F821
        body: "s",  # type: ignore[name-defined] # noqa: F821
        actions: "as",  # type: ignore[valid-type] # noqa: F722
        hints: "a{sv}",  # type: ignore[valid-type] # noqa: F722
        milliseconds: "i",  # type: ignore[name-defined] # noqa: F821
    ) -> "u":  # type: ignore[name-defined] # noqa: F821
        del replaces, icon, milliseconds
        if self._silent:
            await asyncio.Event().wait()
        number = len(self.shown) + 1
        self.shown[number] = (app, summary, body, actions, hints["urgency"].value)
        return number

    @dbus_method()
    def CloseNotification(self, number: "u") -> None:  # type: ignore[name-defined] # noqa: F821, N802
        self.closed.append(number)

    @dbus_method()
    def GetCapabilities(self) -> "as":  # type: ignore[valid-type] # noqa: F722, N802
        return ["body", "body-markup", "actions"]

    @dbus_method()
    def GetServerInformation(self) -> "ssss":  # type: ignore[name-defined] # noqa: F821, N802
        return ["a desktop of the tests", "tests", "1", "1.2"]

    @dbus_signal()
    def ActionInvoked(self, number, key) -> "us":  # type: ignore[no-untyped-def, name-defined] # noqa: ANN001, F821, N802
        return [number, key]

    @dbus_signal()
    def NotificationClosed(self, number, reason) -> "uu":  # type: ignore[no-untyped-def, name-defined] # noqa: ANN001, F821, N802
        return [number, reason]


class SessionBus:
    """Runs both until ``stop``; ``address`` is what DBUS_SESSION_BUS_ADDRESS would say."""

    def __init__(self, program: str, directory: Path, *, silent: bool = False) -> None:
        """``silent``: the desktop takes what it is to show, and never answers."""
        socket, config = directory / "bus", directory / "bus.conf"
        config.write_text(_CONFIG.format(socket), "utf-8")
        self._daemon = subprocess.Popen(
            [program, f"--config-file={config}", "--nofork", "--print-address"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._daemon.stdout is not None
        self.address = self._daemon.stdout.readline().decode().strip()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.desktop = _Notifications(silent=silent)
        self._bus: MessageBus = self._run(self._serve())

    async def _serve(self) -> MessageBus:
        bus = await MessageBus(bus_address=self.address).connect()
        bus.export("/org/freedesktop/Notifications", self.desktop)
        await bus.request_name("org.freedesktop.Notifications")
        return bus

    @property
    def shown(self) -> list[tuple[str, str, str, list[str], int]]:
        """The notifications: the program, headline, text, actions and urgency of each."""
        return list(self.desktop.shown.values())

    def click(self, number: int) -> None:
        """Click the n-th notification, which takes it away."""

        async def click() -> None:
            self.desktop.ActionInvoked(number, "default")
            self.desktop.NotificationClosed(number, 2)

        self._run(click())

    def go_away(self) -> None:
        """End the bus alone, as the end of a person's session does."""
        self._daemon.terminate()
        self._daemon.wait()

    def close(self, number: int) -> None:
        """Take the n-th notification away, as a person does who has seen it."""

        async def close() -> None:
            self.desktop.NotificationClosed(number, 2)

        self._run(close())

    def stop(self) -> None:
        """End both."""

        async def leave() -> None:
            self._bus.disconnect()
            with suppress(EOFError, OSError):  # a test may have ended the bus
                await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call] # the library's

        self._run(leave())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._daemon.terminate()
        self._daemon.wait()
        assert self._daemon.stdout is not None
        self._daemon.stdout.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
