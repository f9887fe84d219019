"""Whether a start would find nothing to tell of in a journal that is there. It is only looked at, and not for long."""

import json
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import Connection

VERSION = 1
MOST_RECORDS = 200
"""Beyond that many since it was gone through, the server goes through them and notes that it has."""

KINDS = {"asked", "decided", "sending", "outcome", "refused", "lost", "acknowledged"}
_UNQUOTED = frozenset("?#%\\")
_OTHERS = 0o077
_NEEDED = {"sending": "by", "outcome": "outcome"}


def has_usual_journal(directory: str) -> bool:
    """Whether the journal can be read, is the one there was before, and has in it nothing unfinished or damaged."""
    import sqlite3  # noqa: PLC0415 - only where there is a journal

    path = f"{directory}/gate.sqlite3"
    beside = [end for end in ("-wal", "-shm", ".mark") if os.path.lexists(f"{path}{end}")]
    try:
        if _UNQUOTED & set(path) or not all(is_closed(f"{path}{end}") for end in ("", *beside)):
            return False
        mark = _mark(f"{path}.mark") if ".mark" in beside else None
        connection = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=0, isolation_level=None)
        try:
            connection.execute("BEGIN")
            return _is_known(connection, mark) and _is_finished(connection)
        finally:
            connection.close()
    except Exception:  # noqa: BLE001 - whatever it is, the server says it
        return False


def is_closed(path: str) -> bool:
    """Whether a path is a file of this user that is closed to all others."""
    found = os.lstat(path)
    ours = os.name == "posix" and found.st_uid == os.geteuid()
    return ours and stat.S_ISREG(found.st_mode) and not found.st_mode & _OTHERS


def _mark(path: str) -> tuple[int, int, str]:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib is not loaded
        mark = json.load(file)
    return int(mark["identity"]), int(mark["seq"]), str(mark["hash"])


def _is_known(connection: "Connection", mark: tuple[int, int, str] | None) -> bool:
    """Whether this is the database that the marker beside it tells of, and of the version that is known."""
    if connection.execute("PRAGMA user_version").fetchone() != (VERSION,):
        return False
    if mark is None:
        return True
    identity, seq, digest = mark
    if seq == 0:
        return bool(connection.execute("PRAGMA application_id").fetchone() == (identity,))
    return bool(connection.execute("SELECT hash FROM journal WHERE seq = ?", (seq,)).fetchone() == (digest,))


def _is_finished(connection: "Connection") -> bool:
    """Whether each change that was being sent has its outcome, among the records that were not gone through before."""
    after = -(2**63)
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'journal_milestone'").fetchone():
        milestone = connection.execute("SELECT seq, sending FROM journal_milestone").fetchone()
        head = connection.execute("SELECT seq FROM journal_head").fetchone()
        if not milestone or not head or milestone[0] > head[0] or milestone[1] != "[]":
            return False
        after = milestone[0]
    query = "SELECT change, record FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"
    rows = connection.execute(query, (after, MOST_RECORDS)).fetchall()
    sending: set[str] = set()
    for change, text in rows:
        record = json.loads(text)
        kind = record["kind"]
        needed = ("at", "kind", "change", _NEEDED.get(kind, "at"))
        if kind not in KINDS or record["change"] != change or not all(isinstance(record[name], str) for name in needed):
            return False
        if kind == "sending":
            sending.add(change)
        elif kind == "outcome":
            sending.discard(change)
    return len(rows) < MOST_RECORDS and not sending
