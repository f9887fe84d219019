"""The journal: a chain that shows every edit, and an end for every change that was sent."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from admin_mcp.gate.journal import Break, Journal
from admin_mcp.gate.records import open_records
from admin_mcp.settings import Settings
from tests.gate.questions import Clock, question, records


def filled(directory: Path) -> Journal:
    journal = records(directory).journal
    for number in range(5):
        journal.write("refused", f"change{number}", tool="delete_role", message=f"no {number}")
    return journal


def edit(journal: Journal, statement: str) -> None:
    with closing(sqlite3.connect(journal._state.path)) as connection, connection:
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
    kept = open_records(Settings(state_dir=tmp_path / "state", admin_key="sk-admin-very-secret"), Clock())  # type: ignore[arg-type]
    kept.journal.write("refused", "x", message="the API said: bad key sk-admin-very-secret!")
    assert "sk-admin-very-secret" not in str(kept.journal.records())
    assert b"sk-admin-very-secret" not in kept.state.path.read_bytes()


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


def test_a_process_tells_the_living_from_the_dead(tmp_path: Path) -> None:
    first, second = records(tmp_path / "state"), records(tmp_path / "state")
    name = first.run.name()
    assert first.run.name() == name
    assert not second.run.ended(name)
    assert not first.run.ended(name)
    first.run.close()
    assert second.run.ended(name)
    assert second.run.ended("never heard of")


def test_what_ended_processes_left_is_tidied_and_the_living_are_kept(tmp_path: Path) -> None:
    first, second = records(tmp_path / "state"), records(tmp_path / "state")
    first.run.name()
    alive = second.run.name()
    first.run.close()
    records(tmp_path / "state").run.tidy()
    assert [path.name for path in (tmp_path / "state" / "run").glob("*.lock")] == [f"{alive}.lock"]
    second.run.close()
