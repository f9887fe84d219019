"""The state file: private, shared, and refused in one clear way when it can't be used."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import platformdirs
import pytest
from pydantic import SecretStr

from admin_mcp.errors import StateBusy, StateUnavailable
from admin_mcp.gate import database as state_module
from admin_mcp.gate.database import FILE_NAME, Database
from admin_mcp.private_files import (
    FileLock,
    NotPrivateError,
    lock_of_system,
    open_to_others,
    private_directory,
    require_private,
    write_private,
)
from admin_mcp.settings import Settings
from tests.platforms import needs_file_modes, needs_root


def use(state: Database) -> int:
    with state.transaction() as connection:
        return int(connection.execute("SELECT count(*) FROM approvals").fetchone()[0])


@needs_file_modes
def test_directory_and_file_are_their_owners_alone(tmp_path: Path) -> None:
    state = Database(tmp_path / "a" / "state")
    assert not state.exists
    assert use(state) == 0
    assert stat.S_IMODE(state.directory.stat().st_mode) == 0o700
    for path in state.directory.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert state.exists


def corrupt(path: Path) -> None:
    path.write_bytes(b"not a database at all, but long enough to look at" * 100)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:3000])


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def directory_in_its_place(path: Path) -> None:
    for other in path.parent.glob(f"{FILE_NAME}*"):
        other.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [corrupt, truncate, newer, directory_in_its_place])
def test_a_file_that_cannot_be_used_is_one_error_that_names_it(tmp_path: Path, damage: object) -> None:
    state = Database(tmp_path / "state")
    use(state)
    damage(state.path)  # type: ignore[operator]
    with pytest.raises(StateUnavailable) as caught:
        use(state)
    assert str(state.path) in caught.value.message
    assert "Nothing was sent" in caught.value.message
    assert "ADMIN_MCP_STATE_DIR" in caught.value.hint


@needs_file_modes
@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    state = Database(tmp_path / "state")
    use(state)
    state.path.chmod(mode)
    with pytest.raises(StateUnavailable, match="can be written by other users"):
        use(state)


@needs_file_modes
def test_a_directory_that_others_can_write_is_refused(tmp_path: Path) -> None:
    state = Database(tmp_path / "state")
    use(state)
    state.directory.chmod(0o777)
    with pytest.raises(StateUnavailable, match="chmod go-w"):
        use(state)


def test_a_database_that_is_full_refuses_and_keeps_what_it_had(tmp_path: Path) -> None:
    state = Database(tmp_path / "state")
    use(state)

    def fill() -> None:
        with state.transaction() as connection:
            connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
            for number in range(1000):
                connection.execute("INSERT INTO journal VALUES (?, '', ?, '')", (number, "x" * 1000))

    with pytest.raises(StateUnavailable, match="full"):
        fill()
    assert use(state) == 0


def test_a_database_that_somebody_holds_refuses_after_its_patience(tmp_path: Path) -> None:
    use(Database(tmp_path / "state"))
    with closing(sqlite3.connect(tmp_path / "state" / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateBusy, match="busy") as caught:
            use(Database(tmp_path / "state", busy=0.05))
        assert caught.value.retryable
    assert use(Database(tmp_path / "state", busy=0.05)) == 0


def test_a_state_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(StateUnavailable):
        use(Database(tmp_path / "file" / "state"))


def test_an_error_inside_a_transaction_undoes_it(tmp_path: Path) -> None:
    state = Database(tmp_path / "state")

    def fail() -> None:
        with state.transaction() as connection:
            connection.execute("INSERT INTO journal VALUES (1, '', '', '')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with state.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM journal").fetchone()[0] == 0


def connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


ELSEWHERE = """
import sys
from pathlib import Path
from admin_mcp.gate.database import Database
from admin_mcp.errors import StateBusy
try:
    with Database(Path(sys.argv[1]), busy=0.05).transaction():
        print("got it")
except StateBusy:
    print("busy")
