"""What the gate costs, counted in things that are the same on every machine. More than this is to be meant."""

import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from admin_mcp.gate import journal as journal_module
from admin_mcp.gate.database import Database
from admin_mcp.gate.journal import Journal
from tests.gate.conftest import NewWorld
from tests.gate.questions import records
from tests.gate.world import APPROVE, AtOnce

FEW, MANY = 500, 5_000

MOST_BYTES = 1_500
"""What four records of a short change may take; who decided and by which rules stands in three of them."""


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what is said to SQLite about the state, by its first two words."""
    said: Counter[str] = Counter()
    connect = Database._connect

    def watched(self: Database, patience: float) -> sqlite3.Connection:
        connection = connect(self, patience)
        connection.set_trace_callback(lambda statement: said.update([" ".join(statement.split()[:2])]))
        return connection

    monkeypatch.setattr(Database, "_connect", watched)
    return said


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note the number of each record of the journal that is read."""
    seen: list[int] = []
    record = journal_module._record

    def watched(row: sqlite3.Row) -> journal_module.Record:
        seen.append(row["seq"])
        return record(row)

    monkeypatch.setattr(journal_module, "_record", watched)
    return seen


def written(directory: Path, count: int) -> Journal:
    """Return a journal in which changes were made, all of which have ended."""
    storage = records(directory)
    with storage.database.transaction() as connection:
        for number in range(count // 2):
            storage.journal.add(connection, "sending", f"change{number}", by="one")
            storage.journal.add(connection, "outcome", f"change{number}", outcome="done")
    return storage.journal


@pytest.mark.anyio
async def test_a_change_takes_few_transactions_reads_and_bytes(new_world: NewWorld, statements: Counter[str]) -> None:
    world = new_world()
    await world.call(world.make("update_role", role_id="role_1", description="new"), AtOnce(APPROVE))
    assert len(world.changes) == 1
    # Asked, decided, claimed and finished: each has to be on the disk before what follows it.
    assert statements["BEGIN IMMEDIATE"] == statements["COMMIT"] == 4
    # Before it is asked, and again before it is sent.
    assert len(world.reads) == 2
    with world.storage.database.reading() as connection:
        (size,) = connection.execute("SELECT sum(length(CAST(record AS BLOB))) FROM journal").fetchone()
    assert 0 < size <= MOST_BYTES


def test_a_start_reads_none_of_what_an_earlier_one_read(tmp_path: Path, read: list[int]) -> None:
    counts = []
    for size in (FEW, MANY):
        journal = written(tmp_path / str(size), size)
        journal.settle(lambda _: True)
        read.clear()
        journal.settle(lambda _: True)
        journal.lost()
        counts.append(len(read))
    assert counts == [0, 0]


def test_a_start_writes_nothing_where_nothing_came_since(tmp_path: Path, statements: Counter[str]) -> None:
    journal = written(tmp_path / "state", MANY)
    journal.settle(lambda _: True)
    statements.clear()
    journal.settle(lambda _: True)
    journal.lost()
    assert statements["BEGIN IMMEDIATE"] == 0
    assert statements["BEGIN"] > 0
