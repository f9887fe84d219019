"""The record of every change that was tried: what was shown, who decided, what was sent, what came of it.

Records are only ever added, each with a hash over itself and the one before it, so that an edit shows. What is written
in the transaction of an approval's event is there if and only if the event is. A record that can't be read keeps no
other from being read, and keeps changes from being sent: what comes next must not be built on it.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from admin_mcp.api.response import redact
from admin_mcp.errors import StateUnavailable
from admin_mcp.gate.database import FIRST_HASH, Database
from admin_mcp.gate.marker import Mark
from admin_mcp.gate.text import visible
from admin_mcp.installation import line_on

RecordKind = Literal["asked", "decided", "sending", "outcome", "refused", "lost", "acknowledged", "damaged"]
"""``asked`` a person; ``decided`` by one; ``sending`` the request; its ``outcome``; ``refused`` before it was sent.

``lost``: an earlier journal is gone; ``acknowledged``: the operator knows. ``damaged`` is never written: it is what a
record is read as that makes no sense.
"""

Outcome = Literal["done", "refused", "not_sent", "outcome_unknown"]
"""The API made the change; the API refused it; it never left; or nobody knows."""

OUTCOME_PATIENCE_SECONDS = 30.0
"""How long to wait to write down what became of a request that was sent: longer than to refuse one that was not."""

_LEADING: frozenset[RecordKind] = frozenset({"asked", "sending"})
_WITH_CONTEXT: frozenset[RecordKind] = frozenset({"asked", "decided", "sending"})
_NEEDED = {"sending": ("by",), "outcome": ("outcome",)}
_PAGE = 500
_MILESTONE = 200
"""How many records are looked through at a start before it is noted that they were."""

_MILESTONE_TABLE = """CREATE TABLE IF NOT EXISTS journal_milestone
    (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, sending TEXT NOT NULL) STRICT"""
_HAS_MILESTONE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'journal_milestone'"
_BEFORE_ALL = -(2**63)


@dataclass(frozen=True, slots=True)
class Record:
    """One record. ``change`` groups the records of one change; ``fields`` depend on the kind; ``at`` is ISO 8601."""

    seq: int
    at: str
    kind: RecordKind
    change: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where the chain does not hold. ``damaged``: no change is sent until that is repaired."""

    seq: int
    reason: str
    damaged: bool = False


