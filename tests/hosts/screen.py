"""A host's program on a screen of its own: tmux, with a server that no other test shares."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

needs_screen = pytest.mark.skipif(
    shutil.which("tmux") is None, reason="tmux, which gives a program a screen, is missing"
)

_AGAIN = 3.0


@dataclass(frozen=True)
class Screen:
    socket: Path

    def _tmux(self, *words: str) -> str:
        return subprocess.run(
            ["tmux", "-S", str(self.socket), "-f", "/dev/null", *words], capture_output=True, check=True, text=True
        ).stdout

    def shown(self) -> str:
        return self._tmux("capture-pane", "-p")

    def wait_for(self, text: str, seconds: float = 60.0) -> str:
        """Look until the text is there; the looking itself takes long enough to need no pause of ours."""
        deadline = time.monotonic() + seconds
        while text not in (shown := self.shown()):
            assert time.monotonic() < deadline, f"no {text!r} on the screen:\n{shown}"
        return shown

    def press(self, key: str, until: str) -> str:
        """Press a key, and wait for what it brings onto the screen."""
        self._tmux("send-keys", key)
        return self.wait_for(until)

    def press_until_gone(self, key: str, text: str) -> None:
        """Press a key until the text is no longer on the screen: hosts overlook a key that comes too soon."""
        deadline = time.monotonic() + 60.0
        pressed = 0.0
        while text in (shown := self.shown()):
            assert time.monotonic() < deadline, f"still {text!r} on the screen:\n{shown}"
            if time.monotonic() - pressed > _AGAIN:
                self._tmux("send-keys", key)
                pressed = time.monotonic()


@contextmanager
def screen(words: Sequence[str], environment: Mapping[str, str], directory: Path, socket: Path) -> Iterator[Screen]:
    """Run a program on a screen of 140 columns and 50 rows."""
    made = Screen(socket)
    given = [f"{name}={value}" for name, value in environment.items()]
    made._tmux("new-session", "-d", "-x", "140", "-y", "50", "-c", str(directory), "env", "-i", *given, *words)
    try:
        yield made
    finally:
        subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, check=False)
