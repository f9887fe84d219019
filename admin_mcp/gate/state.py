"""The gate's state on disk: one SQLite file, shared by every process of this user. Knows nothing of what is in it.

Whatever keeps it from being used is one error, raised before anything is sent: without it changes are refused, and
reads go on. It is opened anew for each use, so a repaired or replaced file is taken up without a restart.
"""

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from admin_mcp.errors import ApprovalUnavailable

FILE_NAME = "gate.sqlite3"
BUSY_SECONDS = 5.0

_VERSION = 1
_SCHEMA = """
CREATE TABLE approvals (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, channel TEXT NOT NULL, state TEXT NOT NULL,
    opened REAL NOT NULL, since REAL NOT NULL,
    tool TEXT NOT NULL, arguments TEXT NOT NULL, preview TEXT NOT NULL, phrase TEXT, outcome TEXT
) STRICT;
CREATE INDEX approvals_by_key ON approvals (key, state);
CREATE TABLE journal (seq INTEGER PRIMARY KEY, change TEXT NOT NULL, record TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE INDEX journal_by_change ON journal (change);
CREATE TABLE journal_head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;
"""


class StateUnavailable(ApprovalUnavailable):
    """The state can't be used, so no change can be approved or recorded. Nothing was sent."""


class State:
    """The database below one directory. ``busy`` is how many seconds to wait for another process's transaction."""

    def __init__(self, directory: Path, *, busy: float = BUSY_SECONDS) -> None:
        self.directory = directory
        self.path = directory / FILE_NAME
        self._busy = busy

    @property
    def exists(self) -> bool:
        """Whether anything was ever kept here."""
        return self.path.exists()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside one write transaction, committed at the end and rolled back on any error.

        Raises:
            StateUnavailable: the file is corrupt, locked, unwritable, open to others, or from a newer version.

        """
        try:
            private_directory(self.directory)
            private_file(self.path)
            with closing(self._connect()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    _migrate(connection)
                    yield connection
                except BaseException:
                    connection.rollback()
                    raise
                connection.commit()
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from None

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=self._busy, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            # An approval that was used must stay used, even if the machine loses power right after.
            connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _unavailable(self, error: Exception) -> StateUnavailable:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        return StateUnavailable(
            f"Changes can't be approved or recorded: {reason} ({self.path}). Nothing was sent.",
            hint="Reading still works. Tell the operator: make that file usable, move it away if it is damaged, or set "
            "ADMIN_MCP_STATE_DIR to another directory.",
        )


class LockBusyError(Exception):
    """Somebody else holds the lock."""


class FileLock:
    """A lock between processes that the operating system lifts when its holder ends, however it ends.

    SQLite's own file lock serves, because it works alike on every platform and with nothing more to install.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def acquire(self, seconds: float = 0.0) -> None:
        """Take the lock.

        Raises:
            LockBusyError: somebody else held it for all that time. ``OSError``: the file can't be used.

        """
        private_directory(self._path.parent)
        private_file(self._path)
        # The lock may be let go by another thread than took it; only one ever holds this object.
        connection = sqlite3.connect(self._path, timeout=seconds, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            connection.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise LockBusyError(str(self._path)) from None
            raise OSError(f"{error} ({self._path})") from None
        except sqlite3.Error as error:
            connection.close()
            raise OSError(f"{error} ({self._path})") from None
        self._connection = connection

    def release(self) -> None:
        """Let go of the lock, if it is held."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def private_directory(path: Path) -> None:
    """Make a directory that only its owner can use, if it is not there yet.

    Raises:
        OSError: it can't be made, or somebody else could put files into it.

    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    _only_mine(path)


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read.

    Raises:
        OSError: it can't be written; ``FileExistsError`` if it is there already.

    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def private_file(path: Path) -> None:
    """Make a file that only its owner can use, if it is not there yet.

    Raises:
        OSError: it can't be made or read, or somebody else could write it.

    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    _only_mine(path)


def _only_mine(path: Path) -> None:
    mode = path.stat().st_mode
    if os.name == "posix" and stat.S_IMODE(mode) & 0o022:
        raise PermissionError(f"{path} can be written by other users; take that right away (chmod go-w)")


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    elif version != _VERSION:
        raise sqlite3.DatabaseError(f"the file is of version {version}, and this program knows version {_VERSION}")


def epoch_seconds() -> float:
    """Return the time that approvals and the journal are dated with: it must mean the same in every process."""
    return time.time()