class Journal:
    """The journal in one state. ``secrets`` are never written, whatever carries them."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float],
        secrets: Sequence[str] = (),
        context: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """``context`` returns what this process knows of who decides and by which rules; it goes with each step."""
        self._database = database
        self._context = context
        self._clock = clock
        self._secrets = secrets
        self._damaged: set[int] = set()

    def write(self, kind: RecordKind, change: str, **fields: object) -> None:
        """Add a record in a transaction of its own.

        Raises:
            StateUnavailable: it could not be written.

        """
        with self._database.transaction(OUTCOME_PATIENCE_SECONDS if kind == "outcome" else None) as connection:
            self.add(connection, kind, change, **fields)

    def add(self, connection: sqlite3.Connection, kind: RecordKind, change: str, **fields: object) -> None:
        """Add a record to the caller's transaction.

        Raises:
            StateUnavailable: it would lead to a change, and a record before it is damaged.

        """
        if kind in _LEADING:
            self._require_sound(connection)
        if lost := self._database.lost_as_of(connection):
            self._append(connection, "lost", lost.loss, {"records": lost.seq, "hash": lost.hash})
        context = self._context() if kind in _WITH_CONTEXT else {}
        self._append(connection, kind, change, {**fields, **context})

    def _append(self, connection: sqlite3.Connection, kind: RecordKind, change: str, fields: dict[str, object]) -> None:
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        given = {name: value for name, value in fields.items() if value is not None}
        text = json.dumps({"at": at, "kind": kind, "change": change, **given})
        text = redact(text, self._secrets)
        head = _head(connection)
        seq, before = (head["seq"] + 1, head["hash"]) if head else (1, FIRST_HASH)
        digest = chained(before, seq, text)
        connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?)", (seq, change, text, digest))
        connection.execute("INSERT OR REPLACE INTO journal_head VALUES (1, ?, ?)", (seq, digest))

    def _require_sound(self, connection: sqlite3.Connection) -> None:
        """Raise if one of the records that were found damaged still is, or the last one is."""
        head = _head(connection)
        for seq in sorted(self._damaged | ({head["seq"]} if head else set())):
            row = connection.execute("SELECT * FROM journal WHERE seq = ?", (seq,)).fetchone()
            if row is not None and (record := _record(row)).kind == "damaged":
                raise StateUnavailable(
                    f"Changes can't be recorded: record {seq} of the journal is damaged, {record.fields['damage']} "
                    f"({self._database.path}).",
                    hint="Reading still works. Tell the operator: "
                    f"`{line_on(self._database.directory, 'journal', 'verify')}` names the damage; keep that file "
                    "elsewhere, and a new one is begun.",
                )
        self._damaged.clear()

    def lost(self) -> Mark | None:
        """Return what was here and is gone, until a record says so."""
        return self._database.lost()

    def acknowledge(self) -> list[str]:
        """Record that the operator knows which earlier journals are gone. Returns what was not known before."""
        losses = _unacknowledged(self.read())
        if not losses and self.lost() is None:
            return []
        with self._database.transaction() as connection:
            if lost := self._database.lost_as_of(connection):
                losses[lost.loss] = _loss(lost.seq)
                self._append(connection, "lost", lost.loss, {"records": lost.seq, "hash": lost.hash})
            for change in losses:
                self._append(connection, "acknowledged", change, {"via": "terminal"})
        return list(losses.values())

    def records(self, change: str | None = None) -> list[Record]:
        """Return all records in order, or those of one change."""
        return list(self.read(change))

    def read(self, change: str | None = None, *, after: int = _BEFORE_ALL) -> Iterator[Record]:
        """Yield all records in order, or those of one change, a page at a time; nobody has to wait meanwhile.

        ``after`` is the number of the record to begin behind.
        """
        for rows, _ in self._pages(change, after):
            yield from map(_record, rows)

    def latest(self, most: int) -> list[list[Record]]:
        """Return the records of the changes that were touched last, the latest first."""
        query = "SELECT change FROM journal GROUP BY change ORDER BY max(seq) DESC LIMIT ?"
        with self._database.reading() as connection:
            changes = [row["change"] for row in connection.execute(query, (most,)).fetchall()]
        return [self.records(change) for change in changes]

    def verify(self) -> tuple[int, Break | None]:
        """Return how many records hold, and the first break, if there is one; losses nobody acknowledged come last."""
        before, expected = FIRST_HASH, 1
        losses: dict[str, tuple[int, str]] = {}
        head: sqlite3.Row | None = None
        for rows, now in self._pages(None):
            head = now
            for row in rows:
                if (broken := _break(row, before, expected)) is not None:
                    return expected - 1, broken
                _note_loss(losses, _record(row))
                before, expected = row["hash"], expected + 1
        count = expected - 1
        if (head["seq"] if head else 0) != count:
            return count, Break(expected, f"record {expected} is missing")
        if head and head["hash"] != before:
            return count - 1, Break(count, f"record {count} was replaced")
        if lost := self.lost():
            return count, Break(expected, _loss(lost.seq))
        return count, next((Break(seq, reason) for seq, reason in losses.values()), None)

    def settle(self, ended: Callable[[str], bool]) -> list[Record]:
        """Give every change whose process ended while sending it the outcome ``outcome_unknown``; return those.

        ``ended`` tells whether the process with that name has ended. Damaged records are passed over, and remembered.
        """
        unfinished = [record for record in self._unfinished() if ended(str(record.fields["by"]))]
        if not unfinished:
            return []
        with self._database.transaction() as connection:
            settled = [record for record in unfinished if not _has_outcome(connection, record)]
            for record in settled:
                message = "The process ended before the answer came; the change may or may not have been made."
                target = record.fields.get("target")
                self.add(
                    connection, "outcome", record.change, outcome="outcome_unknown", message=message, target=target
                )
                connection.execute(
                    "UPDATE approvals SET outcome = ? WHERE id = ?",
                    (json.dumps({"outcome": "outcome_unknown", "message": message}), record.change),
                )
        return settled

    @property
    def damaged(self) -> list[int]:
        """The numbers of the damaged records that ``settle`` came across."""
        return sorted(self._damaged)

    def _unfinished(self) -> list[Record]:
        """Return the records of sending that no outcome follows. Only what came since the last milestone is read."""
        milestone, sending = self._milestone()
        last, count = milestone, 0
        for record in self.read(after=milestone):
            if record.kind == "sending":
                sending[record.change] = record
            elif record.kind == "outcome":
                sending.pop(record.change, None)
            elif record.kind == "damaged":
                self._damaged.add(record.seq)
            last, count = record.seq, count + 1
        if count >= _MILESTONE and not self._damaged:
            self._set_milestone(last, [record.seq for record in sending.values()])
        return list(sending.values())

    def _milestone(self) -> tuple[int, dict[str, Record]]:
        """Return up to which record the journal was looked through before, and what was still being sent then."""
        with self._database.reading() as connection:
            if not connection.execute(_HAS_MILESTONE).fetchone():
                return _BEFORE_ALL, {}
            row = connection.execute("SELECT seq, sending FROM journal_milestone").fetchone()
            head = _head(connection)
            if row is None or head is None or row["seq"] > head["seq"]:
                return _BEFORE_ALL, {}
            marks = ",".join(str(int(seq)) for seq in json.loads(row["sending"]))
            rows = connection.execute(f"SELECT * FROM journal WHERE seq IN ({marks})").fetchall()  # noqa: S608 - numbers
        return row["seq"], {record.change: record for record in map(_record, rows) if record.kind == "sending"}

    def _set_milestone(self, seq: int, sending: Sequence[int]) -> None:
        with self._database.transaction() as connection:
            connection.execute(_MILESTONE_TABLE)
            values = (seq, json.dumps(list(sending)))
            connection.execute("INSERT OR REPLACE INTO journal_milestone VALUES (1, ?, ?)", values)

    def _pages(
        self, change: str | None, after: int = _BEFORE_ALL
    ) -> Iterator[tuple[list[sqlite3.Row], sqlite3.Row | None]]:
        """Yield the rows in order, and with each page the journal's head as it was then. The last page is empty."""
        chosen = "change = ? AND" if change is not None else ""
        query = f"SELECT * FROM journal WHERE {chosen} seq > ? ORDER BY seq LIMIT {_PAGE}"  # noqa: S608 - from the lines above
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(query, (*([change] if change is not None else []), after)).fetchall()
                head = _head(connection)
            yield rows, head
            if not rows:
                return
            after = rows[-1]["seq"]


