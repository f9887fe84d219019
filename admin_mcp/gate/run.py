"""The name of this process among those that share a state, and whether another one has ended.

Process ids are used again, so each process that changes something holds a lock of its own, which ends with it.
"""

import secrets
from contextlib import suppress
from pathlib import Path

from admin_mcp.gate.state import FileLock, LockBusyError

_SUFFIX = ".lock"
_PATIENCE_SECONDS = 5.0


class Run:
    """One process. It takes its name when it first needs one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._name: str | None = None
        self._lock: FileLock | None = None

    def name(self) -> str:
        """Return this process's name, locked from now until it ends.

        Raises:
            OSError: the lock can't be made.
            LockBusyError: nor taken in five seconds.

        """
        while self._name is None:
            name = secrets.token_hex(8)
            path = self._directory / f"{name}{_SUFFIX}"
            lock = FileLock(path)
            lock.acquire(_PATIENCE_SECONDS)
            if path.exists():  # or else another process tidied it away before it was locked
                self._name, self._lock = name, lock
            else:
                lock.release()
        return self._name

    def ended(self, name: str) -> bool:
        """Whether the process of that name has ended. Tidies up after one that has."""
        path = self._directory / f"{name}{_SUFFIX}"
        if not path.exists():
            return True
        lock = FileLock(path)
        try:
            lock.acquire()
        except LockBusyError:
            return False
        with suppress(OSError):  # Windows removes no open file; a leftover does no harm
            path.unlink()
        lock.release()
        return True

    def tidy(self) -> None:
        """Remove what processes that have ended left behind."""
        for path in self._directory.glob(f"*{_SUFFIX}"):
            self.ended(path.name.removesuffix(_SUFFIX))

    def close(self) -> None:
        """Give the name up: the process ends, or a test lets it end."""
        if self._lock is not None:
            self._lock.release()
            self._lock = self._name = None
