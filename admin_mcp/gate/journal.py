"""The record of every change that was tried: what was shown, who decided, what was sent, what came of it.

Records are only ever added, each with a hash over itself and the one before it, so that an edit shows. What is written
in the transaction of an approval's event is there if and only if the event is.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from admin_mcp.gate.state import State
from admin_mcp.response import redact

Kind = Literal["asked", "decided", "sending", "outcome", "refused"]
"""``asked`` a person; ``decided`` by one; ``sending`` the request; its ``outcome``; ``refused`` before it was sent."""

Outcome = Literal["done", "refused", "not_sent", "outcome_unknown"]
"""The API made the change; the API refused it; it never left; or nobody knows."""

FIRST_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class Record:
    """One record. ``change`` groups the records of one change; ``fields`` depend on the kind; ``at`` is ISO 8601."""

    seq: int
    at: str
    kind: Kind
    change: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where the chain does not hold."""

    seq: int
    reason: str


class Journal:
    """The journal in one state. ``secrets`` are never written, whatever carries them."""

    def __init__(self, state: State, clock: Callable[[], float], secrets: Sequence[str] = ()) -> None:
        self._state = state
        self._clock = clock
        self._secrets = secrets

    def write(self, kind: Kind, change: str, **fields: object) -> None:
        """Add a record in a transaction of its own.

        Raises:
            StateUnavailable: it could not be written.

        """
        with self._state.transaction() as connection:
            self.add(connection, kind, change, **fields)

    def add(self, connection: sqlite3.Connection, kind: Kind, change: str, **fields: object) -> None:
        """Add a record to the caller's transaction."""
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        given = {name: value for name, value in fields.items() if value is not None}
        text = json.dumps({"at": at, "kind": kind, "change": change, **given})
        text = redact(text, self._secrets)
        head = connection.execute("SELECT seq, hash FROM journal_head").fetchone()
        seq, before = (head["seq"] + 1, head["hash"]) if head else (1, FIRST_HASH)
        digest = chained(before, seq, text)
        connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?)", (seq, change, text, digest))
        connection.execute("INSERT OR REPLACE INTO journal_head VALUES (1, ?, ?)", (seq, digest))

    def records(self, change: str | None = None) -> list[Record]:
        """Return all records in order, or those of one change."""
        with self._state.transaction() as connection:
            query = "SELECT seq, record FROM journal WHERE change = ? OR ? IS NULL ORDER BY seq"
            return [_record(row) for row in connection.execute(query, (change, change))]

    def verify(self) -> tuple[int, Break | None]:
        """Return how many records hold, and the first break, if there is one."""
        before, expected = FIRST_HASH, 1
        with self._state.transaction() as connection:
            rows = connection.execute("SELECT seq, record, hash FROM journal ORDER BY seq").fetchall()
            head = connection.execute("SELECT seq, hash FROM journal_head").fetchone()
        for row in rows:
            if row["seq"] != expected:
                return expected - 1, Break(expected, f"record {expected} is missing")
            if chained(before, row["seq"], row["record"]) != row["hash"]:
                return expected - 1, Break(expected, f"record {expected} was changed, or one before it was")
            before, expected = row["hash"], expected + 1
        if (head["seq"] if head else 0) != len(rows):
            return len(rows), Break(expected, f"record {expected} is missing")
        if head and head["hash"] != before:
            return len(rows) - 1, Break(len(rows), f"record {len(rows)} was replaced")
        return len(rows), None

    def settle(self, ended: Callable[[str], bool]) -> list[Record]:
        """Give every change whose process ended while sending it the outcome ``outcome_unknown``; return those.

        ``ended`` tells whether the process with that name has ended.
        """
        with self._state.transaction() as connection:
            rows = connection.execute("SELECT seq, record FROM journal ORDER BY seq").fetchall()
            open_records = [record for record in _unfinished(map(_record, rows)) if ended(str(record.fields["by"]))]
            for record in open_records:
                message = "The process ended before the answer came; the change may or may not have been made."
                self.add(connection, "outcome", record.change, outcome="outcome_unknown", message=message)
                connection.execute(
                    "UPDATE approvals SET outcome = ? WHERE id = ?",
                    (json.dumps({"outcome": "outcome_unknown", "message": message}), record.change),
                )
        return open_records


def _unfinished(records: Iterable[Record]) -> list[Record]:
    """Return the records of sending that no outcome follows."""
    sending: dict[str, Record] = {}
    for record in records:
        if record.kind == "sending":
            sending[record.change] = record
        elif record.kind == "outcome":
            sending.pop(record.change, None)
    return list(sending.values())


def chained(before: str, seq: int, record: str) -> str:
    """Return the hash of a record, as hex SHA-256."""
    return hashlib.sha256(f"{before}\n{seq}\n{record}".encode()).hexdigest()


def _record(row: sqlite3.Row) -> Record:
    fields = json.loads(row["record"])
    return Record(row["seq"], fields.pop("at"), fields.pop("kind"), fields.pop("change"), fields)
