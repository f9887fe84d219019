"""The command line at a terminal: a child process whose standard input and output are one."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

needs_terminal = pytest.mark.skipif(
    os.name != "posix", reason="pseudo-terminals are missing: this platform is not POSIX"
)


class Terminal:
    def __init__(self, master: int, process: "subprocess.Popen[bytes]") -> None:
        self._master = master
        self.process = process
        self.shown = ""

    def wait_for(self, text: str, seconds: float = 20.0) -> str:
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < deadline, f"no {text!r} in {self.shown!r}"
            if not self._read(0.2):
                assert text in self.shown, f"it ended without {text!r}: {self.shown!r}"
        return self.shown

    def type(self, text: str) -> None:
        os.write(self._master, f"{text}\n".encode())

    def end(self) -> int:
        """Wait for the end, and return the exit code."""
        deadline = time.monotonic() + 20
        while self._read(0.2):
            assert time.monotonic() < deadline, f"it goes on after {self.shown!r}"
        return self.process.wait(timeout=20)

    def interrupt(self) -> int:
        """Press Ctrl-C until it is noticed, as a person does: one that comes just before a read is not."""
        before = self.shown
        for _ in range(20):
            self.process.send_signal(signal.SIGINT)
            for _ in range(10):
                if not self._read(0.1) or self.shown != before:
                    return self.end()
        raise AssertionError(f"Ctrl-C does not end it after {self.shown!r}")

    def _read(self, seconds: float) -> bool:
        """Take what is there; return False once the other side is closed."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return self.process.poll() is None
        try:
            part = os.read(self._master, 65536)
        except OSError:  # Linux says so when the last writer is gone
            return False
        self.shown += part.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(part)


@contextmanager
def terminal(*arguments: str) -> Iterator[Terminal]:
    """Run the command line at a pseudo-terminal."""
    import pty  # noqa: PLC0415 - missing on Windows, where no test needs it

    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "admin_mcp", *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={**os.environ, "PYTHON_COLORS": "0"},
    )
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
        os.close(master)
