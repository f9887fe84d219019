"""Pipes are read line by line and written whole, without a thread unless they are full."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from hypothesis import given
from hypothesis import strategies as st

from admin_mcp.server.pipes import PipeLines, PipeText, is_pipe
from tests.platforms import needs_posix_processes

pytestmark = [pytest.mark.anyio, needs_posix_processes]

LONG = "x" * 3_000_000


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            assert end == ends[1]  # only the writing one is closed within a test


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **more: object) -> None:
        raise AssertionError(f"a thread was asked for: {arguments} {more}")

    monkeypatch.setattr(to_thread, "run_sync", refuse)


async def all_lines(lines: PipeLines) -> list[bytes]:
    found = []
    while line := await lines.next():
        found.append(line)
    return found


@given(
    parts=st.lists(st.binary(max_size=12) | st.sampled_from([b"\n", b"\r\n", b"{}\n{", "ä\n".encode()])),
    cut=st.integers(0, 40),
)
def test_lines_are_what_splitting_at_line_feeds_gives_however_they_come(parts: list[bytes], cut: int) -> None:
    whole = b"".join(parts)
    reading, writing = os.pipe()
    try:
        os.write(writing, whole[cut:])
        os.close(writing)
        found = anyio.run(all_lines, PipeLines(reading, whole[:cut]))
    finally:
        os.close(reading)
    assert b"".join(found) == whole
    assert all(line.endswith(b"\n") for line in found[:-1])
    assert all(b"\n" not in line[:-1] for line in found)


async def test_a_line_that_comes_in_parts_is_waited_for(pipe: tuple[int, int]) -> None:
    lines = PipeLines(pipe[0])
    os.write(pipe[1], b'{"id"')
    found: list[bytes] = []

    async def read() -> None:
        found.append(await lines.next())

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        assert found == []
        os.write(pipe[1], b":1}\nrest")
    assert found == [b'{"id":1}\n']
    os.close(pipe[1])
    assert await all_lines(lines) == [b"rest"]


async def test_who_waits_for_a_line_can_be_cancelled_and_loses_none(pipe: tuple[int, int]) -> None:
    lines = PipeLines(pipe[0], b"half")
    with anyio.CancelScope() as scope:
        scope.cancel()
        await lines.next()
    os.write(pipe[1], b" and half\n")
    assert await lines.next() == b"half and half\n"


@pytest.mark.usefixtures("no_threads")
async def test_what_fits_is_written_at_once(pipe: tuple[int, int]) -> None:
    text = PipeText(pipe[1])
    assert await text.write("ä" * 20_000) == 20_000
    await text.flush()
    assert os.read(pipe[0], 65_536) == ("ä" * 20_000).encode()


@pytest.mark.parametrize("kind", ["pipe", "socket"])
@pytest.mark.parametrize("already", [0, 20_000])
@pytest.mark.parametrize("blocking", [True, False])
async def test_what_does_not_fit_is_written_whole_while_others_go_on(
    kind: str, already: int, *, blocking: bool
) -> None:
    if kind == "pipe":
        reading, writing = os.pipe()
    else:
        reading, writing = (end.detach() for end in socket.socketpair())
    os.set_blocking(writing, blocking)
    received = bytearray()
    went_on = anyio.Event()

    def read() -> None:
        while part := os.read(reading, 10_000):
            received.extend(part)

    text = PipeText(writing)
    await text.write("y" * already)

    async def go_on() -> None:
        went_on.set()

    reader = threading.Thread(target=read)
    async with anyio.create_task_group() as group:
        group.start_soon(text.write, LONG)
        group.start_soon(go_on)
        await went_on.wait()
        reader.start()
    await text.write("end")
    os.close(writing)
    await to_thread.run_sync(reader.join)
    os.close(reading)
    assert received == ("y" * already + LONG + "end").encode()


async def test_a_reader_that_has_gone_is_told_of(pipe: tuple[int, int]) -> None:
    reading = os.dup(pipe[0])
    text = PipeText(pipe[1])
    os.close(reading)
    os.dup2(os.open(os.devnull, os.O_RDONLY), pipe[0])  # the last reading end is closed by this
    with pytest.raises(BrokenPipeError):
        await text.write("anybody?")


def test_files_terminals_and_what_is_closed_are_no_pipes(tmp_path: Path, pipe: tuple[int, int]) -> None:
    assert [is_pipe(end) for end in pipe] == [True, True]
    with closing((tmp_path / "file").open("w")) as file:
        assert not is_pipe(file.fileno())
        number = file.fileno()
    assert not is_pipe(number)
    with Path(os.devnull).open() as null:
        assert not is_pipe(null.fileno())
    one, other = socket.socketpair()
    with one, other:
        assert is_pipe(one.fileno())
