"""The journal: a chain that shows every edit, and an end for every change that was sent."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from admin_mcp.errors import StateBusy, StateUnavailable
from admin_mcp.gate import journal as journal_module
from admin_mcp.gate.journal import Break, Journal
from admin_mcp.gate.storage import GateStorage, open_storage
from admin_mcp.settings import Settings
from tests.gate.questions import Clock, question, records


def filled(directory: Path) -> Journal:
    journal = records(directory).journal
    for number in range(5):
        journal.write("refused", f"change{number}", tool="delete_role", message=f"no {number}")
    return journal


def edit(journal: Journal, statement: str) -> None:
    with closing(sqlite3.connect(journal._database.path)) as connection, connection:
        connection.execute(statement)


def test_records_come_back_in_order_with_their_time(tmp_path: Path) -> None:
    journal = filled(tmp_path / "state")
    assert [record.seq for record in journal.records()] == [1, 2, 3, 4, 5]
    (record,) = journal.records("change2")
    assert record.fields == {"tool": "delete_role", "message": "no 2"}
    assert record.at == "1970-01-12T13:46:40.000+00:00"


def test_an_untouched_chain_holds(tmp_path: Path) -> None:
    assert filled(tmp_path / "state").verify() == (5, None)
    assert records(tmp_path / "empty").journal.verify() == (0, None)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE journal SET record = replace(record, 'no 2', 'yes') WHERE seq = 3", (2, 3, "was changed")),
        ("UPDATE journal SET hash = 'x' WHERE seq = 3", (2, 3, "was changed")),
        ("DELETE FROM journal WHERE seq = 3", (2, 3, "is missing")),
        ("DELETE FROM journal WHERE seq = 1", (0, 1, "is missing")),
        ("DELETE FROM journal WHERE seq = 5", (4, 5, "is missing")),
        ("DELETE FROM journal", (0, 1, "is missing")),
        ("UPDATE journal_head SET hash = 'x'", (4, 5, "was replaced")),
        ("UPDATE journal SET seq = 7 WHERE seq = 5", (4, 5, "is missing")),
    ],
)
def test_an_edit_is_found_at_the_first_broken_link(
    tmp_path: Path, statement: str, expected: tuple[int, int, str]
) -> None:
    journal = filled(tmp_path / "state")
    edit(journal, statement)
    count, broken = journal.verify()
    assert isinstance(broken, Break)
    assert (count, broken.seq) == expected[:2]
    assert expected[2] in broken.reason


def test_the_admin_key_is_never_written_whatever_carries_it(tmp_path: Path) -> None:
    kept = open_storage(Settings(state_dir=tmp_path / "state", admin_key="sk-admin-very-secret"), Clock())  # type: ignore[arg-type]
    kept.journal.write("refused", "x", message="the API said: bad key sk-admin-very-secret!")
    assert "sk-admin-very-secret" not in str(kept.journal.records())
    assert b"sk-admin-very-secret" not in kept.database.path.read_bytes()


def test_a_change_whose_process_ended_while_sending_is_settled_once(tmp_path: Path) -> None:
    kept = records(tmp_path / "state")
    approval, _ = kept.approvals.open(question(), "local")
    kept.approvals.apply(approval.id, "approve")
    kept.approvals.claim(approval.id, {"by": "dead", "tool": "delete_role"})
    kept.journal.write("sending", "other", by="alive")
    (settled,) = kept.journal.settle(lambda name: name == "dead")
    assert settled.change == approval.id
    last = kept.journal.records(approval.id)[-1]
    assert (last.kind, last.fields["outcome"]) == ("outcome", "outcome_unknown")
    found = kept.approvals.get(approval.id)
    assert found
    assert found.result
    assert found.result.outcome == "outcome_unknown"
    assert kept.journal.settle(lambda name: name == "dead") == []
    assert kept.journal.verify()[1] is None


DAMAGE = [
    ("'not json at all'", "it is not JSON"),
    ("'{\"at\": '", "it is not JSON"),
    ("CAST(x'7bff7d' AS TEXT)", "it is not JSON"),
    ("'[1]'", "it is not an object"),
    ("'null'", "it is not an object"),
    ("json_remove(record, '$.at')", "it has no 'at'"),
    ("json_remove(record, '$.kind')", "it has no 'kind'"),
    ("json_remove(record, '$.change')", "it has no 'change'"),
    ("json_remove(record, '$.by')", "it has no 'by'"),
    ("json_set(record, '$.by', 7)", "it has no 'by'"),
    ("json_set(record, '$.change', 'another')", "it is filed under another change"),
]


def sent(directory: Path) -> Journal:
    """Return a journal whose second record is of sending, by a process that has ended."""
    journal = records(directory).journal
    journal.write("refused", "before", tool="x")
    journal.write("sending", "damaged", by="dead")
    journal.write("sending", "sound", by="dead")
    return journal


@pytest.mark.parametrize(("record", "reason"), DAMAGE)
def test_a_damaged_record_hides_no_other_and_stops_changes_until_it_is_repaired(
    tmp_path: Path, record: str, reason: str
) -> None:
    journal = sent(tmp_path / "state")
    whole = journal.records()
    with closing(sqlite3.connect(journal._database.path)) as connection:
        before = connection.execute("SELECT record FROM journal WHERE seq = 2").fetchone()[0]
    edit(journal, f"UPDATE journal SET record = {record} WHERE seq = 2")  # noqa: S608 - from the table above

    kept = records(tmp_path / "state")
    assert [each.change for each in kept.journal.settle(lambda _: True)] == ["sound"]
    assert kept.journal.damaged == [2]
    found = kept.journal.records()
    assert [each.kind for each in found] == ["refused", "damaged", "sending", "outcome"]
    assert (found[0], found[2]) == (whole[0], whole[2])
    assert found[1].fields["damage"] == reason
    count, broken = kept.journal.verify()
    assert broken
    assert (count, broken.seq, broken.damaged) == (1, 2, True)
    assert reason in broken.reason

    for leads in (sends, asks):
        with pytest.raises(StateUnavailable, match=f"record 2 of the journal is damaged, {reason}") as caught:
            leads(kept)
        assert str(kept.database.path) in caught.value.message
        assert "Nothing was sent" in caught.value.message
    kept.journal.write("refused", "still recorded", tool="x")
    assert kept.approvals.all() == []

    with closing(sqlite3.connect(journal._database.path)) as connection, connection:
        connection.execute("UPDATE journal SET record = ? WHERE seq = 2", (before,))
    kept.journal.write("sending", "next", by="me")
    assert kept.journal.verify()[1] is None


def sends(kept: GateStorage) -> None:
    kept.journal.write("sending", "next", by="me")


def asks(kept: GateStorage) -> None:
    kept.approvals.open(question(), "local")


def test_a_last_record_that_is_damaged_stops_a_process_that_began_before(tmp_path: Path) -> None:
    journal = filled(tmp_path / "state")
    edit(journal, "UPDATE journal SET record = '' WHERE seq = 5")
    with pytest.raises(StateUnavailable, match="record 5 of the journal is damaged"):
        journal.write("sending", "next", by="me")


def test_the_outcome_of_what_was_sent_is_recorded_behind_a_damaged_record(tmp_path: Path) -> None:
    journal = filled(tmp_path / "state")
    journal.write("sending", "change", by="me")
    edit(journal, "UPDATE journal SET record = '' WHERE seq = 6")
    journal.write("outcome", "change", outcome="done")
    assert [record.kind for record in journal.records("change")] == ["damaged", "outcome"]


def test_an_outcome_without_what_came_of_it_settles_nothing(tmp_path: Path) -> None:
    journal = records(tmp_path / "state").journal
    journal.write("sending", "change", by="dead")
    journal.write("outcome", "change", outcome="done")
    edit(journal, "UPDATE journal SET record = json_remove(record, '$.outcome') WHERE seq = 2")
    assert [record.change for record in journal.settle(lambda _: True)] == ["change"]


@pytest.mark.parametrize("page", [1, 2, 5, 6])
def test_pages_leave_nothing_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr("admin_mcp.gate.journal._PAGE", page)
    journal = filled(tmp_path / "state")
    journal.write("refused", "change2", message="again")
    assert [record.seq for record in journal.read()] == [1, 2, 3, 4, 5, 6]
    assert [record.seq for record in journal.read("change2")] == [3, 6]
    assert journal.verify() == (6, None)


def test_reading_the_journal_and_a_start_with_nothing_to_settle_wait_for_no_writer(tmp_path: Path) -> None:
    journal = filled(tmp_path / "state")
    journal.write("sending", "change", by="alive")
    journal._database._busy = 0.05
    with closing(sqlite3.connect(journal._database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert len(journal.records()) == 6
        assert journal.verify() == (6, None)
        assert journal.settle(lambda _: False) == []
        with pytest.raises(StateBusy):
            journal.write("refused", "x")


def test_what_is_written_while_the_journal_is_read_breaks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin_mcp.gate.journal._PAGE", 2)
    journal = filled(tmp_path / "state")
    found = journal.read()
    first = next(found)
    journal.write("refused", "meanwhile")
    assert [first.seq, *(record.seq for record in found)] == [1, 2, 3, 4, 5, 6]


def test_a_start_reads_only_what_came_since_an_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = records(tmp_path / "state")
    kept.journal.write("sending", "open", by="dead", tool="x")
    for number in range(200):
        kept.journal.write("sending", f"change{number}", by="alive", tool="x")
        kept.journal.write("outcome", f"change{number}", outcome="done")
    assert kept.journal.settle(lambda _: False) == []
    read: list[int] = []
    parsed = journal_module._record

    def counted(row: sqlite3.Row) -> journal_module.Record:
        read.append(row["seq"])
        return parsed(row)

    monkeypatch.setattr(journal_module, "_record", counted)
    again = records(tmp_path / "state").journal
    again.write("sending", "late", by="dead", tool="x")
    read.clear()
    assert [record.change for record in again.settle(lambda name: name == "dead")] == ["open", "late"]
    assert max(read) > 400
    assert len([seq for seq in read if 1 < seq <= 400]) == 0
    assert again.verify()[1] is None


def test_two_starts_at_once_settle_a_change_once(tmp_path: Path) -> None:
    first, second = records(tmp_path / "state").journal, records(tmp_path / "state").journal
    first.write("sending", "change", by="dead")

    def ended(name: str) -> bool:
        if not second.records("change")[1:]:
            second.settle(lambda _: True)
        return name == "dead"

    assert first.settle(ended) == []
    assert [record.kind for record in first.records()] == ["sending", "outcome"]


def deleted(journal: Journal) -> None:
    journal._database.path.unlink()


def emptied(journal: Journal) -> None:
    journal._database.path.write_bytes(b"")


def cleared(journal: Journal) -> None:
    edit(journal, "DELETE FROM journal")
    edit(journal, "DELETE FROM journal_head")


def restored_from_before(journal: Journal) -> None:
    with closing(sqlite3.connect(journal._database.path)) as connection, connection:
        connection.execute("DELETE FROM journal WHERE seq > 2")
        connection.execute("UPDATE journal_head SET seq = 2, hash = (SELECT hash FROM journal WHERE seq = 2)")


@pytest.mark.parametrize("lose", [deleted, emptied, cleared, restored_from_before])
def test_a_journal_that_is_gone_is_noticed_and_the_next_one_says_so_until_the_operator_knows(
    tmp_path: Path, lose: Callable[[Journal], None]
) -> None:
    journal = filled(tmp_path / "state")
    lose(journal)
    kept = records(tmp_path / "state")
    left = len(kept.journal.records())
    lost = kept.journal.lost()
    assert lost
    assert lost.seq == 4  # the marker lags behind by what was written last
    gone = "an earlier journal, of 4 records or more, is gone"
    assert kept.journal.verify() == (left, Break(left + 1, gone))

    kept.journal.write("sending", "next", by="me")
    assert kept.journal.lost() is None
    assert [record.kind for record in kept.journal.records()[left:]] == ["lost", "sending"]
    recorded = kept.journal.records()[left]
    assert recorded.fields == {"records": 4, "hash": lost.hash}
    kept.journal.write("outcome", "next", outcome="done")
    assert kept.journal.verify() == (left + 3, Break(left + 1, gone))

    assert kept.journal.acknowledge() == [gone]
    assert kept.journal.verify() == (left + 4, None)
    assert kept.journal.acknowledge() == []
    assert kept.journal.verify() == (left + 4, None)


def test_a_loss_can_be_acknowledged_before_anything_else_is_recorded(tmp_path: Path) -> None:
    journal = filled(tmp_path / "state")
    deleted(journal)
    assert len(journal.acknowledge()) == 1
    assert [record.kind for record in journal.records()] == ["lost", "acknowledged"]
    assert journal.verify() == (2, None)
    assert journal.acknowledge() == []


def test_a_second_loss_is_another_one(tmp_path: Path) -> None:
    journal = filled(tmp_path / "state")
    deleted(journal)
    journal.acknowledge()
    journal.write("refused", "x")
    deleted(journal)
    assert journal.lost()
    journal.write("refused", "y")
    assert journal.verify()[1]


def test_a_journal_that_is_gone_after_its_first_record_is_noticed_too(tmp_path: Path) -> None:
    journal = records(tmp_path / "state").journal
    journal.write("refused", "x")
    deleted(journal)
    lost = journal.lost()
    assert lost
    assert lost.seq == 0
    journal.write("refused", "y")
    assert [record.kind for record in journal.records()] == ["lost", "refused"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"identity": "x", "seq": 1, "hash": ""}', b"\xff"])
def test_a_marker_that_makes_no_sense_counts_as_none(tmp_path: Path, content: bytes) -> None:
    journal = filled(tmp_path / "state")
    journal._database._marker.path.write_bytes(content)
    assert journal.lost() is None
    journal.write("refused", "x")
    deleted(journal)
    assert journal.lost()


def test_the_marker_never_runs_ahead_of_what_is_committed(tmp_path: Path) -> None:
    journal = filled(tmp_path / "state")

    def fail() -> None:
        with journal._database.transaction() as connection:
            journal.add(connection, "refused", "x")
            journal.add(connection, "refused", "y")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert journal.lost() is None
    assert journal.verify() == (5, None)
