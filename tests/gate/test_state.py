"""The state file: private, shared, and refused in one clear way when it can't be used."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from admin_mcp.gate.state import FILE_NAME, State, StateBusy, StateUnavailable
from admin_mcp.private_files import FileLock, LockBusyError, private_directory

posix = pytest.mark.skipif(os.name != "posix", reason="file modes mean nothing on this platform")


def use(state: State) -> int:
    with state.transaction() as connection:
        return int(connection.execute("SELECT count(*) FROM approvals").fetchone()[0])


@posix
def test_directory_and_file_are_their_owners_alone(tmp_path: Path) -> None:
    state = State(tmp_path / "a" / "state")
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
    state = State(tmp_path / "state")
    use(state)
    damage(state.path)  # type: ignore[operator]
    with pytest.raises(StateUnavailable) as caught:
        use(state)
    assert str(state.path) in caught.value.message
    assert "Nothing was sent" in caught.value.message
    assert "ADMIN_MCP_STATE_DIR" in caught.value.hint


@posix
@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    state = State(tmp_path / "state")
    use(state)
    state.path.chmod(mode)
    with pytest.raises(StateUnavailable, match="can be written by other users"):
        use(state)


@posix
def test_a_directory_that_others_can_write_is_refused(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    use(state)
    state.directory.chmod(0o777)
    with pytest.raises(StateUnavailable, match="chmod go-w"):
        use(state)


def test_a_database_that_is_full_refuses_and_keeps_what_it_had(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
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
    use(State(tmp_path / "state"))
    with closing(sqlite3.connect(tmp_path / "state" / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateBusy, match="busy") as caught:
            use(State(tmp_path / "state", busy=0.05))
        assert caught.value.retryable
    assert use(State(tmp_path / "state", busy=0.05)) == 0


def test_a_state_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(StateUnavailable):
        use(State(tmp_path / "file" / "state"))


def test_an_error_inside_a_transaction_undoes_it(tmp_path: Path) -> None:
    state = State(tmp_path / "state")

    def fail() -> None:
        with state.transaction() as connection:
            connection.execute("INSERT INTO journal VALUES (1, '', '', '')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with state.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM journal").fetchone()[0] == 0


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "run" / "x.lock"), FileLock(tmp_path / "run" / "x.lock")
    first.acquire()
    with pytest.raises(LockBusyError):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run" / "x.lock"
    script = (
        "import sys; from pathlib import Path; from admin_mcp.private_files import FileLock\n"
        f"FileLock(Path({str(path)!r})).acquire(); lock = FileLock(Path({str(path)!r} + '2')); lock.acquire()\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        lock = FileLock(Path(f"{path}2"))
        with pytest.raises(LockBusyError):
            lock.acquire()
        holder.kill()
    lock.acquire()
    lock.release()


def test_a_private_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    private_directory(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