"""


def elsewhere(directory: Path) -> str:
    """Try to write in another process."""
    done = subprocess.run([sys.executable, "-c", ELSEWHERE, str(directory)], capture_output=True, check=True)
    return done.stdout.decode().strip()


def test_no_use_in_the_same_process_drops_the_lock_of_another(tmp_path: Path) -> None:
    state = Database(tmp_path / "state")
    use(state)
    with state.transaction():
        for other in (state, Database(tmp_path / "state", busy=0.05)):
            with other.reading() as connection:
                connection.execute("SELECT * FROM approvals").fetchall()
            assert other.exists
            assert other.lost() is None
        with pytest.raises(StateBusy):
            use(Database(tmp_path / "state", busy=0.05))
        assert elsewhere(tmp_path / "state") == "busy"
    assert elsewhere(tmp_path / "state") == "got it"


def test_reading_waits_for_no_writer_and_sees_what_was_there_before(tmp_path: Path) -> None:
    state = Database(tmp_path / "state", busy=0.05)
    use(state)
    with state.transaction() as connection:
        connection.execute("INSERT INTO journal VALUES (1, '', '', '')")
        with state.reading() as other:
            assert other.execute("SELECT count(*) FROM journal").fetchone()[0] == 0


def test_where_nothing_is_kept_reading_finds_nothing_and_makes_nothing(tmp_path: Path) -> None:
    state = Database(tmp_path / "state")
    with state.reading() as connection:
        assert connection.execute("SELECT count(*) FROM journal").fetchone()[0] == 0
    assert not state.directory.exists()


def test_processes_that_make_it_at_the_same_time_make_one(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from admin_mcp.gate.database import Database\n"
        "sys.stdin.readline()\n"
        "with Database(Path(sys.argv[1]), busy=60).transaction() as connection:\n"
        "    connection.execute(\"INSERT INTO journal (change, record, hash) VALUES ('', '', '')\")"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "state")], stdin=subprocess.PIPE)
        for _ in range(6)
    ]
    for racer in racers:
        racer.communicate(b"\n")
    assert [racer.returncode for racer in racers] == [0] * 6
    with Database(tmp_path / "state").reading() as connection:
        assert connection.execute("SELECT count(*) FROM journal").fetchone()[0] == 6


def test_a_file_that_is_put_in_its_place_is_taken_up_at_once(tmp_path: Path) -> None:
    state, other = Database(tmp_path / "state"), Database(tmp_path / "other")
    use(state)
    with other.transaction() as connection:
        connection.execute("INSERT INTO approvals VALUES ('a', '', '', '', 0, 0, '', '', '', NULL, NULL)")
    other.path.replace(state.path)
    assert use(state) == 1
    state.path.unlink()
    assert use(state) == 0


def test_a_file_that_is_replaced_while_a_call_waits_for_it_is_not_written_to(tmp_path: Path) -> None:
    state, other = Database(tmp_path / "state", busy=60), Database(tmp_path / "other")
    use(state)
    use(other)
    begun = state_module._begin_writing

    def replaced(connection: sqlite3.Connection, end: float) -> None:
        begun(connection, end)
        other.path.replace(state.path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state_module, "_begin_writing", replaced)
        with pytest.raises(StateBusy):
            use(state)
    assert use(state) == 0


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_what_a_file_that_is_gone_left_beside_it_is_not_taken_for_the_new_ones(tmp_path: Path, suffix: str) -> None:
    state = Database(tmp_path / "state")
    use(state)
    with closing(connected(state.path)) as keeps_it_open:
        keeps_it_open.execute("INSERT INTO approvals VALUES ('a', '', '', '', 0, 0, '', '', '', NULL, NULL)")
        left = {each: Path(f"{state.path}{each}").read_bytes() for each in ("-wal", "-shm")}
    state.path.unlink()
    write_private(Path(f"{state.path}{suffix}"), left[suffix])
    assert use(state) == 0


def test_a_database_of_an_earlier_version_without_a_marker_is_used_as_it_is(tmp_path: Path) -> None:
    private_directory(tmp_path / "state")
    state = Database(tmp_path / "state")
    write_private(state.path, b"")
    with closing(connected(state.path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(state_module._SCHEMA)
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO journal VALUES (1, 'c', 'r', 'h')")
        connection.execute("INSERT INTO journal_head VALUES (1, 1, 'h')")
    assert state.lost() is None
    use(state)
    use(state)
    assert state.lost() is None
    state.path.unlink()
    lost = state.lost()
    assert lost
    assert (lost.seq, lost.hash) == (1, "h")


def test_a_database_that_was_restored_out_of_write_ahead_mode_is_put_back_into_it(tmp_path: Path) -> None:
    state = Database(tmp_path / "state")
    use(state)
    with closing(connected(state.path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    use(state)
    with closing(connected(state.path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


@needs_file_modes
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_a_file_that_others_can_read_is_refused_and_the_mend_is_named(tmp_path: Path, mode: int, suffix: str) -> None:
    state = Database(tmp_path / "state")
    use(state)
    path = Path(f"{state.path}{suffix}")
    if suffix:
        write_private(path, b"")
    path.chmod(mode)
    with pytest.raises(StateUnavailable, match="by other users") as caught:
        use(state)
    assert f"chmod go-rwx {path}" in caught.value.message
    path.chmod(0o600)
    assert use(state) == 0


@needs_file_modes
def test_what_another_user_owns_is_refused_and_both_users_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = Database(tmp_path / "state")
    use(state)
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    for read_or_write in (state.transaction, state.reading):
        with (
            pytest.raises(StateUnavailable, match=rf"belongs to another user \(uid {me}, and this is uid {me + 1}\)"),
            read_or_write(),
        ):
            pytest.fail("it was used")
    for path in (state.directory, state.path):
        with pytest.raises(NotPrivateError, match="chown"):
            private_directory(path) if path.is_dir() else require_private(path)


@needs_root
@pytest.mark.parametrize("part", ["", "gate.sqlite3"])
def test_a_directory_or_database_that_was_given_to_another_user_is_refused(tmp_path: Path, part: str) -> None:
    state = Database(tmp_path / "state")
    use(state)
    os.chown(state.directory / part, 12345, 12345)
    with pytest.raises(StateUnavailable, match="belongs to another user"):
        use(state)


@needs_file_modes
def test_a_directory_that_others_may_only_look_into_is_used_and_told_of(tmp_path: Path) -> None:
    state = Database(tmp_path / "state")
    use(state)
    assert open_to_others(state.directory) is None
    state.directory.chmod(0o755)
    assert use(state) == 0
    assert open_to_others(state.directory) == "755"


def test_the_lock_of_a_system_is_one_for_all_state_directories_and_another_for_another_key() -> None:
    first, same, other, elsewhere = (
        lock_of_system(Settings(state_dir=Path(directory), admin_key=SecretStr(key), base_url=url).target.system)
        for directory, key, url in (
            ("/a", "sk-admin-1", "https://api.example.com/v1"),
            ("/b", "sk-admin-1", "https://api.example.com/v1/"),
            ("/a", "sk-admin-2", "https://api.example.com/v1"),
            ("/a", "sk-admin-1", "https://eu.example.com/v1"),
        )
    )
    assert first == same
    assert len({first, other, elsewhere}) == 3
    assert "sk-admin" not in str(first)


@needs_file_modes
@pytest.mark.parametrize("home", ["relative", "file/below"])
def test_without_a_home_the_lock_is_in_a_private_directory_for_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    where = Path(home) if home == "relative" else tmp_path / home
    monkeypatch.setattr(platformdirs, "user_state_path", lambda _: where)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = lock_of_system("a system")
    assert path.parent == tmp_path / f"openai-admin-mcp-{os.geteuid()}"
    lock = FileLock(path)
    lock.acquire()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not where.exists()
    lock.release()
    path.parent.chmod(0o777)
    with pytest.raises(NotPrivateError):
        lock.acquire()


@needs_file_modes
def test_a_home_that_others_can_write_to_is_refused_and_not_evaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "user_state_path", lambda _: tmp_path / "home")
    private_directory(tmp_path / "home" / "locks")
    (tmp_path / "home" / "locks").chmod(0o777)
    with pytest.raises(NotPrivateError):
        FileLock(lock_of_system("a system")).acquire()
