"""Directories are private, and a lock has one holder whatever happens to its file."""

import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from admin_mcp.private_files import (
    FileLock,
    LockBusyError,
    NotPrivateError,
    private_directory,
)
from tests.platforms import needs_file_modes


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


@needs_file_modes
def test_directories_on_the_way_are_private_as_well(tmp_path: Path) -> None:
    private_directory(tmp_path / "a" / "b" / "c")
    for directory in (tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_the_attempts_of_others_in_the_same_process_let_go_of_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "run" / "x.lock"
    first, second = FileLock(path), FileLock(path)
    first.acquire()
    with pytest.raises(LockBusyError):
        second.acquire()
    second.release()
    script = (
        "import sys; from pathlib import Path; from admin_mcp.private_files import FileLock, LockBusyError\n"
        "try: FileLock(Path(sys.argv[1])).acquire()\n"
        "except LockBusyError: print('busy')"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, check=True)
    assert done.stdout == b"busy\n"
    first.release()


def test_a_waiter_whose_file_was_replaced_takes_the_one_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "run" / "x.lock"
    holder, usurper, waiter = FileLock(path), FileLock(tmp_path / "run" / "y.lock"), FileLock(path)
    holder.acquire()
    usurper.acquire()
    waits = threading.Thread(target=waiter.acquire, args=(60,))
    waits.start()
    (tmp_path / "run" / "y.lock").replace(path)
    holder.release()
    assert waits.is_alive()
    usurper.release()
    waits.join(60)
    with pytest.raises(LockBusyError):
        FileLock(path).acquire()
    waiter.release()


def test_a_lock_on_a_file_that_was_renamed_away_is_none(tmp_path: Path) -> None:
    path = tmp_path / "run" / "x.lock"
    lock = FileLock(path)
    require = lock._require_still_there
    seen: list[int] = []

    def renamed(descriptor: int) -> None:
        if not seen:
            path.rename(tmp_path / "away")
        seen.append(descriptor)
        require(descriptor)

    lock._require_still_there = renamed  # type: ignore[method-assign]  # the moment between opening and looking
    lock.acquire(60)
    assert len(seen) == 2
    with pytest.raises(LockBusyError):
        FileLock(path).acquire()
    lock.release()


@needs_file_modes
def test_a_lock_file_that_others_can_use_is_refused(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "run" / "x.lock")
    lock.acquire()
    lock.release()
    (tmp_path / "run" / "x.lock").chmod(0o666)
    with pytest.raises(NotPrivateError, match="by other users"):
        lock.acquire()
