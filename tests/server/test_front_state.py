"""Where the front answers beside a journal, the server would have found nothing to tell of in it."""

import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admin_mcp.gate.journal import _MILESTONE, RecordKind
from admin_mcp.gate.storage import GateStorage, open_storage
from admin_mcp.server.front_state import KINDS, MOST_RECORDS, VERSION, has_usual_journal
from admin_mcp.settings import Settings
from tests.platforms import needs_posix_processes
from tests.sessions import environment

pytestmark = needs_posix_processes

Step = tuple[RecordKind, str] | str


def begun(directory: Path) -> GateStorage:
    storage = open_storage(Settings(state_dir=directory / "state"))
    with storage.database.transaction():
        pass
    return storage


def add(storage: GateStorage, steps: Sequence[tuple[RecordKind, str]]) -> None:
    with storage.database.transaction() as connection:
        for kind, change in steps:
            storage.journal.add(connection, kind, change, by="1-gone", outcome="done", tool="update_role")


def said(storage: GateStorage, caplog: pytest.LogCaptureFixture | None = None) -> list[object]:
    """Return all that a start has to tell of."""
    lost = storage.journal.lost()
    settled = storage.settle()
    warned = [record.getMessage() for record in caplog.records] if caplog else []
    return [*settled, *([lost] if lost else []), *storage.journal.damaged, *warned]


def is_usual(directory: Path) -> bool:
    return has_usual_journal(str(directory / "state"))


def done(number: int) -> list[tuple[RecordKind, str]]:
    return [(kind, f"c{number}") for kind in ("asked", "decided", "sending", "outcome")]


def test_the_front_knows_the_records_and_the_version_there_are() -> None:
    assert set(RecordKind.__args__) - {"damaged"} == KINDS  # type: ignore[attr-defined]  # a Literal has them
    assert MOST_RECORDS == _MILESTONE
    with tempfile.TemporaryDirectory() as directory, closing(_opened(begun(Path(directory)))) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def _opened(storage: GateStorage) -> sqlite3.Connection:
    return sqlite3.connect(storage.database.path, isolation_level=None)


