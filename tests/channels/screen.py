"""A person's screen: what the server opens on it, in a real browser."""

import shutil
import sys
import time
from pathlib import Path

from admin_mcp.channels.page_process import LOCK_NAME
from admin_mcp.private_files import FileLock
from tests.browser import Browser
from tests.recorder import Recorder
from tests.sessions import KEY

UPDATE = {"role_id": "role_1", "description": "new"}


TAB = "\ue004"


LONG = "Maria-Magdalena.Schwarzenberger-Lichtenstein@accounting.international-department.example.com"
ENTER = "\ue007"


class Screen:
    """What the server opens on the person's screen: the command that would start a browser writes addresses down."""

    def __init__(self, directory: Path, browser: Browser) -> None:
        self.state = directory / "state"
        self.browser = browser
        self._opened = directory / "opened"
        command = directory / "browser.py"
        command.write_text(f"import sys\nopen({str(self._opened)!r}, 'a').write(sys.argv[1] + '\\n')\n", "utf-8")
        self.env = {
            "ADMIN_MCP_STATE_DIR": str(self.state),
            "ADMIN_MCP_OPEN_BROWSER": "1",
            "ADMIN_MCP_DESKTOP_NOTIFICATIONS": "0",
            "BROWSER": f"{sys.executable} {command} %s",
        }

    @property
    def opened(self) -> list[str]:
        return self._opened.read_text("utf-8").split() if self._opened.exists() else []

    def open(self, number: int = 1, says: str = "The exact request") -> str:
        """Open in Chromium what was put on the screen as the n-th, and return the page's text."""
        deadline = time.monotonic() + 20
        while len(self.opened) < number:
            assert time.monotonic() < deadline, "no page was opened"
            time.sleep(0.05)
        self.browser.open(self.opened[number - 1])
        return self.browser.wait_for(says)

    def end(self) -> None:
        """Take the state away, which ends the process that serves the pages."""
        shutil.rmtree(self.state / "run", ignore_errors=True)
        for path in self.state.glob("gate.sqlite3*"):
            path.unlink()
        lock = FileLock(self.state / LOCK_NAME)
        lock.acquire(10)
        lock.release()


def env(screen: Screen, recorder: Recorder, **more: str) -> dict[str, str]:
    return {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url, **screen.env, **more}
