"""A process has a name by which others can tell whether it still lives."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from admin_mcp.private_files import FileLock
from tests.gate.questions import records


def test_a_process_tells_the_living_from_the_dead(tmp_path: Path) -> None:
    first, second = records(tmp_path / "state"), records(tmp_path / "state")
    name = first.process.name()
    assert first.process.name() == name
    assert not second.process.ended(name)
    assert not first.process.ended(name)
    first.process.close()
    assert second.process.ended(name)
    assert second.process.ended("never heard of")


def test_what_ended_processes_left_is_tidied_and_the_living_are_kept(tmp_path: Path) -> None:
    first, second = records(tmp_path / "state"), records(tmp_path / "state")
    first.process.name()
    alive = second.process.name()
    first.process.close()
    records(tmp_path / "state").process.tidy()
    assert [path.name for path in (tmp_path / "state" / "run").glob("*.lock")] == [f"{alive}.lock"]
    second.process.close()


def test_threads_that_name_their_process_at_once_get_one_name_that_lives(tmp_path: Path) -> None:
    run = records(tmp_path / "state").process
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: run.name(), range(8)))
    assert len(names) == 1
    assert not records(tmp_path / "state").process.ended(names.pop())
    run.close()


def test_tidying_leaves_the_locks_that_name_no_process(tmp_path: Path) -> None:
    for name in ("owners.lock", "create.lock"):
        lock = FileLock(tmp_path / "state" / "run" / name)
        lock.acquire()
        lock.release()
    other = records(tmp_path / "state").process
    other.name()
    other.close()
    records(tmp_path / "state").process.tidy()
    assert sorted(path.name for path in (tmp_path / "state" / "run").iterdir()) == ["create.lock", "owners.lock"]


@pytest.mark.parametrize("name", ["../../elsewhere", "", "x" * 16, "0" * 17])
def test_a_name_that_is_no_process_s_touches_no_file(tmp_path: Path, name: str) -> None:
    run = records(tmp_path / "state" / "deep").process
    (tmp_path / "elsewhere.lock").write_text("", "utf-8")
    run.name()
    assert run.ended(name)
    assert (tmp_path / "elsewhere.lock").exists()
    run.close()