@pytest.mark.parametrize("changes", [0, 1, 48, 200])
def test_a_journal_in_which_all_has_ended_is_usual(
    changes: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage = begun(tmp_path)
    add(storage, [step for number in range(changes) for step in done(number)])
    storage.settle()
    add(storage, done(1000))
    assert is_usual(tmp_path)
    assert said(storage, caplog) == []


def test_more_records_than_are_looked_through_are_the_servers_until_it_has_noted_them(tmp_path: Path) -> None:
    storage = begun(tmp_path)
    add(storage, [step for number in range(MOST_RECORDS) for step in done(number)])
    assert not is_usual(tmp_path)
    storage.settle()
    assert is_usual(tmp_path)


def statement(text: str, *values: object) -> Callable[[GateStorage], None]:
    def run(storage: GateStorage) -> None:
        with closing(_opened(storage)) as connection:
            connection.execute(text, values)

    return run


def gone(storage: GateStorage) -> None:
    storage.database.path.unlink()


def another(storage: GateStorage) -> None:
    mark = storage.database.path.with_name("gate.sqlite3.mark").read_bytes()
    shutil.rmtree(storage.database.directory)
    begun(storage.database.directory.parent)
    storage.database.path.with_name("gate.sqlite3.mark").write_bytes(mark)


def cut(storage: GateStorage) -> None:
    with storage.database.path.open("r+b") as file:
        file.truncate(5000)


def record(**fields: object) -> str:
    return json.dumps({"at": "2026-01-01T00:00:00+00:00", "kind": "decided", "change": "c1", **fields})


def locked(storage: GateStorage) -> None:
    connection = _opened(storage)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    connection.execute("UPDATE journal SET change = change")
    KEPT.append(connection)


def sent_before(storage: GateStorage) -> None:
    add(storage, [("sending", "unfinished"), *(step for number in range(MOST_RECORDS) for step in done(number))])
    storage.journal.settle(lambda _: False)


def sent_after(storage: GateStorage) -> None:
    add(storage, [step for number in range(MOST_RECORDS) for step in done(number)])
    storage.settle()
    add(storage, [("sending", "c9")])


def sent_below(storage: GateStorage) -> None:
    add(storage, [("sending", "c9")])
    statement("UPDATE journal SET seq = ? WHERE change = 'c9'", 1 - 2**63)(storage)


def milestone_beyond(storage: GateStorage) -> None:
    add(storage, [step for number in range(MOST_RECORDS) for step in done(number)])
    storage.settle()
    assert is_usual(storage.database.directory.parent)
    statement("UPDATE journal_milestone SET seq = 2 * seq")(storage)


def piped_mark(storage: GateStorage) -> None:
    mark = storage.database.path.with_name("gate.sqlite3.mark")
    mark.unlink()
    os.mkfifo(mark, 0o600)  # who opens it waits for a writer


def open_beside(end: str) -> Callable[[GateStorage], None]:
    def run(storage: GateStorage) -> None:
        KEPT.append(_opened(storage))
        KEPT[-1].execute("UPDATE journal SET change = change")
        storage.database.path.with_name(f"gate.sqlite3{end}").chmod(0o644)

    return run


def open_to(mode: int) -> Callable[[GateStorage], None]:
    return lambda storage: storage.database.path.chmod(0o600 | mode)


KEPT: list[sqlite3.Connection] = []
TOLD: dict[str, Callable[[GateStorage], object]] = {
    "it is gone": gone,
    "another lies there": another,
    "it is cut": cut,
    "others may read it": open_to(0o004),
    "others may write it": open_to(0o002),
    "others may run it": open_to(0o001),
    "the group may write it": open_to(0o020),
    "others may read its log": open_beside("-wal"),
    "others may read the log's index": open_beside("-shm"),
    "its marker is a pipe": piped_mark,
    "the record its marker tells of is another": statement("UPDATE journal SET hash = 'x' WHERE seq = 4"),
    "its milestone is beyond its head": milestone_beyond,
    "its marker is open to others": lambda storage: storage.database.path.with_name("gate.sqlite3.mark").chmod(0o640),
    "its marker is torn": lambda storage: storage.database.path.with_name("gate.sqlite3.mark").write_bytes(b'{"ident'),
    "it is of a newer version": statement("PRAGMA user_version = 2"),
    "a change was being sent": lambda storage: add(storage, [("sending", "c9")]),
    "a change was being sent, before": sent_before,
    "a change was being sent, after the others were gone through": sent_after,
    "a change was being sent, below all numbers": sent_below,
    "a change was being sent, and more was noted of it": lambda storage: add(
        storage, [("sending", "c9"), ("refused", "c9")]
    ),
    "a record is no JSON": statement("UPDATE journal SET record = ? WHERE seq = 2", "{"),
    "a record is no object": statement("UPDATE journal SET record = ? WHERE seq = 2", "[1]"),
    "a record has no time": statement("UPDATE journal SET record = ? WHERE seq = 2", record(at=None)),
    "a record is under another change": statement("UPDATE journal SET record = ? WHERE seq = 2", record(change="x")),
    "a record is of no kind": statement("UPDATE journal SET record = ? WHERE seq = 2", record(kind="other")),
    "a record's kind is a list": statement("UPDATE journal SET record = ? WHERE seq = 2", record(kind=[])),
    "who sent is not known": statement("UPDATE journal SET record = ? WHERE seq = 2", record(kind="sending")),
    "what came of it is not known": statement("UPDATE journal SET record = ? WHERE seq = 2", record(kind="outcome")),
    "what came of it has no time": statement(
        "UPDATE journal SET record = ? WHERE seq = 2", record(kind="outcome", outcome="done", at=None)
    ),
    "there is no journal in it": statement("DROP TABLE journal"),
    "another process has it to itself": locked,
}


@pytest.mark.parametrize("damage", TOLD)
def test_where_a_start_may_have_something_to_tell_it_is_the_servers(damage: str, tmp_path: Path) -> None:
    storage = begun(tmp_path)
    add(storage, done(1))
    add(storage, done(2))
    assert is_usual(tmp_path)
    TOLD[damage](storage)
    try:
        assert not is_usual(tmp_path)
    finally:
        while KEPT:
            KEPT.pop().close()


def test_a_journal_of_another_user_is_the_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert not is_usual(tmp_path)


def test_a_journal_without_a_marker_is_usual(tmp_path: Path) -> None:
    storage = begun(tmp_path)
    storage.database.path.with_name("gate.sqlite3.mark").unlink()
    assert is_usual(tmp_path)


@pytest.mark.parametrize(
    ("name", "other"),
    [("a?b", "a"), ("a#b", "a"), ("a%41b", "aAb/state/gate.sqlite3"), ("a\\b", "a/b/state/gate.sqlite3")],
)
def test_a_directory_whose_name_an_address_would_change_is_the_servers(name: str, other: str, tmp_path: Path) -> None:
    """The other place has in it what was here before a change was sent."""
    directory = tmp_path / name
    directory.mkdir()
    storage = begun(directory)
    add(storage, done(1))
    (tmp_path / other).parent.mkdir(parents=True, exist_ok=True)
    statement("VACUUM INTO ?", str(tmp_path / other))(storage)
    add(storage, [("sending", "c9")])
    assert not is_usual(directory)


CHANGES = st.sampled_from(["c1", "c2", "c3"])
STEPS = st.one_of(
    st.tuples(st.sampled_from(["asked", "decided", "sending", "outcome", "refused"]), CHANGES),
    st.sampled_from(["settle", "another process", "no marker"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_whatever_was_recorded_a_usual_journal_leaves_nothing_to_tell(steps: list[Step]) -> None:
    logging.disable()
    try:
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            storage = begun(directory)
            for step in steps:
                if step == "settle":
                    storage.journal.settle(lambda _: True)
                elif step == "another process":
                    storage = open_storage(Settings(state_dir=directory / "state"))
                elif step == "no marker":
                    (directory / "state" / "gate.sqlite3.mark").unlink(missing_ok=True)
                else:
                    assert not isinstance(step, str)
                    add(storage, [step])
            before = {path.name for path in (directory / "state").iterdir()}
            usual = is_usual(directory)
            assert {path.name for path in (directory / "state").iterdir()} == before
            found = [storage.journal.lost(), *storage.journal.settle(lambda _: True), *storage.journal.damaged]
    finally:
        logging.disable(logging.NOTSET)
    assert not usual or found == [None]
    assert usual or found != [None]  # here nothing else keeps the front from answering


def test_looking_waits_for_nobody_who_writes(tmp_path: Path) -> None:
    storage = begun(tmp_path)
    add(storage, done(1))
    with storage.database.transaction():
        assert is_usual(tmp_path)


def test_a_process_beside_a_usual_journal_answers_before_it_loads_the_server(tmp_path: Path) -> None:
    storage = begun(tmp_path)
    add(storage, done(1))
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
    lines = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "admin_mcp", "--sandbox"],
        input="".join(json.dumps(line) + "\n" for line in lines).encode(),
        capture_output=True,
        env={**os.environ, **environment(ADMIN_MCP_STATE_DIR=str(tmp_path / "state"))},
        check=True,
    )
    assert [json.loads(line)["id"] for line in process.stdout.splitlines()] == [1, 2]
    imported = {line.rpartition("|")[2].strip() for line in process.stderr.decode().splitlines() if "|" in line}
    assert "sqlite3" in imported
    assert not {"mcp", "pydantic", "anyio"} & imported


ODD_MARKS = [
    b"[" * 100_000,
    b'{"identity": 1, "seq": 1e999, "hash": "x"}',
    b'{"identity": 1e999, "seq": 0, "hash": "x"}',
    b'{"identity": 1, "seq": %d, "hash": "x"}' % 10**30,
    b'{"identity": %d, "seq": 0, "hash": "x"}' % 10**30,
    b'{"identity": 1, "seq": -%d, "hash": "x"}' % 10**30,
    b'{"identity": 1, "seq": %s, "hash": "x"}' % (b"9" * 5000),
    b"null", b"[]", b"{}", b"", b"\xff", b"\x00" * 1000,
    b'{"identity": null, "seq": null, "hash": null}',
    b'{"identity": 1, "seq": 1, "hash": "\\ud800"}',
]  # fmt: skip


@pytest.mark.parametrize("content", ODD_MARKS)
def test_an_odd_marker_ends_neither_the_front_nor_the_server(tmp_path: Path, content: bytes) -> None:
    storage = begun(tmp_path)
    add(storage, done(1))
    mark = tmp_path / "state" / "gate.sqlite3.mark"
    mark.write_bytes(content)
    mark.chmod(0o600)
    is_usual(tmp_path)
    storage.journal.lost()
    add(storage, done(2))


@pytest.mark.parametrize("record", ["[" * 100_000, "9" * 5000, "1e999", "null", '{"kind": []}', "\\ud800"])
def test_an_odd_record_ends_neither(tmp_path: Path, record: str) -> None:
    storage = begun(tmp_path)
    add(storage, done(1))
    with closing(sqlite3.connect(tmp_path / "state" / "gate.sqlite3")) as connection, connection:
        connection.execute("UPDATE journal SET record = ? WHERE seq = 2", (record,))
    assert not is_usual(tmp_path)
    assert storage.journal.verify()[1] is not None
    assert len(list(storage.journal.read())) == 4
