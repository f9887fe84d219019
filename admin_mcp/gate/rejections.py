"""What people refused lately: how long a no stands, which calls it stands for, and when to stop asking altogether.

A table of its own in the gate's state, so that a no counts in every process. Each function works in the caller's
transaction; ``now`` is in unix seconds.
"""

import hashlib
import json
import sqlite3
from typing import Literal

from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.text import folded

STANDS_SECONDS = 600.0
"""How long a no answers the same call."""

MOST_CLOSED = 3
"""A form for one call that was closed so often within ``STANDS_SECONDS`` counts as a no."""

MOST_REJECTIONS = 5
PAUSE_SECONDS = 300.0
"""After ``MOST_REJECTIONS`` within ``STANDS_SECONDS`` nobody is asked for this long."""

RejectionKind = Literal["no", "closed"]

_TABLE = "CREATE TABLE IF NOT EXISTS noes (at REAL NOT NULL, kind TEXT NOT NULL, alike TEXT NOT NULL) STRICT"


def likeness(target: str, tool: str, arguments: Json) -> str:
    """Return what a call has in common with its other spellings, as hex SHA-256.

    Blanks, what is invisible, letter case, and the order and repetitions in a list don't make it another question.
    """
    parts = [target, tool, _plain(arguments)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def add(connection: sqlite3.Connection, kind: RejectionKind, alike: str, now: float) -> None:
    """Keep that a person refused a call, or closed its form."""
    connection.execute(_TABLE)
    connection.execute("DELETE FROM noes WHERE abs(? - at) > ?", (now, STANDS_SECONDS + PAUSE_SECONDS))
    connection.execute("INSERT INTO noes VALUES (?, ?, ?)", (now, kind, alike))


def last(connection: sqlite3.Connection, alike: str, now: float) -> float | None:
    """Return when a person last refused this call, however it was spelt, if that was within the last ten minutes."""
    return max((at for at in _times(connection, "no", alike) if _recent(now, at)), default=None)


def closed(connection: sqlite3.Connection, alike: str, now: float) -> int:
    """Return how often the form for this call was closed within the last ten minutes."""
    return sum(_recent(now, at) for at in _times(connection, "closed", alike))


def pause(connection: sqlite3.Connection, now: float) -> float:
    """Return for how many seconds more nobody is to be asked about anything; 0 or less for not at all."""
    times = sorted(_times(connection, "no"), reverse=True)
    for last, first in zip(times, times[MOST_REJECTIONS - 1 :], strict=False):
        if last - first < STANDS_SECONDS and abs(now - last) < PAUSE_SECONDS:
            return last + PAUSE_SECONDS - now
    return 0.0


def _times(connection: sqlite3.Connection, kind: RejectionKind, alike: str | None = None) -> list[float]:
    connection.execute(_TABLE)
    query = "SELECT at FROM noes WHERE kind = ? AND (alike = ? OR ? IS NULL)"
    return [row[0] for row in connection.execute(query, (kind, alike, alike))]


def _recent(now: float, at: float) -> bool:
    return abs(now - at) < STANDS_SECONDS  # also in the future: a clock that is set back a little takes no no back


def _plain(value: object) -> object:
    if isinstance(value, str):
        return folded(value)
    if isinstance(value, dict):
        plain = {name: _plain(inner) for name, inner in value.items()}
        return {name: inner for name, inner in plain.items() if inner != ""}
    if isinstance(value, list):
        return sorted({json.dumps(_plain(inner), sort_keys=True) for inner in value})
    return value
