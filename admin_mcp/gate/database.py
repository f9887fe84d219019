"""The gate's state on disk: one SQLite file, shared by every process of this user, and a marker that tells of it.

Whatever keeps it from being used is one error, raised before anything is sent: without it changes are refused, and
reads go on. A connection is opened for each use. That costs about a millisecond more than one that is kept, and buys
a file that is whole between uses, so that it can be copied, repaired or replaced while servers run.

The file is opened by SQLite alone: closing any other descriptor of it would drop every lock this process holds on it.
"""

import os
import random
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from admin_mcp.errors import StateBusy, StateUnavailable
from admin_mcp.gate.marker import Mark, Marker
from admin_mcp.private_files import FileLock, LockBusyError, private_directory, require_private, write_private

FILE_NAME = "gate.sqlite3"
BUSY_SECONDS = 5.0
FIRST_HASH = "0" * 64
"""What the first record of a journal is chained to."""

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
_BESIDE = ("-wal", "-shm")
_POLL_SECONDS = (0.001, 0.01)
_BUSY_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_PRIMARY_CODE = 0xFF


class Database:
    """The database below one directory. ``busy`` is how many seconds to wait for another process's transaction."""

    def __init__(self, directory: Path, *, busy: float = BUSY_SECONDS) -> None:
        self.directory = directory
        self.path = directory / FILE_NAME
        self._busy = busy
        self._writer = threading.Lock()
        self._marker = Marker(directory / f"{FILE_NAME}.mark")

    @property
    def exists(self) -> bool:
        """Whether anything was ever kept here, be it there still or not."""
        return self.path.exists() or self._marker.path.exists()

    @contextmanager
    def transaction(self, patience: float | None = None) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside one write transaction, committed at the end and rolled back on any error.

        ``patience`` is how many seconds to wait, where it is not the usual.

        Raises:
            StateBusy: another process did not end its own in time.
            StateUnavailable: the file is corrupt, unwritable, open to others, or from a newer version.

        """
        end = time.monotonic() + (self._busy if patience is None else patience)
        with self._explained(), self._turn(end), closing(self._writing(end)) as connection:
            try:
                self._renew_mark(connection)
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that sees one moment and waits for no writer. Where nothing is kept, it is empty.

        Raises:
            StateUnavailable: as ``transaction``.

        """
        with self._explained(), closing(self._reader()) as connection:
            yield connection
            connection.rollback()

    def lost(self) -> Mark | None:
        """Return what the marker says was kept here if it is not in the database, nor recorded there as lost.

        Raises:
            StateUnavailable: as ``transaction``.

        """
        with self._explained():
            mark = self._marker.read()  # first: it may be renewed any time, and must not tell of what is not seen yet
        with self.reading() as connection:
            return _loss(connection, mark)

    def lost_as_of(self, connection: sqlite3.Connection) -> Mark | None:
        """Return the same within a write transaction."""
        return _loss(connection, self._marker.read())

    def _renew_mark(self, connection: sqlite3.Connection) -> None:
        """Have the marker tell of all that is committed. The transaction keeps other processes from doing so."""
        if self.lost_as_of(connection) is not None:
            return
        (identity,) = connection.execute("PRAGMA application_id").fetchone()
        head = connection.execute("SELECT seq, hash FROM journal_head").fetchone()
        self._marker.write(Mark(identity, head["seq"], head["hash"]) if head else Mark(identity, 0, FIRST_HASH))

    @contextmanager
    def _turn(self, end: float) -> Iterator[None]:
        """Let one thread of this process at a time contend with the other processes: SQLite's waiting is not fair."""
        if not self._writer.acquire(timeout=max(0.0, end - time.monotonic())):
            raise LockBusyError(str(self.path))
        try:
            yield
        finally:
            self._writer.release()

    def _writing(self, end: float) -> sqlite3.Connection:
        private_directory(self.directory)
        patience = max(0.0, end - time.monotonic())
        if self._is_absent():
            self._make(patience)
        present = self.path.stat()
        connection = self._connect(patience)
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
            # An approval that was used must stay used, even if the machine loses power right after.
            connection.execute("PRAGMA synchronous = FULL")
            _begin_writing(connection, end)
            self._require_still(present)
            _require_version(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _require_still(self, opened: os.stat_result) -> None:
        """Raise if the file was replaced while this waited for it: what is written to the old one would be lost."""
        if not os.path.samestat(opened, self.path.stat()):
            raise LockBusyError(str(self.path))

    def _reader(self) -> sqlite3.Connection:
        if self._is_absent():
            return _empty()
        private_directory(self.directory)
        connection = self._connect(self._busy)
        try:
            connection.execute("BEGIN")
            _require_version(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _is_absent(self) -> bool:
        try:
            return self.path.stat().st_size == 0
        except FileNotFoundError:
            return True

    def _connect(self, patience: float) -> sqlite3.Connection:
        for suffix in ("", *_BESIDE):
            path = self.path.with_name(self.path.name + suffix)
            try:
                require_private(path)
            except FileNotFoundError:
                if not suffix:
                    raise
        # Never made by being opened: it would be open to whomever the umask lets in.
        uri = f"{self.path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=patience, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.text_factory = _text
        return connection

    def _make(self, patience: float) -> None:
        """Make the database aside and put it in its place whole, one process at a time."""
        lock = FileLock(self.directory / f"{FILE_NAME}.lock")
        lock.acquire(patience)
        try:
            if not self._is_absent():
                return
            aside = self.directory / f"{FILE_NAME}.new"
            for left in (aside, *(self.path.with_name(self.path.name + suffix) for suffix in _BESIDE)):
                left.unlink(missing_ok=True)  # of an attempt that was cut off, or of the file that is gone
            write_private(aside, b"")
            identity = _fill(aside)
            if self._marker.read() is None:
                self._marker.write(Mark(identity, 0, FIRST_HASH))
            aside.replace(self.path)
        finally:
            lock.release()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except LockBusyError:
            raise self._is_busy() from None
        except (OSError, sqlite3.Error) as error:
            code = getattr(error, "sqlite_errorcode", None)
            if code is not None and code & _PRIMARY_CODE in _BUSY_CODES:
                raise self._is_busy() from None
            raise self._unavailable(error) from None

    def _is_busy(self) -> StateBusy:
        return StateBusy(
            f"The state is busy: another process kept {self.path} to itself for too long.",
            hint="Try again in a moment.",
            retryable=True,
        )

    def _unavailable(self, error: Exception) -> StateUnavailable:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        return StateUnavailable(
            f"Changes can't be approved or recorded: {reason} ({self.path}).",
            hint="Reading still works. Tell the operator: make that file usable, move it away if it is damaged, or set "
            "ADMIN_MCP_STATE_DIR to another directory.",
        )


def _begin_writing(connection: sqlite3.Connection, end: float) -> None:
    """Begin a write transaction. SQLite itself waits ever longer, so that who came late is often served first."""
    connection.execute("PRAGMA busy_timeout = 0")
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE not in _BUSY_CODES or time.monotonic() >= end:
                raise
            time.sleep(random.uniform(*_POLL_SECONDS))  # noqa: S311 - only so that not all come at the same moment
        else:
            connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
            return


def _fill(path: Path) -> int:
    """Make the tables in an empty file of which nobody knows, and return its new identity."""
    identity = secrets.randbelow(2**31 - 1) + 1
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(
            f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; PRAGMA application_id = {identity}; COMMIT;"
        )
    return identity


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.executescript(_SCHEMA)
    return connection


def _require_version(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != _VERSION:
        raise sqlite3.DatabaseError(f"the file is of version {version}, and this program knows version {_VERSION}")


def _loss(connection: sqlite3.Connection, mark: Mark | None) -> Mark | None:
    return None if mark is None or _holds(connection, mark) or _recorded(connection, mark) else mark


def _holds(connection: sqlite3.Connection, mark: Mark) -> bool:
    """Whether this is the database the marker tells of, and has in it what was in that."""
    if mark.seq == 0:
        return bool(connection.execute("PRAGMA application_id").fetchone()[0] == mark.identity)
    row = connection.execute("SELECT hash FROM journal WHERE seq = ?", (mark.seq,)).fetchone()
    return row is not None and bool(row["hash"] == mark.hash)


def _recorded(connection: sqlite3.Connection, mark: Mark) -> bool:
    return connection.execute("SELECT 1 FROM journal WHERE change = ?", (mark.loss,)).fetchone() is not None


def _text(raw: bytes) -> str:
    """Decode text. Bytes that are none must not keep all the rest from being read."""
    return raw.decode("utf-8", "backslashreplace")


def epoch_seconds() -> float:
    """Return the time that approvals and the journal are dated with: it must mean the same in every process."""
    return time.time()
