"""A journal into which somebody has written whatever they liked: every command that reads it says what it finds."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from admin_mcp.cli.main import main
from admin_mcp.gate.database import FIRST_HASH
from admin_mcp.gate.journal import chained
from tests.cli.test_journal import filled

KINDS = ["asked", "decided", "sending", "outcome", "refused", "lost", "acknowledged", "damaged", "of a later version"]
ODD: list[Any] = [None, 5, 1e300, True, "", "x" * 5000, "\x1b[2J\u202e\n", [], [None], {"a": None}, {}]
TIMES = ["", "x", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", "2026-13-45", "\x1b[2J", "2026-01-01"]
FIELDS = (
    *("preview", "tool", "channel", "decision", "via", "reason", "request", "request_id", "outcome", "message"),
    *("target", "records", "damage", "text", "by", "plan", "steps", "asked_by", "key_last4", "organization"),
)
COMMANDS = [
    ("journal", "list"),
    ("journal", "list", "--json"),
    ("journal", "export", "--format", "csv"),
    ("journal", "export"),
    ("journal", "verify"),
    ("journal", "acknowledge"),
]


def rewritten(directory: Path, change: Any, *, chain: bool) -> None:
    """Have each record be what ``change`` makes of it; with ``chain`` as somebody would who knows how it is chained."""
    with closing(sqlite3.connect(directory / "gate.sqlite3")) as connection, connection:
        before = FIRST_HASH
        for seq, text in connection.execute("SELECT seq, record FROM journal ORDER BY seq").fetchall():
            record = json.dumps(change(json.loads(text)))
            before = chained(before, seq, record)
            connection.execute("UPDATE journal SET record = ? WHERE seq = ?", (record, seq))
            if chain:
                connection.execute("UPDATE journal SET hash = ? WHERE seq = ?", (before, seq))
                connection.execute("UPDATE journal_head SET hash = ? WHERE seq = ?", (before, seq))


def said(*words: str) -> str:
    result = CliRunner().invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), (words, result.exc_info)
    return result.output


@pytest.mark.parametrize("chain", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_any_fields_of_any_kind_are_read(tmp_path: Path, kind: str, chain: bool) -> None:
    change = filled(tmp_path)
    for odd in ODD:
        for fields in ({}, dict.fromkeys(FIELDS, odd)):
            kept = {"at": "2026-01-01T00:00:00+00:00", "kind": kind}
            rewritten(
                tmp_path / "state", lambda old, new={**fields, **kept}: {**new, "change": old["change"]}, chain=chain
            )
            for words in (*COMMANDS, ("journal", "show", change)):
                shown = said(*words)
                assert "\x1b" not in shown
                assert "\u202e" not in shown


@pytest.mark.parametrize("at", TIMES)
def test_any_time_is_read(tmp_path: Path, at: str) -> None:
    change = filled(tmp_path)
    rewritten(tmp_path / "state", lambda old: {**old, "at": at}, chain=True)
    for words in (*COMMANDS, ("journal", "show", change)):
        assert "\x1b" not in said(*words)
