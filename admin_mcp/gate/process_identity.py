"""The name of this process among those that share a state, and whether another one has ended.

Process ids are used again, so each process that changes something holds a lock of its own, which ends with it.
"""

import re
import secrets
import threading
from contextlib import suppress
from pathlib import Path

from admin_mcp.private_files import FileLock, LockBusyError

_SUFFIX = ".lock"
_NAME = re.compile(r"[0-9a-f]{16}")
_PATIENCE_SECONDS = 5.0
_PROBE_SECONDS = 0.1


class ProcessIdentity:
    """One process. It takes its name when it first needs one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._name: str | None = None
        self._lock: FileLock | None = None
        self._naming = threading.Lock()

    def name(self) -> str:
        """Return this process's name, locked from now until it ends.

        Raises:
            OSError: the lock can't be made.
            LockBusyError: nor taken in five seconds.

        """
        with self._naming:
            if self._name is None:
                name = secrets.token_hex(8)
                lock = FileLock(self._path(name))
                lock.acquire(_PATIENCE_SECONDS)
                self._name, self._lock = name, lock
            return self._name

    def ended(self, name: str, *, patience: float = _PROBE_SECONDS) -> bool:
        """Whether the process of that name has ended. Tidies up after one that has.

        ``patience`` is for how many seconds to take the lock's holder for another that only looks.
        """
        path = self._path(name)
        if not _NAME.fullmatch(name) or not path.exists():
            return True
        lock = FileLock(path)
        try:
            lock.acquire(patience)
        except LockBusyError:
            return False
        with suppress(OSError):  # Windows removes no open file; a leftover does no harm
            path.unlink()
        lock.release()
        return True

    def tidy(self) -> None:
        """Remove what processes that have ended left behind, and nothing else: others wait for other locks."""
        for path in self._directory.glob(f"*{_SUFFIX}"):
            if _NAME.fullmatch(path.name.removesuffix(_SUFFIX)):
                self.ended(path.name.removesuffix(_SUFFIX), patience=0)

    def close(self) -> None:
        """Give the name up: the process ends, or a test lets it end."""
        if self._lock is not None:
            self._lock.release()
            self._lock = self._name = None

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}{_SUFFIX}"