def chained(before: str, seq: int, record: str) -> str:
    """Return the hash of a record, as hex SHA-256."""
    return hashlib.sha256(f"{before}\n{seq}\n{record}".encode()).hexdigest()


def _head(connection: sqlite3.Connection) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute("SELECT seq, hash FROM journal_head").fetchone()
    return row


def _has_outcome(connection: sqlite3.Connection, sending: Record) -> bool:
    """Whether somebody else has settled it meanwhile."""
    query = "SELECT * FROM journal WHERE change = ? AND seq > ?"
    rows = connection.execute(query, (sending.change, sending.seq)).fetchall()
    return any(record.kind == "outcome" for record in map(_record, rows))


def _break(row: sqlite3.Row, before: str, expected: int) -> Break | None:
    """Return what is wrong with this row as the next one of the chain."""
    if row["seq"] != expected:
        return Break(expected, f"record {expected} is missing")
    record = _record(row)
    if record.kind == "damaged":
        return Break(expected, f"record {expected} is damaged, {record.fields['damage']}", damaged=True)
    if chained(before, row["seq"], row["record"]) != row["hash"]:
        return Break(expected, f"record {expected} was changed, or one before it was")
    return None


def _record(row: sqlite3.Row) -> Record:
    """Return a row's record; as ``damaged``, with the reason and what there is, if it can't be one."""
    try:
        fields = json.loads(row["record"])
    except (ValueError, RecursionError):
        return _damaged(row, "it is not JSON")
    if not isinstance(fields, dict):
        return _damaged(row, "it is not an object")
    for name in ("at", "kind", "change", *_NEEDED.get(str(fields.get("kind")), ())):
        if not isinstance(fields.get(name), str):
            return _damaged(row, f"it has no {name!r}")
    if fields["change"] != row["change"]:
        return _damaged(row, "it is filed under another change")
    if fields["kind"] == "damaged":
        return _damaged(row, "it says so itself")
    return Record(row["seq"], fields.pop("at"), fields.pop("kind"), fields.pop("change"), fields)


def _damaged(row: sqlite3.Row, reason: str) -> Record:
    return Record(row["seq"], "", "damaged", row["change"], {"damage": reason, "text": row["record"]})


def _loss(records: object) -> str:
    return f"an earlier journal, of {visible(str(records))} records or more, is gone"


def _note_loss(losses: dict[str, tuple[int, str]], record: Record) -> None:
    if record.kind == "lost":
        losses[record.change] = (record.seq, _loss(record.fields.get("records")))
    elif record.kind == "acknowledged":
        losses.pop(record.change, None)


def _unacknowledged(records: Iterable[Record]) -> dict[str, str]:
    losses: dict[str, tuple[int, str]] = {}
    for record in records:
        _note_loss(losses, record)
    return {change: reason for change, (_, reason) in losses.items()}
